import { digestOfLines, observationLine } from "../core/plan/cluster-live.ts";
import type { ClusterObservation } from "../core/observed/observation.ts";

/** How long objects are read before others have their turn. */
const TURN_MS = 10;

/** The digest of what a cluster enforces, in turns of the event loop: tenants decide how many objects there are, and how large. */
export async function digestInTurns(observation: ClusterObservation): Promise<string> {
  const lines: string[] = [];
  let since = performance.now();
  for (const policy of observation.policies) {
    if (performance.now() - since > TURN_MS) {
      await new Promise(setImmediate);
      since = performance.now();
    }
    lines.push(observationLine(policy));
  }
  return digestOfLines(observation, lines);
}
