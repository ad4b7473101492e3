import { afterEach, beforeEach, expect, test } from "vitest";
import { FirebreakError } from "../../../core/ground/error.ts";
import { isOverBudget, overBudgetText, WorkerPool } from "../../../adapters/workers/index.ts";
import type { TASKS } from "./tasks-fixture.ts";

const { signal } = new AbortController();
const LANE = { memoryMb: 400, cpuMs: 60_000, deadlineMs: 600_000, queue: 2 };

let pool: WorkerPool<typeof TASKS, "one" | "other">;

beforeEach(() => {
  pool = new WorkerPool({ entry: new URL("./worker-fixture.ts", import.meta.url), lanes: { one: LANE, other: LANE } });
});

afterEach(async () => await pool[Symbol.asyncDispose]());

// Bug: what does not survive JSON (Maps, absent fields, bytes, big integers) comes back as something else.
test("input and answer are the same data on both sides", async () => {
  const value = {
    map: new Map([["a", { set: new Set([1, 2]), none: undefined }]]),
    bytes: new Uint8Array([0, 255]),
    big: 2n ** 100n,
    many: Array.from({ length: 1_000 }, (_, index) => ({ index, tags: [`t${index}`] })),
    manyKeys: new Map(Array.from({ length: 500 }, (_, index) => [`k${index}`, [index]])),
  };
  expect(await pool.run("echo", value, { lane: "one", signal })).toEqual({ kind: "done", value });
});

// Bug: an input without end occupies the worker for ever, or its process goes on after the deadline.
test("a task that does not end is ended, and the next one is done", async () => {
  const byClock = await pool.run("spin", undefined, { lane: "one", signal, limits: { cpuMs: 60_000, deadlineMs: 300 } });
  expect(byClock).toEqual({ kind: "timed-out", afterMs: 300 });
  const byProcessor = await pool.run("spin", undefined, { lane: "one", signal, limits: { cpuMs: 1_000, deadlineMs: 600_000 } });
  expect(byProcessor).toEqual({ kind: "timed-out", afterMs: 1_000 });
  expect(isOverBudget(byProcessor) && overBudgetText(byProcessor)).toBe("too large: it took more than 1 s");
  expect(await pool.run("echo", 1, { lane: "one", signal })).toEqual({ kind: "done", value: 1 });
});

// Bug: a growing Map ends the process of the service, as it does in a thread; or buffers, which no heap limit counts, do.
test.each(["grow", "growMap", "growBuffers"] as const)(
  "a task that takes all memory (%s) is ended, and the next one is done",
  async (task) => {
    expect(await pool.run(task, undefined, { lane: "one", signal })).toEqual({ kind: "out-of-memory", limitMb: 400 });
    expect(await pool.run("echo", 1, { lane: "one", signal })).toEqual({ kind: "done", value: 1 });
  },
);

// Bug: an error loses its code, so that what a person must mend is tried again for ever; a limit reads as a fault of ours.
test("a task's errors keep their code; a limit is too large", async () => {
  const failed = await pool.run("fail", { code: "NOT_FOUND" }, { lane: "one", signal });
  expect(failed.kind === "failed" && failed.error).toBeInstanceOf(FirebreakError);
  expect(failed).toMatchObject({ kind: "failed", error: { code: "NOT_FOUND", message: "asked for" } });
  expect(await pool.run("fail", { code: undefined }, { lane: "one", signal })).toMatchObject({
    kind: "failed",
    error: { code: "PLAN_INVARIANT_BROKEN", message: "a worker failed: asked for" },
  });
  expect(await pool.run("fail", { code: "LIMIT_EXCEEDED" }, { lane: "one", signal })).toEqual({
    kind: "too-large",
    why: "asked for",
  });
});

// Bug: a worker that died without a word (a crash, a kill) leaves whoever asked waiting.
test("a worker that goes away while it works is told", async () => {
  expect(await pool.run("exit", 7, { lane: "one", signal })).toMatchObject({ kind: "failed" });
  expect(await pool.run("echo", 1, { lane: "one", signal })).toEqual({ kind: "done", value: 1 });
});

// Bug: a stop of the service waits for a computation; or what was cancelled counts as answered.
test("cancelling ends the work at once", async () => {
  const stop = new AbortController();
  const running = pool.run("spin", undefined, { lane: "one", signal: stop.signal });
  stop.abort(new Error("enough"));
  await expect(running).rejects.toThrow("enough");
});

// Bug: one stranger's work delays everybody's; or a flood of tasks is kept in memory.
test("lanes do not wait for one another, and take only so much", async () => {
  const stop = new AbortController();
  const busy = Array.from({ length: 3 }, async () => await pool.run("spin", undefined, { lane: "one", signal: stop.signal }));
  await expect(pool.run("echo", 1, { lane: "one", signal })).rejects.toMatchObject({ code: "TARGET_LOCKED" });
  expect(await pool.run("echo", 2, { lane: "other", signal })).toEqual({ kind: "done", value: 2 });
  stop.abort();
  expect((await Promise.allSettled(busy)).map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
});

// Bug: a secret of the service's environment is where strangers' input is parsed.
test("a worker knows nothing of the environment", async () => {
  process.env["FIREBREAK_TEST_SECRET"] = "hunter2";
  try {
    const outcome = await pool.run("environment", undefined, { lane: "one", signal });
    expect(outcome.kind === "done" && outcome.value).not.toContain("FIREBREAK_TEST_SECRET");
  } finally {
    delete process.env["FIREBREAK_TEST_SECRET"];
  }
});

// Bug: 3,000 segments travel with every plan; a task works on what an earlier commit said, or on nothing where something was forgotten.
test("what an input keeps travels once, until something else has its name or no input names it", async () => {
  const [first, second] = [{ said: [1] }, { said: [2] }];
  const ask = async (kept: Readonly<Record<string, object>>) => {
    const outcome = await pool.run("keeping", { kept, asked: 1 }, { lane: "one", signal });
    expect(outcome).toMatchObject({ kind: "done", value: { kept, asked: 1 } });
    return outcome.kind === "done" && outcome.value.isSame;
  };
  expect(await ask({ one: first })).toBe(false);
  expect(await ask({ one: first, other: second })).toBe(true);
  expect(await ask({ one: second })).toBe(false);
  expect(await ask({ one: second, other: second })).toBe(true);
  await pool.run("echo", 1, { lane: "one", signal });
  expect(await ask({ one: second })).toBe(true);
  await pool.run("spin", undefined, { lane: "one", signal, limits: { cpuMs: 60_000, deadlineMs: 300 } });
  expect(await ask({ one: second })).toBe(false); // another process
});
