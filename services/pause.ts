import { setTimeout as sleep } from "node:timers/promises";

/** Waits that long. @throws the signal's reason when it aborts first */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
