import type { Adoption } from "../core/finding/adoption.ts";
import type { Evidence } from "../core/adopt/evidence.ts";
import { sayDifference } from "../core/adopt/say.ts";
import type { Finding } from "../core/finding/finding.ts";
import { liveSource } from "../core/enforced/source.ts";
import { seenWorld } from "../core/guardrail/world.ts";
import type { WatchedWorld } from "../core/guardrail/watch.ts";
import type { TargetId } from "../core/model/kinds.ts";
import type { Source } from "../core/reach/source.ts";
import { evidenceOf, type Look } from "./compare.ts";

/** Findings of one look, and everything else that was seen; data only, so that another process may answer. */
export interface AskedAdoptions {
  readonly world: WatchedWorld;
  readonly target: TargetId;
  readonly look: Look;
  readonly findings: readonly Pick<Finding, "kind" | "subject">[];
}

/** How Git could say each finding; undefined for what Git has no words for. */
export function adoptionsOf({ world, target, look, findings }: AskedAdoptions): readonly (Adoption | undefined)[] {
  const evidence = evidenceOf(look);
  const found = findings.map((finding) => evidence(finding));
  if (found.every((each) => each === undefined)) return found.map(() => undefined);
  const { definitions, seen, now, operator } = world;
  const { estate, approved } = seenWorld(definitions, seen, now, operator);
  const at = (own: Evidence["before"]): Source =>
    liveSource(estate, new Map([...(seen.live ?? []), [target, own]]), seen.enforcers);
  return found.map((each) => each && sayDifference(at(each.before), at(each.after), approved, target));
}
