import type { HostObservation } from "../plan/observation.ts";
import type { NftRuleset } from "../render/nft.ts";
import type { Finding } from "./finding.ts";
import { compareForeign } from "./host-foreign.ts";
import { compareOurs } from "./host-ours.ts";

export interface HostComparison {
  /** What was published to the host: rendered from Git at the pointer, with the memberships of its generation. */
  readonly expected: NftRuleset;
  readonly observation: HostObservation;
}

/**
 * Every way in which a host's live rules part from what was published to it, each with what it opens and closes.
 *
 * Nothing from an observation that is not complete: half a picture has no divergences, it has gaps (which `unreachable` and the age
 * of the last read-back tell). Sorted by kind and subject; one finding per thing, so that its fingerprint stays the same.
 */
export function compareHost({ expected, observation }: HostComparison): readonly Finding[] {
  if (observation.completeness !== "complete") return [];
  const findings = [...compareOurs(expected, observation), ...compareForeign(expected, observation)];
  return findings.sort((a, b) => compareTexts(`${a.kind} ${a.subject}`, `${b.kind} ${b.subject}`));
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
