import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WorkerPool } from "../../adapters/workers/index.ts";
import type { TASKS } from "../../services/workers/tasks.ts";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");

/** Everything is installed here. */
let folder: string;
/** Only what CI needs is installed here. */
let light: string;

/** Packs as `npm publish` would and installs the tarball, with its dependencies, into two empty projects. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "firebreak-pack-"));
  light = await mkdtemp(join(tmpdir(), "firebreak-pack-light-"));
  await run("npm", ["pack", "--pack-destination", folder, "--loglevel=error"], { cwd: root });
  const tarball = join(folder, (await readdir(folder)).find((name) => name.endsWith(".tgz")) ?? "");
  await install(folder, tarball);
  await install(light, tarball, "--omit=optional");
}, 300_000);

afterAll(async () => {
  for (const project of [folder, light]) await rm(project, { recursive: true, force: true });
});

async function install(project: string, tarball: string, ...how: readonly string[]): Promise<void> {
  await writeFile(join(project, "package.json"), '{"private": true}\n');
  const quiet = ["--loglevel=error", "--no-audit", "--no-fund", "--prefer-offline", "--ignore-scripts"];
  await run("npm", ["install", ...quiet, ...how, tarball], { cwd: project });
  await cp(join(root, "policies", "example"), join(project, "policies"), { recursive: true });
}

interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** Runs the installed `firebreak`, under the Node that runs this test, away from the checkout. */
async function firebreak(...args: readonly string[]): Promise<Ran> {
  return await firebreakIn(folder, args);
}

async function firebreakIn(project: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, HOME: project, ...more };
  try {
    const running = run(join(project, "node_modules", ".bin", "firebreak"), args, { cwd: project, env });
    running.child.stdin?.end();
    return { ...(await running), code: 0 };
  } catch (error) {
    const { stdout, stderr, code } = error as Ran;
    return { stdout, stderr, code };
  }
}

/** Bytes of the files below a folder. */
async function bytesBelow(path: string): Promise<number> {
  const files = (await readdir(path, { withFileTypes: true, recursive: true })).filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
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

/** Two pods, one of which may be asked by nobody. */
const MANIFESTS = `apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: main, image: "example/web:1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {containers: [{name: main, image: "example/db:1"}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress]}
`;

// Bug: whoever only checks pull requests downloads a database, an HTTP server and a Kubernetes client of 200 MB in every run.
test("what CI installs is below 40 MB", async () => {
  expect(await bytesBelow(join(light, "node_modules"))).toBeLessThan(40_000_000);
});

// Bug: a verb that asks nobody imports a package that only the services need, and is gone from CI.
test("all offline verbs work where only `dependencies` are installed", async () => {
  await mkdir(join(light, "before"));
  await mkdir(join(light, "after"));
  await writeFile(join(light, "before", "all.yaml"), MANIFESTS);
  await writeFile(join(light, "after", "all.yaml"), MANIFESTS.replace("policyTypes: [Ingress]", "ingress: [{}]"));
  await writeFile(join(light, "probes"), '{"src": "shop/web", "dst": "shop/db", "protocol": "TCP", "port": 5432}\n');
  const git = async (...args: readonly string[]): Promise<unknown> =>
    await run("git", ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", ...args], { cwd: light });
  await git("init", "-q", "-b", "main");
  await git("add", "policies");
  await git("commit", "-qm", "first");
  const call = async (...args: readonly string[]): Promise<Ran> => await firebreakIn(light, args);

  for (const verb of [
    ["--version"],
    ["init", "made"],
    ["validate", "policies"],
    ["test", "policies"],
    ["reach", "policies"],
    ["reach", "--manifests", "before"],
    ["render", "--target", "cluster/shop-eu"],
    ["explain", "order-input", "geo-location", "8443/tcp"],
    ["segments", "--definitions", "policies"],
    ["import", "--manifests", "before", "--cluster", "one", "--dry-run"],
    ["completion", "bash"],
  ]) {
    expect(await call(...verb), verb.join(" ")).toMatchObject({ code: 0 });
  }
  expect((await call("review", "main", "main")).stdout.split("\n")[0]).toBe("**opens nothing, closes nothing**");
  expect((await call("diff", "main", "main")).code).toBe(0);
  expect((await call("diff", "--manifests", "before", "after", "--detailed-exitcode")).code).toBe(2);
  expect((await call("verdict", "--manifests", "before", "--probes", "probes")).stdout).toContain('"allowed":false');
  expect((await call("audit", "verify", "nowhere")).stderr).not.toContain("ERR_MODULE_NOT_FOUND");
});

// Bug: the comment of the shipped workflow needs 32 MB of packages more than the rest of it.
test("a comment on a pull request needs `dependencies` only", async () => {
  const environment = { GITHUB_TOKEN: "secret", GITHUB_API_URL: "http://127.0.0.1:9", GITHUB_REPOSITORY: "acme/policies" };
  const { stderr } = await firebreakIn(light, ["comment", "1"], environment);
  expect(stderr).toContain("error USAGE: standard input is empty"); // the client for the forge is there by then
});

// Bug: a service that was installed for CI ends in a stack trace about a package.
test("a service says in one sentence what the install left out", async () => {
  await cp(join(folder, "policies"), join(light, "service", "policies"), { recursive: true });
  expect((await firebreakIn(light, ["init", "service"])).code).toBe(0);
  const { code, stderr } = await firebreakIn(light, ["up", "--config", join("service", "firebreak.yaml")]);
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^error SYSTEM_PART_MISSING: this needs the package \S+, .* run `npm install --include=optional`, with Node >=24, .*$/m,
  );
  expect(stderr).not.toMatch(/^ +at /m);
});

// Bug: code of others is published without the license it is given under.
test("what is taken into the bundle comes with its license", async () => {
  const texts = await readFile(join(light, "node_modules", "firebreak", "dist", "THIRD-PARTY-LICENSES.txt"), "utf8");
  expect(texts).toMatch(/^@octokit\/rest \S+ \(MIT\)\n\n[^-]*Copyright/m);
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
  expect(entries.filter((entry) => !entry.isFile()).map(({ name }) => name)).toEqual(["web"]);
  const lane = { memoryMb: 512, cpuMs: 60_000, deadlineMs: 60_000, queue: 1 };
  await using pool = new WorkerPool<typeof TASKS, "one">({ entry: pathToFileURL(join(dist, "worker.js")), lanes: { one: lane } });
  const bytes = new TextEncoder().encode("apiVersion: firebreak.dev/v1alpha1\nkind: Segmnt\nmetadata: {name: x}\nspec: {}\n");
  const files = [{ path: "a.yaml", bytes, mode: "100644" }];
  const operator = { floor: { from: [], ports: [] }, ownPaths: [] };
  const candidate = { common: [], base: [], head: files, allow: undefined, before: undefined, now: 0, operator, live: undefined };
  const outcome = await pool.run("review", candidate, { lane: "one", signal: AbortSignal.timeout(60_000) });
  expect(outcome).toMatchObject({ kind: "done", value: { kind: "invalid" } });
});

/** The program, its documents, and what users copy. */
const PACKED = [
  "ARCHITECTURE.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "LICENSE",
  "README.md",
  "SECURITY.md",
  "adapters",
  "dist",
  "docs",
  "package.json",
  "policies",
  "workflows",
];

// Bug: sources, tests or somebody's state are published.
test("only what a user needs is packed", async () => {
  const packed = await readdir(join(folder, "node_modules", "firebreak"));
  expect(packed.toSorted()).toEqual(PACKED);
});
