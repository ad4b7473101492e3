import { setImmediate as nextTurn } from "node:timers/promises";

/** A timer that goes off this much after its time says that this process did not run, and nothing of whoever is waited for. */
const HELD_UP_MS = 500;

/**
 * Waits for work, and at most that long; then `late()` is thrown. Time in which this process did not run (a busy machine, SIGSTOP) is not held
 * against whoever is waited for: what has come meanwhile counts, and what has not is given the time once more.
 */
export async function inTime<T>(work: Promise<T>, patienceMs: number, late: () => Error): Promise<T> {
  const over = new AbortController();
  try {
    return await Promise.race([work, lateness(patienceMs, late, over.signal)]);
  } finally {
    over.abort();
    work.catch(() => undefined); // told above, or too late to be told
  }
}

async function lateness(patienceMs: number, late: () => Error, over: AbortSignal): Promise<never> {
  const heldUp = await elapse(patienceMs, over);
  if (heldUp > HELD_UP_MS && !over.aborted) await elapse(patienceMs, over);
  throw late();
}

/** @returns how much later than that it was */
async function elapse(ms: number, over: AbortSignal): Promise<number> {
  const since = performance.now();
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  over.addEventListener("abort", () => clearTimeout(timer), { once: true });
  await promise;
  const heldUp = performance.now() - since - ms;
  await nextTurn(); // timers come before answers that are there already
  return heldUp;
}
