import type { Tasks } from "../../adapters/workers/index.ts";
import { reviewCandidate } from "../../core/review/candidate.ts";

/**
 * What workers do, by name: functions of core, pure, whose input somebody else sizes. To add one, name it here and call
 * `parts.workers.run(NAME, INPUT, {lane, signal})`. Input and answer are copied, so they hold data only.
 */
export const TASKS = {
  /** What merging a change would do. */
  review: reviewCandidate,
} satisfies Tasks;
