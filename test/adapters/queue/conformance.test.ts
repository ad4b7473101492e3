import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openQueue, openQueueEventually } from "../../../adapters/queue/index.ts";
import type { Handler, Queue, QueueLocation } from "../../../adapters/queue/index.ts";
import { openStore } from "../../../adapters/store/index.ts";
import type { Store } from "../../../adapters/store/index.ts";
import { startPostgres } from "../../support/postgres-fixture.ts";
import { startRedis } from "../../support/redis-fixture.ts";
import type { RedisFixture } from "../../support/redis-fixture.ts";
import { until } from "../../support/until.ts";

/** A promise that the test settles. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: () => resolve() };
}

describe.each(["embedded", "postgres", "redis"] as const)("queue (%s)", (kind) => {
  let location: QueueLocation;
  let redis: RedisFixture | undefined;
  let store: Store | undefined;
  const cleanup = new AsyncDisposableStack();
  const open: Queue[] = [];
  const reports: string[] = [];

  beforeAll(async () => {
    const signal = AbortSignal.timeout(60_000);
    if (kind === "embedded") {
      const folder = cleanup.adopt(mkdtempSync(join(tmpdir(), "fb-queue-")), (path) =>
        rmSync(path, { recursive: true, force: true }),
      );
      store = cleanup.use(await openStore({ kind, folder }, { signal }));
      if (store.session === undefined) throw new Error("no session");
      location = { kind, session: store.session };
    } else if (kind === "postgres") {
      location = { kind, url: cleanup.use(await startPostgres()).url };
    } else {
      redis = cleanup.use(await startRedis());
      location = { kind, url: redis.url };
    }
  });

  afterEach(async () => {
    for (const queue of open.splice(0)) await queue.close();
    reports.length = 0;
  });

  afterAll(() => cleanup.disposeAsync());

  async function start(handler?: Handler, concurrency = 4): Promise<Queue> {
    const queue = await openQueue(location, { signal: AbortSignal.timeout(60_000), report: (event) => reports.push(event) });
    open.push(queue);
    if (handler !== undefined) await queue.process(handler, { concurrency });
    return queue;
  }

  test("adds while a job waits or runs give one more run, never two at once (would catch: a revision added during a run lost)", async () => {
    const runs: string[] = [];
    let active = 0;
    let most = 0;
    const first = gate();
    const queue = await start(async (target) => {
      active += 1;
      most = Math.max(most, active);
      runs.push(target);
      if (runs.length === 1) await first.opened;
      active -= 1;
    });
    await queue.enqueue("cluster/a");
    await until(() => runs.length === 1);
    for (let n = 0; n < 5; n += 1) await queue.enqueue("cluster/a");
    first.open();
    await until(() => runs.length === 2 && active === 0);
    await queue.enqueue("cluster/a");
    await until(() => runs.length === 3 && active === 0);
    expect(most).toBe(1);
  });

  test("different targets run side by side up to the limit (would catch: one slow target that stops all)", async () => {
    const hold = gate();
    const active = new Set<string>();
    let most = 0;
    const done: string[] = [];
    const queue = await start(async (target) => {
      active.add(target);
      most = Math.max(most, active.size);
      await hold.opened;
      active.delete(target);
      done.push(target);
    }, 3);
    for (const name of ["a", "b", "c", "d", "e"]) await queue.enqueue(`host/f/${name}`);
    await until(() => active.size === 3);
    hold.open();
    await until(() => done.length === 5);
    expect(most).toBe(3);
  });

  test("a handler that throws is reported and not run again by itself, and the target can be added again at once", async () => {
    let runs = 0;
    const queue = await start(() => {
      runs += 1;
      return Promise.reject(new Error("no"));
    });
    await queue.enqueue("cluster/a");
    await until(() => reports.includes("handler-failed"));
    const other = gate();
    await queue.enqueue("cluster/a");
    await until(() => runs === 2);
    other.open();
  });

  test("closing tells running handlers to stop and waits for them (would catch: a write after the service said it stopped)", async () => {
    let stopped = false;
    let started = false;
    const queue = await start(async (_target, signal) => {
      started = true;
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      stopped = true;
    });
    await queue.enqueue("cluster/a");
    await until(() => started);
    await queue.close();
    expect(stopped).toBe(true);
  });

  test("one queue, two processes' workers: still one active job per target", async () => {
    if (kind === "embedded") {
      // One process has the folder; a second worker on it cannot be.
      expect(location.kind).toBe("embedded");
      return;
    }
    let active = 0;
    let most = 0;
    let runs = 0;
    const handler: Handler = async () => {
      active += 1;
      most = Math.max(most, active);
      await new Promise((resolve) => setImmediate(resolve));
      active -= 1;
      runs += 1;
    };
    const one = await start(handler);
    const two = await start(handler);
    for (let n = 0; n < 30; n += 1) await (n % 2 ? one : two).enqueue("cluster/a");
    await until(() => runs > 0 && active === 0);
    expect(most).toBe(1);
  });

  test("the job of a process that was killed is taken over (would catch: a target nobody reconciles any more)", async () => {
    if (kind === "embedded") {
      // The process that has the folder died with its jobs; the next one starts with an empty queue and its sweep.
      const queue = await start();
      await queue.enqueue("cluster/dead");
      await queue.close();
      const runs: string[] = [];
      const next = await start((target) => Promise.resolve(void runs.push(target)));
      await next.enqueue("cluster/dead");
      await until(() => runs.length === 1);
      return;
    }
    const source = `
      import { openQueue } from ${JSON.stringify(join(import.meta.dirname, "../../../adapters/queue/index.ts"))};
      const queue = await openQueue(${JSON.stringify(location)}, { signal: AbortSignal.timeout(60000) });
      await queue.process(() => { console.log("started"); return new Promise(() => {}); }, { concurrency: 1 });
      await queue.enqueue("cluster/killed");`;
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", source], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    const runs: string[] = [];
    const queue = await start((target) => Promise.resolve(void runs.push(target)));
    await queue.enqueue("cluster/killed");
    await until(() => runs.includes("cluster/killed"), 60_000);
  });

  test("a Redis emptied while a job runs costs the job's record, nothing else", async () => {
    if (redis === undefined) {
      expect(kind).not.toBe("redis");
      return;
    }
    const runs: string[] = [];
    const hold = gate();
    const queue = await start(async (target) => {
      runs.push(target);
      if (runs.length === 1) await hold.opened;
    });
    await queue.enqueue("cluster/a");
    await until(() => runs.length === 1);
    await queue.enqueue("cluster/b");
    await redis.flushAll();
    hold.open();
    // What the sweep does every 5 s.
    await until(async () => {
      await queue.enqueue("cluster/a");
      await queue.enqueue("cluster/b");
      return runs.filter((target) => target === "cluster/a").length >= 2 && runs.includes("cluster/b");
    }, 30_000);
  });
});

test("a Redis that may evict jobs is refused, and says what to set", async () => {
  await using server = await startRedis(["--maxmemory-policy", "allkeys-lru"]);
  await expect(openQueue({ kind: "redis", url: server.url }, { signal: AbortSignal.timeout(10_000) })).rejects.toMatchObject({
    code: "CONFIG_INVALID",
    message: expect.stringContaining("noeviction") as string,
  });
});

test("a Redis that went away comes back, and closing without it ends (would catch: a process that cannot stop)", async () => {
  const server = await startRedis();
  const runs: string[] = [];
  const queue = await openQueue({ kind: "redis", url: server.url }, { signal: AbortSignal.timeout(10_000) });
  await queue.process((target) => Promise.resolve(void runs.push(target)), { concurrency: 1 });
  await queue.enqueue("cluster/a");
  await until(() => runs.length === 1);
  await server[Symbol.asyncDispose]();
  await expect(queue.enqueue("cluster/a")).rejects.toMatchObject({ code: "QUEUE_UNAVAILABLE" });
  await using again = await startRedis([], Number(new URL(server.url).port));
  expect(again.url).toBe(server.url);
  await until(
    () =>
      queue.enqueue("cluster/a").then(
        () => runs.length > 1,
        () => false,
      ),
    20_000,
  );
  await again[Symbol.asyncDispose]();
  await queue.close();
});

test("broken connections to Postgres cost time only (would catch: a worker that never hears of jobs again)", async () => {
  await using server = await startPostgres();
  const runs: string[] = [];
  const queue = await openQueue({ kind: "postgres", url: server.url }, { signal: AbortSignal.timeout(60_000) });
  await queue.process((target) => Promise.resolve(void runs.push(target)), { concurrency: 1 });
  await queue.enqueue("cluster/a");
  await until(() => runs.length === 1);
  await server.breakConnections();
  await until(
    () =>
      queue.enqueue("cluster/b").then(
        () => runs.includes("cluster/b"),
        () => false,
      ),
    30_000,
  );
  await queue.close();
});

test("a Redis that is away is QUEUE_UNAVAILABLE at once, both opening and adding (would catch: a service that hangs)", async () => {
  await expect(
    openQueue({ kind: "redis", url: "redis://127.0.0.1:1" }, { signal: AbortSignal.timeout(10_000) }),
  ).rejects.toMatchObject({ code: "QUEUE_UNAVAILABLE" });
  const server = await startRedis();
  const queue = await openQueue({ kind: "redis", url: server.url }, { signal: AbortSignal.timeout(10_000) });
  await server[Symbol.asyncDispose]();
  await expect(queue.enqueue("cluster/a")).rejects.toMatchObject({ code: "QUEUE_UNAVAILABLE" });
  await queue.close();
});

test("a process starts while its Redis is away, and runs jobs once it is there (would catch: a console that ends with its Redis)", async () => {
  const server = await startRedis();
  const port = Number(new URL(server.url).port);
  await server[Symbol.asyncDispose]();
  const runs: string[] = [];
  const queue = await openQueueEventually({ kind: "redis", url: server.url }, { signal: AbortSignal.timeout(60_000) });
  await queue.reset();
  await queue.process((target) => Promise.resolve(void runs.push(target)), { concurrency: 1 });
  await expect(queue.enqueue("cluster/a")).rejects.toMatchObject({ code: "QUEUE_UNAVAILABLE" });
  await using again = await startRedis([], port);
  expect(again.url).toBe(server.url);
  await until(
    () =>
      queue.enqueue("cluster/a").then(
        () => runs.length > 0,
        () => false,
      ),
    20_000,
  );
  await queue.close();
});

test.each(["redis", "postgres"] as const)(
  "a job that a killed process was running on %s does not wait for its lock once the queue was emptied (would catch: 15 s in which a target is not written)",
  async (kind) => {
    await using server = kind === "redis" ? await startRedis() : await startPostgres();
    const script =
      `import { openQueue } from ${JSON.stringify(join(import.meta.dirname, "../../../adapters/queue/index.ts"))};` +
      `const queue = await openQueue({ kind: ${JSON.stringify(kind)}, url: ${JSON.stringify(server.url)} }, { signal: AbortSignal.timeout(60000) });` +
      `await queue.process(async () => { console.log("runs"); await new Promise((r) => setTimeout(r, 1e6)); }, { concurrency: 1 });` +
      `await queue.enqueue("cluster/a");`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      await once(child.stdout, "data");
    } finally {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    const runs: string[] = [];
    const taken: string[] = [];
    const report = (event: string): void => void taken.push(event);
    const queue = await openQueue({ kind, url: server.url }, { signal: AbortSignal.timeout(60_000), report });
    await queue.reset();
    await queue.process((target) => Promise.resolve(void runs.push(target)), { concurrency: 1 });
    await queue.enqueue("cluster/a");
    await until(() => runs.length > 0, 20_000);
    expect(taken).not.toContain("job-taken-over");
    await queue.close();
  },
);
