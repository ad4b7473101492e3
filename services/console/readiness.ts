import type { Need, Trouble } from "../health.ts";
import type { NotReady } from "../service.ts";

/** What /readyz says of each thing that is away. */
const NEED_WORDS: Readonly<Record<Need, string>> = {
  store: "the store is away",
  queue: "the queue is away",
  log: "the log is away",
  definitions: "the definitions in force are away",
};

/**
 * Why a process is not ready, a line each. Whoever has no token hears kinds and counts: names of clusters, addresses and paths are
 * nobody's business who may not read `status`.
 */
export function readinessLines(troubles: readonly Trouble[], reasons: readonly NotReady[], mayRead: boolean): readonly string[] {
  return [
    ...troubles.map(({ need, error }) => `${NEED_WORDS[need]}: ${error.code}${mayRead ? `: ${error.message}` : ""}`),
    ...reasons.map(({ brief, detail }) => (mayRead && detail !== undefined ? detail : brief)),
  ];
}
