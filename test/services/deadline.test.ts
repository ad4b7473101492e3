/** How long somebody is waited for who may be slow, while this process may be, too. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { inTime } from "../../services/deadline.ts";

const late = (): Error => new Error("too slow");

/** Holds this thread, as a machine does that gives it no processor. */
function hold(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

// Would catch: a machine at a load of 17 makes /readyz say that the log's disk is away.
it("what has come while this process did not run is in time", async () => {
  const answer = nextTurn("answer"); // there as soon as this process looks
  const waited = inTime(answer, 20, late);
  hold(100);
  expect(await waited).toBe("answer");
});

it("whoever has not answered by then gets the time once more when this process did not run, and only then", async () => {
  const never = new Promise<never>(() => undefined);
  await expect(inTime(never, 20, late)).rejects.toThrow("too slow");

  const { promise, resolve } = Promise.withResolvers<string>();
  const waited = inTime(promise, 20, late);
  hold(700);
  // After the first timer and whatever it led to, and before a second one can have led to anything.
  await nextTurn();
  await nextTurn();
  resolve("at last");
  expect(await waited).toBe("at last");
});

it("a failure passes as it is", async () => {
  await expect(inTime(Promise.reject(new Error("full")), 1_000, late)).rejects.toThrow("full");
});
