/** Copies of commits that are kept beside Git: whoever has the id reads the commit or nothing. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openRepository, type Repository } from "../../../adapters/git/index.ts";
import { startGit, type GitFixture } from "../../support/git-fixture.ts";

let server: GitFixture;
let folder: string;
let signal: AbortSignal;

beforeEach(async () => {
  signal = AbortSignal.timeout(120_000);
  server = await startGit();
  folder = mkdtempSync(join(tmpdir(), "fb-git-bundle-"));
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** A process with a disk of its own; its server does not answer. */
function elsewhere(name: string, kept: (commit: string) => Promise<Uint8Array | undefined>): Repository {
  return openRepository({
    url: "http://127.0.0.1:9/none.git",
    branch: "main",
    path: "policies/deep",
    folder: join(folder, name),
    auth: { kind: "none" },
    kept,
  });
}

async function pushed(): Promise<{ readonly commit: string; readonly bundle: Uint8Array; readonly here: Repository }> {
  server.push({ "other/large.txt": "x".repeat(100_000), "policies/deep/a.yaml": "a: 0\n" });
  const commit = server.push({
    "policies/deep/a.yaml": "a: 1\n",
    "policies/deep/more/b.yaml": "b: 1\n",
    "policies/c.yaml": "c: 1\n",
  });
  const options = { url: server.url, branch: "main", path: "policies/deep", auth: { kind: "none" } } as const;
  const here = openRepository({ ...options, folder: join(folder, "here") });
  await here.fetchHead(signal);
  return { commit, bundle: await here.bundle(commit, signal), here };
}

test("a process that has no copy and no server reads the same files (would catch: nothing compared until Git is back)", async () => {
  const { commit, bundle, here } = await pushed();
  const there = elsewhere("there", async () => await Promise.resolve(bundle));
  expect(await there.readDefinitions(commit, signal)).toEqual(await here.readDefinitions(commit, signal));
  expect((await there.commitInfo(commit, signal)).message).toBe((await here.commitInfo(commit, signal)).message);
  expect(bundle.byteLength).toBeLessThan(2_000); // neither history nor what is beside the path
});

test("whoever keeps the copy cannot change what the commit says (would catch: a database that decides what is compared with)", async () => {
  const { commit, bundle } = await pushed();
  const forged = Buffer.from(gunzipSync(bundle).toString("latin1").replace("a: 1", "a: 2"), "latin1");
  const there = elsewhere("there", async () => await Promise.resolve(gzipSync(forged)));
  await expect(there.readDefinitions(commit, signal)).rejects.toMatchObject({ code: "GIT_UNREACHABLE" });
});

test.each([
  ["is cut off", (bundle: Uint8Array) => gzipSync(gunzipSync(bundle).subarray(0, -3))],
  ["is none", () => Buffer.from("nothing")],
  ["inflates without end", () => gzipSync(Buffer.alloc(100 * 1024 * 1024), { level: 1 })],
])("a copy that %s is none: the server is asked (would catch: one spoiled row, and nothing is compared)", async (_, spoil) => {
  const { commit, bundle } = await pushed();
  const options = { url: server.url, branch: "main", path: "policies/deep", auth: { kind: "none" } } as const;
  const kept = async (): Promise<Uint8Array> => await Promise.resolve(spoil(bundle));
  const there = openRepository({ ...options, folder: join(folder, "there"), kept });
  expect((await there.readDefinitions(commit, signal)).map(({ path }) => path)).toEqual(["a.yaml", "more/b.yaml"]);
});

test("without a copy the server is asked (would catch: a commit that was never kept cannot be read)", async () => {
  const { commit } = await pushed();
  const options = { url: server.url, branch: "main", path: "policies/deep", auth: { kind: "none" } } as const;
  const kept = async (): Promise<undefined> => await Promise.resolve(undefined);
  const there = openRepository({ ...options, folder: join(folder, "there"), kept });
  expect((await there.readDefinitions(commit, signal)).map(({ path }) => path)).toEqual(["a.yaml", "more/b.yaml"]);
});
