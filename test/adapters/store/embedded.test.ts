import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { addWork, listOpenWork, lockStateFolder, openStore } from "../../../adapters/store/index.ts";
import { until } from "../../support/until.ts";

let folder: string;
let options: { readonly signal: AbortSignal };

beforeEach(() => {
  options = { signal: AbortSignal.timeout(60_000) };
  folder = mkdtempSync(join(tmpdir(), "fb-embedded-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

test("a second open is refused and names the pid; closing gives the folder back, with everything in it", async () => {
  const store = await openStore({ kind: "embedded", folder }, options);
  await expect(openStore({ kind: "embedded", folder }, options)).rejects.toMatchObject({
    code: "STATE_LOCKED",
    message: expect.stringContaining(`process ${process.pid} `) as string,
  });
  await addWork(store, [{ target: "cluster/a", kind: "start", detail: null }], 1);
  await store.close();
  await store.close();
  await using again = await openStore({ kind: "embedded", folder }, options);
  expect(again.recovered).toBe(false);
  expect(await listOpenWork(again)).toHaveLength(1);
});

test("an unreadable database is moved aside, said aloud, and replaced (would catch: a service that never starts again)", async () => {
  await (await openStore({ kind: "embedded", folder }, options)).close();
  const control = openSync(join(folder, "store", "global", "pg_control"), "r+");
  ftruncateSync(control, 10);
  closeSync(control);
  const reports: string[] = [];
  await using store = await openStore({ kind: "embedded", folder }, { ...options, report: (event) => reports.push(event) });
  expect(store.recovered).toBe(true);
  expect(reports).toEqual(["recovered"]);
  expect(readdirSync(folder).filter((name) => name.startsWith("store.corrupt-"))).toHaveLength(1);
  await addWork(store, [{ target: "cluster/a", kind: "start", detail: null }], 1);
});

test("a database that was killed in the middle of writing opens again (would catch: trust in files nobody synced)", async () => {
  const child = startChild(`
    import { openStore, addWork } from ${JSON.stringify(join(import.meta.dirname, "../../../adapters/store/index.ts"))};
    const store = await openStore({ kind: "embedded", folder: ${JSON.stringify(folder)} }, { signal: AbortSignal.timeout(60000) });
    for (let n = 0; ; n += 1) { await addWork(store, [{ target: "t" + n, kind: "start", detail: null }], 1); if (n === 200) console.log("enough"); }`);
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
  await using store = await openStore({ kind: "embedded", folder }, options);
  await addWork(store, [{ target: "cluster/a", kind: "start", detail: null }], 1);
  expect((await listOpenWork(store)).length).toBeGreaterThan(0);
});

test("a dead owner's lock is taken over, by exactly one of several (would catch: two writers after a crash)", async () => {
  const child = startChild(`
    import { lockStateFolder } from ${JSON.stringify(join(import.meta.dirname, "../../../adapters/store/lock.ts"))};
    await lockStateFolder(${JSON.stringify(folder)}); console.log("held"); setInterval(() => {}, 1000);`);
  await once(child.stdout, "data");
  await expect(lockStateFolder(folder)).rejects.toMatchObject({
    code: "STATE_LOCKED",
    message: expect.stringContaining(`process ${child.pid} `) as string,
  });
  child.kill("SIGKILL");
  await once(child, "exit");
  const taken = await Promise.allSettled(Array.from({ length: 8 }, () => lockStateFolder(folder)));
  const held = taken.filter((result) => result.status === "fulfilled");
  expect(held).toHaveLength(1);
  for (const { value } of held) await value[Symbol.asyncDispose]();
  expect(readdirSync(folder)).toEqual([]);
});

test("a pid that now belongs to another process does not hold the folder (would catch: locked for ever after a reboot)", async () => {
  await using held = await lockStateFolder(folder);
  expect(held).toBeDefined();
  const path = join(folder, "lock");
  const owner = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  expect(statSync(path).mode & 0o777).toBe(0o600);
  writeFileSync(path, JSON.stringify({ ...owner, startedAt: "1", token: "other" }));
  await (await lockStateFolder(folder))[Symbol.asyncDispose]();
  writeFileSync(path, "");
  await (await lockStateFolder(folder))[Symbol.asyncDispose]();
});

test("an owner in another container holds the folder while it touches its lock (would catch: pid 1 mistaken for ourselves)", async () => {
  const path = join(folder, "lock");
  const foreign = { pid: 1, startedAt: "5", world: "other-boot pid:[1]", host: "elsewhere", token: "t" };
  writeFileSync(path, JSON.stringify(foreign));
  await expect(lockStateFolder(folder)).rejects.toMatchObject({
    code: "STATE_LOCKED",
    message: expect.stringContaining("elsewhere") as string,
  });
  const { utimesSync } = await import("node:fs");
  const longAgo = new Date(Date.now() - 60_000);
  utimesSync(path, longAgo, longAgo);
  await (await lockStateFolder(folder))[Symbol.asyncDispose]();
  await until(() => readdirSync(folder).length === 0);
});

function startChild(source: string) {
  return spawn(process.execPath, ["--input-type=module-typescript", "-e", source], { stdio: ["ignore", "pipe", "inherit"] });
}
