import type { Observation } from "../core/plan/observation.ts";
import { readMark } from "../core/render/networkpolicy.ts";
import { readTable } from "../core/render/nft-table.ts";

/** The highest number of a revision that an object of this installation carries on a target; 0 where there is none. */
export function liveSequence(observation: Observation, instance: string): number {
  const marks =
    observation.kind === "host"
      ? [readTable(observation.ruleset)?.mark]
      : observation.policies.map(({ object }) => readMark(object));
  return Math.max(0, ...marks.map((mark) => (mark?.instance === instance ? mark.sequence : 0)));
}
