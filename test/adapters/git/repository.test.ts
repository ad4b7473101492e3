import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openRepository } from "../../../adapters/git/index.ts";
import type { GitAuth, Repository } from "../../../adapters/git/index.ts";
import { startGit } from "../../support/git-fixture.ts";
import type { GitFixture } from "../../support/git-fixture.ts";

let server: GitFixture;
let folder: string;
const signal = (): AbortSignal => AbortSignal.timeout(30_000);
const open = (auth: GitAuth = { kind: "none" }, path = "policies", url = server.url): Repository =>
  openRepository({ url, branch: "main", path, folder, auth });

beforeEach(async () => {
  server = await startGit();
  folder = mkdtempSync(join(tmpdir(), "fb-git-cache-"));
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

describe("following a branch", () => {
  test("each push is seen, and an unchanged branch fetches nothing (would catch: a whole history per poll)", async () => {
    const first = server.push({ "policies/a.yaml": "a: 1\n" });
    const repository = open();
    expect(await repository.fetchHead(signal())).toBe(first);
    server.requests.length = 0;
    expect(await repository.fetchHead(signal())).toBe(first);
    // ls-refs is a POST too; a fetch would be a second one.
    expect(server.requests.filter((request) => request.startsWith("POST")).length).toBeLessThanOrEqual(1);
    const second = server.push({ "policies/a.yaml": "a: 2\n" });
    expect(await repository.fetchHead(signal())).toBe(second);
    expect(await repository.isAncestor(first, second, signal())).toBe(true);
  });

  test("a second fetch brings only what is new (would catch: no `have` lines, so that every push is a clone)", async () => {
    server.push({ "policies/big.yaml": Buffer.from(Array.from({ length: 200_000 }, () => Math.floor(Math.random() * 94) + 33)) });
    const repository = open();
    await repository.fetchHead(signal());
    server.push({ "policies/small.yaml": "x: 1\n" });
    await repository.fetchHead(signal());
    const packs = join(folder, "git", "objects", "pack");
    const sizes = readdirSync(packs, { withFileTypes: true }).filter(({ name }) => name.endsWith(".pack"));
    const bytes = sizes.map(({ name }) => statSync(join(packs, name)).size).sort((a, b) => a - b);
    expect(bytes).toHaveLength(2);
    expect(bytes[0]).toBeLessThan(2_000);
  });

  test("a rewritten branch is not a descendant, and the old commit stays readable (would catch: the revision in force lost)", async () => {
    const first = server.push({ "policies/a.yaml": "a: 1\n" });
    const inForce = server.push({ "policies/a.yaml": "a: 2\n" });
    const repository = open();
    await repository.fetchHead(signal());
    server.git("reset", "-q", "--hard", first);
    const rewritten = server.push({ "policies/a.yaml": "a: 3\n" });
    expect(await repository.fetchHead(signal())).toBe(rewritten);
    expect(await repository.isAncestor(inForce, rewritten, signal())).toBe(false);
    expect(await repository.isAncestor(first, rewritten, signal())).toBe(true);
    expect(await repository.isAncestor(rewritten, rewritten, signal())).toBe(true);
    expect((await repository.readDefinitions(inForce, signal())).map(({ path }) => path)).toEqual(["a.yaml"]);
  });

  test("ancestors through the second parent of a merge count (would catch: following first parents only)", async () => {
    const base = server.push({ "policies/a.yaml": "a: 1\n" });
    server.git("checkout", "-q", "-b", "side");
    writeFileSync(join(server.git("rev-parse", "--show-toplevel"), "policies", "b.yaml"), "b: 1\n");
    server.git("add", "-A");
    server.git("commit", "-q", "-m", "side");
    const side = server.git("rev-parse", "HEAD");
    server.git("checkout", "-q", "main");
    server.git("merge", "-q", "--no-ff", "-m", "merge", "side");
    const merge = server.push({});
    const repository = open();
    await repository.fetchHead(signal());
    expect(await repository.isAncestor(side, merge, signal())).toBe(true);
    expect((await repository.log(base, merge, signal())).map(({ message }) => message)).toEqual(["change", "merge"]);
  });

  test("a missing branch is unreachable, not empty (would catch: no branch read as a repository without definitions)", async () => {
    server.push({ "policies/a.yaml": "a: 1\n" });
    const repository = openRepository({ url: server.url, branch: "release", path: "", folder, auth: { kind: "none" } });
    await expect(repository.fetchHead(signal())).rejects.toMatchObject({ code: "GIT_UNREACHABLE" });
  });
});

describe("reading definitions", () => {
  test("files below the path, with bytes and modes as they are in Git (would catch: a followed link, a normalised mode)", async () => {
    const top = server.git("rev-parse", "--show-toplevel");
    server.push({ "policies/a.yaml": "ä: 1\n", "policies/sub/b.yaml": "b\n", "policies/run.yaml": "x\n", "other/c.yaml": "c\n" });
    chmodSync(join(top, "policies/run.yaml"), 0o755);
    symlinkSync("/etc/passwd", join(top, "policies/link.yaml"));
    const commit = server.push({ "policies/binary.yaml": new Uint8Array([0, 255, 254]) });
    const repository = open();
    await repository.fetchHead(signal());
    const files = await repository.readDefinitions(commit, signal());
    expect(files.map(({ path, mode }) => [path, mode])).toEqual([
      ["a.yaml", "100644"],
      ["binary.yaml", "100644"],
      ["link.yaml", "120000"],
      ["run.yaml", "100755"],
      ["sub/b.yaml", "100644"],
    ]);
    expect(Buffer.from(files[0]?.bytes ?? []).toString()).toBe("ä: 1\n");
    expect([...(files[1]?.bytes ?? [])]).toEqual([0, 255, 254]);
    expect(Buffer.from(files[2]?.bytes ?? []).toString()).toBe("/etc/passwd");
  });

  test("a path that is not there gives no files (the caller refuses it), the root gives all", async () => {
    const commit = server.push({ "a.yaml": "a\n", "dir/b.yaml": "b\n" });
    await open().fetchHead(signal());
    expect(await open({ kind: "none" }, "policies").readDefinitions(commit, signal())).toEqual([]);
    expect((await open({ kind: "none" }, "").readDefinitions(commit, signal())).map(({ path }) => path)).toEqual([
      "a.yaml",
      "dir/b.yaml",
    ]);
    expect((await open({ kind: "none" }, "./dir/").readDefinitions(commit, signal())).map(({ path }) => path)).toEqual(["b.yaml"]);
  });

  test("a file beyond 1 MiB is refused by name (would catch: a 10 MB file taken in)", async () => {
    const commit = server.push({ "policies/huge.yaml": "x".repeat(1024 * 1024 + 1) });
    const repository = open();
    await repository.fetchHead(signal());
    await expect(repository.readDefinitions(commit, signal())).rejects.toMatchObject({
      code: "LIMIT_EXCEEDED",
      message: expect.stringContaining("huge.yaml") as string,
    });
  });

  test("more than 5,000 files are refused before one is read (would catch: 5,001 blobs in memory)", async () => {
    const commit = server.push(
      Object.fromEntries(Array.from({ length: 5_001 }, (_, index) => [`policies/${index}.yaml`, "same\n"])),
    );
    const repository = open();
    await repository.fetchHead(signal());
    await expect(repository.readDefinitions(commit, signal())).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
  });

  test("folders without files are refused as well (would catch: thirty small trees that stand for a billion)", async () => {
    const inBare = (args: readonly string[], input = ""): string =>
      spawnSync("git", ["-c", "user.name=a", "-c", "user.email=a@example.org", ...args], {
        cwd: server.bare,
        input,
        encoding: "utf8",
      }).stdout.trim();
    let tree = inBare(["mktree"]);
    for (let depth = 0; depth < 30; depth += 1) tree = inBare(["mktree"], `040000 tree ${tree}\ta\n040000 tree ${tree}\tb\n`);
    const commit = inBare(["commit-tree", "-m", "bomb", tree]);
    const local = open({ kind: "none" }, ".", server.bare);
    await expect(local.readDefinitions(commit, signal())).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
  });

  test("a commit tells who, when, its first line and its kind of signature", async () => {
    const first = server.push({ "policies/a.yaml": "a\n" }, "open ldap\n\nbecause");
    const repository = open();
    await repository.fetchHead(signal());
    expect(await repository.commitInfo(first, signal())).toMatchObject({
      commit: first,
      parents: [],
      author: "Ann <ann@example.org>",
      committer: "Cob <cob@example.org>",
      message: "open ldap\n\nbecause",
      signature: "none",
    });
  });
});

test("an SSH-signed commit is told as such, with its own message (would catch: the library's mistaken header parsing)", async () => {
  const key = join(folder, "key");
  spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
  for (const [name, value] of [
    ["gpg.format", "ssh"],
    ["user.signingkey", key],
    ["commit.gpgsign", "true"],
  ] as const)
    server.git("config", name, value);
  const commit = server.push({ "policies/a.yaml": "a\n" }, "signed");
  const repository = open();
  await repository.fetchHead(signal());
  expect(await repository.commitInfo(commit, signal())).toMatchObject({ signature: "ssh", message: "signed", parents: [] });
});

describe("when things break", () => {
  test("a server that is away is GIT_UNREACHABLE, and what is here stays readable (would catch: down means empty)", async () => {
    const commit = server.push({ "policies/a.yaml": "a\n" });
    const repository = open();
    await repository.fetchHead(signal());
    server.answer = (_request, response) => void response.destroy();
    await expect(repository.fetchHead(signal())).rejects.toMatchObject({ code: "GIT_UNREACHABLE" });
    expect(await repository.readDefinitions(commit, signal())).toHaveLength(1);
    server.answer = undefined;
    expect(await repository.fetchHead(signal())).toBe(commit);
  });

  test("a server that never answers is left when the signal says so (would catch: a poll that hangs for ever)", async () => {
    server.push({ "policies/a.yaml": "a\n" });
    server.answer = () => undefined;
    const abort = new AbortController();
    const asked = open().fetchHead(abort.signal);
    abort.abort(new Error("enough"));
    await expect(asked).rejects.toThrow("enough");
  });

  test("a redirect is followed on the same server only (would catch: requests into our network, definitions of somebody else)", async () => {
    const commit = server.push({ "policies/a.yaml": "a\n" });
    const asked: string[] = [];
    const other = createServer((request, response) => {
      asked.push(request.url ?? "");
      response.end();
    }).listen(0, "127.0.0.1");
    await once(other, "listening");
    try {
      const { port } = other.address() as AddressInfo; // a TCP server that listens
      const elsewhere = `http://localhost:${port}/repo.git`;
      server.answer = (request, response) => void response.writeHead(302, { location: elsewhere + request.url }).end();
      await expect(open().fetchHead(signal())).rejects.toMatchObject({
        code: "GIT_UNREACHABLE",
        message: expect.stringContaining(`localhost:${port}`) as string,
      });
      expect(asked).toEqual([]);
      server.answer = (_request, response) => void response.writeHead(302, { location: "/repo.git/again" }).end();
      await expect(open().fetchHead(signal())).rejects.toMatchObject({ code: "GIT_UNREACHABLE" });
    } finally {
      other.close();
    }
    server.answer = undefined;
    const moved = server.url.replace("/repo.git", "/old.git");
    server.movedFrom = "/old.git";
    expect(await open({ kind: "none" }, "policies", moved).fetchHead(signal())).toBe(commit);
  });

  test("a token that was rotated counts at the next fetch (would catch: the branch is away until a restart)", async () => {
    server.credentials = { username: "x", password: "old" };
    const first = server.push({ "policies/a.yaml": "a: 1\n" });
    let password = "old";
    const readAuth = async (): Promise<GitAuth> => await Promise.resolve({ kind: "basic", username: "x", password });
    const repository = openRepository({
      url: server.url,
      branch: "main",
      path: "policies",
      folder,
      auth: await readAuth(),
      readAuth,
    });
    expect(await repository.fetchHead(signal())).toBe(first);
    server.credentials = { username: "x", password: "new" };
    await expect(repository.fetchHead(signal())).rejects.toMatchObject({ code: "AUTH_DENIED" });
    password = "new";
    const second = server.push({ "policies/a.yaml": "a: 2\n" });
    expect(await repository.fetchHead(signal())).toBe(second);
  });

  test("wrong credentials are AUTH_DENIED, right ones work, and none of them is in a message", async () => {
    const commit = server.push({ "policies/a.yaml": "a\n" });
    server.credentials = { username: "bot", password: "s3cret-word" };
    await expect(open().fetchHead(signal())).rejects.toMatchObject({ code: "AUTH_DENIED" });
    const wrong = await open({ kind: "basic", username: "bot", password: "wr0ng-word" })
      .fetchHead(signal())
      .catch((error: unknown) => error);
    expect(wrong).toMatchObject({ code: "AUTH_DENIED" });
    expect(JSON.stringify(wrong) + String(wrong)).not.toContain("wr0ng-word");
    expect(await open({ kind: "basic", username: "bot", password: "s3cret-word" }).fetchHead(signal())).toBe(commit);
    expect(await open({ kind: "none" }, "policies", server.url.replace("://", "://bot:s3cret-word@")).fetchHead(signal())).toBe(
      commit,
    );
  });

  test("a damaged cache is replaced (would catch: a half-written pack that stops every revision from then on)", async () => {
    const commit = server.push({ "policies/a.yaml": "a\n" });
    await open().fetchHead(signal());
    const packs = join(folder, "git", "objects", "pack");
    for (const name of readdirSync(packs)) truncateSync(join(packs, name), 40);
    const repository = open();
    expect(await repository.fetchHead(signal())).toBe(commit);
    expect(await repository.readDefinitions(commit, signal())).toHaveLength(1);
  });

  test("a lost cache is fetched anew, also for a commit that is no head (would catch: drift blind after a lost folder)", async () => {
    const first = server.push({ "policies/a.yaml": "1\n" });
    server.push({ "policies/a.yaml": "2\n" });
    await open().fetchHead(signal());
    rmSync(join(folder, "git"), { recursive: true });
    expect(Buffer.from((await open().readDefinitions(first, signal()))[0]?.bytes ?? []).toString()).toBe("1\n");
  });

  test("URLs that are neither HTTP nor local are refused (would catch: ssh URLs that fail at every poll)", () => {
    expect(() => open({ kind: "none" }, "", "git@example.org:a/b.git")).toThrow(
      expect.objectContaining({ code: "CONFIG_INVALID" }),
    );
  });
});

describe("a repository on this machine", () => {
  test.each(["bare", "work tree"])("a %s is read where it is", async (kind) => {
    const commit = server.push({ "policies/a.yaml": "a\n" });
    const path = kind === "bare" ? server.bare : server.git("rev-parse", "--show-toplevel");
    const repository = open({ kind: "none" }, "policies", kind === "bare" ? path : `file://${path}`);
    expect(await repository.fetchHead(signal())).toBe(commit);
    expect(await repository.readDefinitions(commit, signal())).toHaveLength(1);
  });
});
