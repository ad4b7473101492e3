import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WorkerPool } from "../../adapters/workers/index.ts";
import type { TASKS } from "../../services/workers/tasks.ts";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");

let folder: string;

/** Packs as `npm publish` would and installs the tarball, with its dependencies, into an empty project. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "firebreak-pack-"));
  await run("npm", ["pack", "--pack-destination", folder, "--loglevel=error"], { cwd: root });
  const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz")) ?? "";
  await writeFile(join(folder, "package.json"), '{"private": true}\n');
  const quiet = ["--loglevel=error", "--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts"];
  await run("npm", ["install", ...quiet, join(folder, tarball)], { cwd: folder });
  await cp(join(root, "policies", "example"), join(folder, "policies"), { recursive: true });
}, 300_000);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Runs the installed `firebreak`, under the Node that runs this test, away from the checkout. */
async function firebreak(...args: readonly string[]): Promise<{ readonly stdout: string; readonly code: number }> {
  const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, HOME: folder };
  try {
    const { stdout } = await run(join(folder, "node_modules", ".bin", "firebreak"), args, { cwd: folder, env });
    return { stdout, code: 0 };
  } catch (error) {
    const failed = error as { readonly stdout: string; readonly code: number };
    return { stdout: failed.stdout, code: failed.code };
  }
}

// Bug: TypeScript in the tarball, which Node refuses under node_modules; or a file the CLI reads is not packed.
test("the packed firebreak validates the example, and finds a mistake in it", async () => {
  expect((await firebreak("validate", "policies")).code).toBe(0);
  await writeFile(
    join(folder, "policies", "mistake.yaml"),
    "apiVersion: firebreak.dev/v1alpha1\nkind: Segmnt\nmetadata: {name: x}\nspec: {}\n",
  );
  const { stdout, code } = await firebreak("validate", "policies");
  expect(code).toBe(1);
  expect(stdout).toContain("mistake.yaml:2");
});

// Bug: an old Node ends in a stack trace about syntax or a missing export.
test("the packed firebreak says which Node it needs, in one sentence", async () => {
  const old = 'data:text/javascript,Object.defineProperty(process.versions,"node",{value:"20.20.2"})';
  const entry = join(folder, "node_modules", "firebreak", "dist", "firebreak.js");
  const failed = await run(process.execPath, ["--import", old, entry, "validate", "policies"], { cwd: folder }).catch(
    (error: unknown) => error as { readonly code: number; readonly stderr: string },
  );
  expect(failed).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^firebreak needs Node 24 or newer, and this is [^\n]+\n$/),
  });
});

// Bug: `firebreak --version` answers with whatever package.json happens to be above the bundle.
test("the packed firebreak knows its version", async () => {
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { readonly version: string };
  expect((await firebreak("--version")).stdout.trim()).toBe(version);
});

// Bug: the packed service has no worker to plan with, or looks for it where it is not: every pull request fails.
test("the packed worker plans, and lies beside all code that looks for it", async () => {
  const dist = join(folder, "node_modules", "firebreak", "dist");
  const entries = await readdir(dist, { withFileTypes: true });
  expect(entries.filter((entry) => !entry.isFile())).toEqual([]);
  const lane = { memoryMb: 512, cpuMs: 60_000, deadlineMs: 60_000, queue: 1 };
  await using pool = new WorkerPool<typeof TASKS, "one">({ entry: pathToFileURL(join(dist, "worker.js")), lanes: { one: lane } });
  const bytes = new TextEncoder().encode("apiVersion: firebreak.dev/v1alpha1\nkind: Segmnt\nmetadata: {name: x}\nspec: {}\n");
  const files = [{ path: "a.yaml", bytes, mode: "100644" }];
  const operator = { floor: { from: [], ports: [] }, ownPaths: [] };
  const candidate = { common: [], base: [], head: files, allow: undefined, before: undefined, now: 0, operator, live: undefined };
  const outcome = await pool.run("review", candidate, { lane: "one", signal: AbortSignal.timeout(60_000) });
  expect(outcome).toMatchObject({ kind: "done", value: { kind: "invalid" } });
});

// Bug: sources, tests or somebody's state are published.
test("only what a user needs is packed", async () => {
  const packed = await readdir(join(folder, "node_modules", "firebreak"));
  expect(packed.toSorted()).toEqual(["CHANGELOG.md", "LICENSE", "README.md", "dist", "package.json", "policies"]);
});
