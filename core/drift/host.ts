import { fromAddressTexts } from "../address/index.ts";
import type { HostObservation } from "../observed/observation.ts";
import type { NftRuleset } from "../render/nft.ts";
import type { Finding } from "../finding/finding.ts";
import { HOST_STEPS, HostJudge } from "./host-effect.ts";
import { compareForeign } from "./host-foreign.ts";
import { compareKept } from "./host-kept.ts";
import { compareOurs } from "./host-ours.ts";
import { notComparable } from "./not-comparable.ts";

export interface HostComparison {
  /** What was published to the host: rendered from Git at the pointer, with the memberships of its generation. */
  readonly expected: NftRuleset;
  readonly observation: HostObservation;
  /** What it may cost; see {@link HOST_STEPS}. */
  readonly steps?: number;
}

/**
 * Every way in which a host's live rules part from what was published to it, each with what it opens and closes.
 *
 * Nothing from an observation that is not complete: half a picture has no divergences, it has gaps (which `unreachable` and the age
 * of the last read-back tell). Whatever the listing holds, it costs no more than a budget: what that does not reach is told as widening, and the
 * host as one that cannot be compared. Sorted by kind and subject; one finding per thing, so that its fingerprint stays the same.
 */
export function compareHost({ expected, observation, steps = HOST_STEPS }: HostComparison): readonly Finding[] {
  if (observation.completeness !== "complete") return [];
  const judge = new HostJudge(expected, fromAddressTexts(observation.addresses).set, steps);
  const found = [...compareOurs(observation, judge), ...compareForeign(observation, judge)];
  const findings = [...found.map(({ finding }) => finding), ...compareKept(expected, observation)];
  if (found.some(({ isNotCompared }) => isNotCompared)) {
    findings.push(notComparable(observation.target, "following its rules takes more work than a look may; see its other findings"));
  }
  return findings.sort((a, b) => compareTexts(`${a.kind} ${a.subject}`, `${b.kind} ${b.subject}`));
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
