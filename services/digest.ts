import { digestOfLines, observationLine } from "../core/plan/cluster-live.ts";
import type { ClusterObservation } from "../core/observed/observation.ts";
import { mapInTurns } from "./turns.ts";

/** The digest of what a cluster enforces, in turns of the event loop: tenants decide how many objects there are, and how large. */
export async function digestInTurns(observation: ClusterObservation): Promise<string> {
  return digestOfLines(observation, await mapInTurns(observation.policies, observationLine));
}
