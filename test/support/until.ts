import { setTimeout as sleep } from "node:timers/promises";

/** Waits for a condition, looking every 20 ms; fails when it does not hold in time. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for: ${condition.toString()}`);
    await sleep(20);
  }
}
