import type { TargetRow } from "../adapters/store/index.ts";
import { tableFacts, type Observation } from "../core/observed/observation.ts";
import type { Mark } from "../core/render/mark.ts";
import { readMark } from "../core/render/networkpolicy.ts";

/** The marks that objects of this installation carry on a target; two are mostly equal. */
export function liveMarks(observation: Observation, instance: string): readonly Mark[] {
  const marks =
    observation.kind === "host"
      ? [(observation.ours ?? tableFacts(observation.ruleset)).mark]
      : observation.policies.map(({ object }) => readMark(object));
  return marks.flatMap((mark) => (mark?.instance === instance ? [mark] : []));
}

/** True when something there carries a newer revision than the store knows of, also while the syncer is about to bring it forward. */
export function isAhead(
  sequences: readonly number[],
  { appliedSequence, intent }: Pick<TargetRow, "appliedSequence" | "intent">,
): boolean {
  return sequences.some((sequence) => sequence > (appliedSequence ?? 0) && sequence !== intent?.sequence);
}
