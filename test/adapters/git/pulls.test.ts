/** Pull requests as Git has them, from a real server. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openRepository, type Repository } from "../../../adapters/git/index.ts";
import { startGit, type GitFixture } from "../../support/git-fixture.ts";

let server: GitFixture;
let folder: string;
let repository: Repository;
const signal = (): AbortSignal => AbortSignal.timeout(30_000);

beforeEach(async () => {
  server = await startGit();
  folder = mkdtempSync(join(tmpdir(), "fb-git-pulls-"));
  repository = openRepository({ url: server.url, branch: "main", path: "policies", folder, auth: { kind: "none" } });
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** A commit on top of another that only a pull request has; its id. */
function pull(number: number, parent: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  const main = server.git("rev-parse", "HEAD");
  server.git("checkout", "-q", "--detach", parent);
  const commit = server.push(files);
  server.git("push", "-q", "-f", server.bare, `${commit}:refs/pull/${number}/head`, `${main}:refs/heads/main`);
  server.git("checkout", "-q", "-B", "main", main);
  return commit;
}

describe("the head of a pull request", () => {
  test("comes as objects, once, and the branch stays where it was (would catch: a fork's commit taken for the branch)", async () => {
    const main = server.push({ "policies/a.yaml": "a: 1\n" });
    await repository.fetchHead(signal());
    const head = pull(7, main, { "policies/b.yaml": "b: 1\n" });
    await repository.fetchPull(7, head, signal());
    expect((await repository.readDefinitions(head, signal())).map(({ path }) => path)).toEqual(["a.yaml", "b.yaml"]);
    expect(await repository.mergeBases(main, head, signal())).toEqual([main]);
    server.requests.length = 0;
    await repository.fetchPull(7, head, signal());
    expect(server.requests).toEqual([]);
    expect(await repository.fetchHead(signal())).toBe(main);
  });

  test("that has moved meanwhile is told, and so is one that is not there", async () => {
    const main = server.push({ "policies/a.yaml": "a: 1\n" });
    await repository.fetchHead(signal());
    pull(7, main, { "policies/b.yaml": "b: 1\n" });
    await expect(repository.fetchPull(7, "1".repeat(40), signal())).rejects.toMatchObject({ code: "GIT_UNREACHABLE" });
    await expect(repository.fetchPull(8, "1".repeat(40), signal())).rejects.toMatchObject({ code: "GIT_UNREACHABLE" });
  });

  test("that brings too much is refused (would catch: a stranger fills our memory)", async () => {
    const main = server.push({ "policies/a.yaml": "a: 1\n" });
    await repository.fetchHead(signal());
    const noise = (): Uint8Array => crypto.getRandomValues(new Uint8Array(65_536));
    const bytes = Buffer.concat(Array.from({ length: 16 * 40 }, noise)); // 40 MiB that cannot be packed
    const head = pull(7, main, { "policies/large": bytes });
    await expect(repository.fetchPull(7, head, signal())).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
    expect(await repository.fetchHead(signal())).toBe(main);
  });
});

/** Packs in a folder of the cache. */
const packs = (name: string): readonly string[] => {
  const objects = join(folder, name, "objects", "pack");
  return existsSync(objects) ? readdirSync(objects).filter((file) => file.endsWith(".pack")) : [];
};

describe("what a stranger brings", () => {
  test("is refused by its inflated size, before it is inflated (would catch: 0.2 MB of pack that cost 0.5 GB)", async () => {
    const main = server.push({ "policies/a.yaml": "a: 1\n" });
    await repository.fetchHead(signal());
    const head = pull(7, main, { "README.bin": new Uint8Array(100 * 1024 * 1024) });
    await expect(repository.fetchPull(7, head, signal())).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
    // So is a commit that a reader of the API names, though it is not of a pull request.
    server.git("push", "-q", server.bare, `${head}:refs/heads/other`);
    await expect(repository.fetchAsked(head, signal())).rejects.toMatchObject({ code: "LIMIT_EXCEEDED" });
    expect(await repository.fetchHead(signal())).toBe(main);
  });

  test("stays beside the branch's cache, and goes with the pull request (would catch: each push kept for ever beside the log)", async () => {
    const main = server.push({ "policies/a.yaml": "a: 1\n" });
    await repository.fetchHead(signal());
    const before = packs("git");
    for (const number of [7, 8]) {
      const noise = crypto.getRandomValues(new Uint8Array(60_000));
      const head = pull(number, main, { [`policies/${number}.yaml`]: "b: 1\n", "noise.bin": noise });
      await repository.fetchPull(number, head, signal());
      expect((await repository.readDefinitions(head, signal())).length).toBe(2);
    }
    expect(packs("git")).toEqual(before);
    expect(packs("pulls/7").length).toBe(before.length + 1);
    await repository.keepPulls([8]);
    expect([packs("pulls/7"), packs("pulls/8").length, packs("git")]).toEqual([[], before.length + 1, before]);
  });

  test("has a quota: a pull request that is pushed again and again begins anew (would catch: a full disk)", async () => {
    const main = server.push({ "policies/a.yaml": "a: 1\n" });
    await repository.fetchHead(signal());
    const first = pull(7, main, { "policies/b.yaml": "b: 1\n" });
    await repository.fetchPull(7, first, signal());
    writeFileSync(join(folder, "pulls", "7", "objects", "pack", "pack-noise.tmp"), Buffer.alloc(65 * 1024 * 1024));
    const second = pull(7, main, { "policies/b.yaml": "b: 2\n" });
    await repository.fetchPull(7, second, signal());
    expect(existsSync(join(folder, "pulls", "7", "objects", "pack", "pack-noise.tmp"))).toBe(false);
    expect((await repository.readDefinitions(second, signal())).length).toBe(2);
  });
});

describe("where two histories parted", () => {
  test("as git says it, over a history with merges, criss-cross and clocks that lie", async () => {
    server.push({ "policies/a.yaml": "a: 1\n" });
    const commits = [server.git("rev-parse", "HEAD")];
    const tree = server.git("rev-parse", "HEAD^{tree}");
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % below;
    };
    for (let index = 0; index < 40; index += 1) {
      const parents = [
        ...new Set(Array.from({ length: 1 + random(3) }, () => commits[Math.max(0, commits.length - 1 - random(6))]!)),
      ];
      const date = `${1_700_000_000 + random(1_000)} +0000`; // no order at all
      const made = server.git(
        "-c",
        "user.name=x",
        "commit-tree",
        tree,
        ...parents.flatMap((parent) => ["-p", parent]),
        "-m",
        `${index} ${date}`,
      );
      commits.push(made);
    }
    const alone = server.git("commit-tree", tree, "-m", "alone");
    const local = openRepository({
      url: join(server.git("rev-parse", "--show-toplevel")),
      branch: "main",
      path: "policies",
      folder,
      auth: { kind: "none" },
    });
    for (let index = 0; index < 60; index += 1) {
      const [a, b] = [commits[random(commits.length)]!, commits[random(commits.length)]!];
      const expected = server.git("merge-base", "--all", a, b).split("\n").toSorted();
      expect([...(await local.mergeBases(a, b, signal()))].toSorted(), `${a} ${b}`).toEqual(expected);
    }
    expect(await local.mergeBases(commits[3]!, alone, signal())).toEqual([]);
  });
});
