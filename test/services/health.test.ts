/** The console on a real Postgres and Redis that go away and come back: what it says of itself. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { API, type StatusAnswer } from "../../core/api/shapes.ts";
import { SettingsSchema } from "../../core/config/settings-schema.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { describeError } from "../../cli/report-error.ts";
import { runServices } from "../../services/run.ts";
import { storedError } from "../../services/stored-error.ts";
import { freePort } from "../../testbed/ports.ts";
import { startPostgres, type TestPostgres } from "../../testbed/postgres.ts";
import { startRedis, type TestRedis } from "../../testbed/redis.ts";
import { openRun, type Run } from "../../testbed/run.ts";
import { until } from "../support/until.ts";

const TOKEN = "health-token";
const PATIENCE_MS = 60_000;

let run: Run;
let postgres: TestPostgres;
let redis: TestRedis;
let folder: string;
const stop = new AbortController();
const running: Promise<void>[] = [];
const ports = new Map<string, number>();

beforeAll(async () => {
  run = openRun();
  [postgres, redis] = await Promise.all([startPostgres({ run }), startRedis({ run })]);
  folder = mkdtempSync(join(tmpdir(), "fb-health-"));
  for (const role of ["console", "drift"] as const) await start(role);
});

afterAll(async () => {
  stop.abort();
  await Promise.allSettled(running);
  await run?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function start(role: "console" | "drift"): Promise<void> {
  const port = await freePort();
  ports.set(role, port);
  const settings = SettingsSchema.parse({
    stateFolder: join(folder, role),
    repository: { url: "http://127.0.0.1:9/policies.git" },
    database: "env:DATABASE",
    redis: "env:REDIS",
    api: { token: "env:TOKEN" },
    listen: `127.0.0.1:${port}`,
    logLevel: "error",
  });
  const started = Promise.withResolvers<void>();
  const environment = { DATABASE: postgres.url, REDIS: redis.url, TOKEN };
  const done = runServices(settings, [role], { signal: stop.signal, environment, onStarted: started.resolve });
  running.push(done);
  await Promise.race([started.promise, done]);
}

async function get(role: string, path: string): Promise<{ readonly code: number; readonly text: string }> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const response = await fetch(`http://127.0.0.1:${ports.get(role)}${path}`, { headers });
  return { code: response.status, text: await response.text() };
}

async function troubles(): Promise<readonly string[]> {
  const status = JSON.parse((await get("console", API.status)).text) as StatusAnswer;
  return status.troubles.map(({ service, error }) => `${service} ${error.code}`);
}

describe("what a process says that it lacks", () => {
  // Bug: nothing was repaired any more, every process was ready, and no cause was named anywhere.
  it("Redis away: who needs it is not ready, status and metrics name it, and it is over by itself", async () => {
    await redis.stop();
    await until(async () => (await get("drift", "/readyz")).text.includes("the queue is away: QUEUE_UNAVAILABLE"), PATIENCE_MS);
    expect((await get("drift", "/readyz")).code).toBe(503);
    await until(async () => (await troubles()).includes("drift QUEUE_UNAVAILABLE"), PATIENCE_MS);
    const { text } = await get("drift", "/metrics");
    expect(text).toContain('firebreak_trouble{need="queue"} 1');
    // Bug: a process that is held for seconds looks as well as any other.
    expect(text).toContain("firebreak_nodejs_eventloop_lag_max_seconds");
    // Whoever only reads the store can still answer.
    expect((await get("console", "/readyz")).code).toBe(200);

    await redis.start();
    await until(async () => !(await get("drift", "/readyz")).text.includes("the queue is away"), PATIENCE_MS);
    await until(async () => !(await troubles()).includes("drift QUEUE_UNAVAILABLE"), PATIENCE_MS);
  });

  // Bug: /readyz of the console was 200 while every call of the API answered 503.
  it("Postgres away: nobody is ready, metrics say why, and it is over by itself", async () => {
    await postgres.stop();
    await until(async () => (await get("console", "/readyz")).code === 503, PATIENCE_MS);
    expect((await get("console", "/readyz")).text).toContain("the store is away: STORE_UNAVAILABLE");
    expect((await get("console", API.status)).code).toBe(503);
    const metrics = await get("console", "/metrics");
    expect([metrics.code, metrics.text.includes('firebreak_trouble{need="store"} 1')]).toEqual([200, true]);

    await postgres.start();
    await until(async () => (await get("console", "/readyz")).code === 200, PATIENCE_MS);
    await until(async () => (await get("console", API.status)).code === 200, PATIENCE_MS);
  });

  // Bug: a metric is renamed, and the alert or the panel that users copied is silent for ever.
  it.each([
    ["alerts.yml", /^\s+expr: (.*)$/gm, 8],
    ["dashboard.json", /^\s+"expr": (.*)$/gm, 12],
  ])("every metric that %s names is there, and is what it is taken for", async (file, expressions, atLeast) => {
    const copied = readFileSync(join(import.meta.dirname, "../../workflows/monitoring", file), "utf8");
    const named = new Set([...copied.matchAll(expressions)].flatMap(([, expr = ""]) => expr.match(/\bfirebreak_\w+/g) ?? []));
    expect(named.size).toBeGreaterThan(atLeast);
    const { text } = await get("console", "/metrics");
    const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", type = ""]) => [name, type]));
    expect([...named].filter((name) => !types.has(name))).toEqual([]);
    // A rate of a gauge is nonsense, and a counter as it is only ever rises.
    const rated = new Set([...copied.matchAll(/\b(?:rate|irate|increase)\((firebreak_\w+)/g)].map(([, name = ""]) => name));
    const wrong = [...named].filter((name) => types.get(name) !== (rated.has(name) ? "counter" : "gauge"));
    expect(wrong.map((name) => `${name} is a ${types.get(name)}`)).toEqual([]);
  });

  it("a service that never came, and one that is gone: status says that nobody works", async () => {
    await until(async () => (await troubles()).includes("syncer SERVICE_SILENT"), PATIENCE_MS);
    expect(await troubles()).not.toContain("drift SERVICE_SILENT");
  });
});

describe("an error as people read it", () => {
  const full = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC", syscall: "write" });

  // Bug: a full disk was told as a mistake in Firebreak.
  it("says that a disk is full, however deep that lies", () => {
    expect(storedError(new Error("read the branch", { cause: full }))).toEqual({
      code: "DISK_UNAVAILABLE",
      message: "read the branch: no space left on device, write",
    });
    expect(storedError(full).code).toBe("DISK_UNAVAILABLE");
    // On the way out, too: a service that starts on a full disk is no mistake in Firebreak, and shows no stack.
    const said = describeError(new Error("open the store", { cause: full }));
    expect(said).toMatch(
      /^error DISK_UNAVAILABLE: open the store\n {2}because ENOSPC: no space left on device, write\nnext: A disk/,
    );
    expect(said).not.toContain("    at ");
  });

  it("keeps a code that says more, and calls a mistake of ours one", () => {
    expect(storedError(new FirebreakError("AUDIT_UNAVAILABLE", "append", { cause: full })).code).toBe("AUDIT_UNAVAILABLE");
    expect(storedError(new Error("undefined is not a function")).code).toBe("PLAN_INVARIANT_BROKEN");
  });

  // Bug: a service that starts on a folder that takes no new files told people of a mistake in Firebreak.
  it("a folder that takes no files is the machine's; a signal or a program that is not allowed is not", () => {
    const refused = (code: string, syscall: string): Error => Object.assign(new Error(`${code}: ${syscall}`), { code, syscall });
    expect(storedError(refused("EPERM", "open")).code).toBe("DISK_UNAVAILABLE");
    expect(storedError(refused("EACCES", "mkdir")).code).toBe("DISK_UNAVAILABLE");
    expect(storedError(refused("EPERM", "kill")).code).toBe("PLAN_INVARIANT_BROKEN");
    expect(storedError(refused("EACCES", "spawn ssh")).code).toBe("PLAN_INVARIANT_BROKEN");
  });
});
