/** Waiting for a condition: the test bed never sleeps for a fixed time. */
import { setTimeout as delay } from "node:timers/promises";

/** How long, how often, and what for (the words of the error). */
export interface WaitOptions {
  readonly what: string;
  readonly timeoutMs?: number;
  readonly everyMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Calls `condition` until it returns something other than undefined or false, and returns that.
 * A condition that throws is not there yet; its last error is the cause when time is up. An aborted signal ends it at once.
 *
 * @example const uid = await waitFor(() => readUid(), { what: "the API server answers", timeoutMs: 30_000 });
 */
export async function waitFor<T>(
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  { what, timeoutMs = 30_000, everyMs = 25, signal }: WaitOptions,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    let cause: unknown;
    try {
      const value = await condition();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      if (error instanceof Gone) throw error;
      cause = error;
    }
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms until ${what}`, { cause });
    await delay(everyMs, undefined, { signal });
  }
}

/** Thrown inside a condition that can no longer become true (a process that ended): waiting stops at once. */
export class Gone extends Error {
  override readonly name = "Gone";
}
