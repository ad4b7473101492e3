/** A commit of the branch that is too large to be read is judged, never an error that is tried again for ever. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openRepository } from "../../adapters/git/index.ts";
import { LogFacts } from "../../core/audit/log-facts.ts";
import { openStore, type Store } from "../../adapters/store/index.ts";
import { judgeMergesFor, type MergeParts } from "../../services/syncer/pulls/judge.ts";
import { startGit, type GitFixture } from "../support/git-fixture.ts";

const { signal } = new AbortController();
let git: GitFixture;
let folder: string;
let store: Store;

beforeEach(async () => {
  git = await startGit();
  folder = mkdtempSync(join(tmpdir(), "fb-merges-"));
  store = await openStore({ kind: "embedded", folder: join(folder, "state") }, { signal });
});

afterEach(async () => {
  await store.close();
  await git[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** What judging takes of a syncer in which this commit is in force, and pull requests were merged, each approved or not. */
async function partsOf(
  inForce: string,
  pulls: readonly { readonly head: string; readonly isApproved: boolean }[],
): Promise<MergeParts> {
  const repository = openRepository({ url: git.url, branch: "main", path: "policies", folder, auth: { kind: "none" } });
  await repository.fetchHead(signal);
  const pullOf = (sha: string): unknown => {
    const at = pulls.findIndex(({ head }) => head === sha);
    return at < 0 ? undefined : { number: at + 1, author: "ann", head: { sha }, base: { ref: "main" } };
  };
  const approvals = { required: 1, forRules: 1, distinctFromAuthor: true };
  // The cast: what judging takes of them.
  return {
    store,
    signal,
    repository,
    trail: { read: async () => await Promise.resolve({ entries: [] }) },
    facts: new LogFacts(),
    forge: {
      readMerged: async (commit: string) => await Promise.resolve(pullOf(commit)),
      countCommits: async () => await Promise.resolve(1),
      listCommits: async () => await Promise.resolve([]),
      readMoved: async () => await Promise.resolve(undefined),
      readPermission: async () => await Promise.resolve("write"),
      listReviews: async (number: number) => {
        const pull = pulls[number - 1];
        const review = { author: "wanda", state: "approved", commit: pull?.head, at: "2030-01-01T00:00:00Z" };
        return await Promise.resolve(pull?.isApproved === true ? [review] : []);
      },
    },
    settings: { repository: { branch: "main" } },
    inForce: { sequence: 1, commit: inForce, definitions: { workspace: { approvals } } },
  } as unknown as MergeParts;
}

const large = (letter = "a"): string => letter.repeat(1024 * 1024 + 1);

// Bug: one oversized file, merged once, and every commit after it needs `firebreak accept`, also the one that takes it away.
test("a file that is too large is judged like any other, and once it is gone, nothing is left of it", async () => {
  const inForce = git.push({ "policies/a.yaml": "x: 1\n" });
  const brought = git.push({ "policies/notes.txt": large() });
  git.git("rm", "-q", "policies/notes.txt");
  const taken = git.push({ "policies/a.yaml": "x: 2\n" });
  const approved = [
    { head: brought, isApproved: true },
    { head: taken, isApproved: true },
  ];
  const judged = await judgeMergesFor(await partsOf(inForce, approved), taken, false);
  expect([judged.problems, judged.merged.map(({ pull }) => pull.number)]).toEqual([[], [2, 1]]);
  // Who approved nothing is missed all the same, at either commit.
  for (const at of [0, 1]) {
    const pulls = approved.map((pull, index) => ({ ...pull, isApproved: index !== at }));
    const { problems } = await judgeMergesFor(await partsOf(inForce, pulls), taken, false);
    expect(problems.map(({ code, message }) => [code, /has 0 of 1 approvals/.test(message)])).toEqual([
      ["REVISION_UNAPPROVED", true],
    ]);
  }
  const none = await judgeMergesFor(await partsOf(inForce, []), taken, false);
  expect(none.problems).toHaveLength(2);
});

// Bug: what is too large to be read passes for what was approved.
test("a large file is the approved one only when it is the same, and nothing that a small file says makes it so", async () => {
  const inForce = git.push({ "policies/a.yaml": "x: 1\n" });
  git.push({ "policies/notes.txt": large("b") });
  const blob = git.git("rev-parse", "HEAD:policies/notes.txt");
  const merged = git.git("rev-parse", "HEAD");
  // Heads of pull requests that say something else.
  for (const text of [large("c"), ` ${blob}`, blob]) {
    git.git("checkout", "-q", "--detach", inForce);
    const head = git.push({ "policies/notes.txt": text });
    git.git("push", "-q", "-f", git.bare, `${head}:refs/pull/1/head`, `${merged}:refs/heads/main`);
    const parts = await partsOf(inForce, [{ head, isApproved: true }]);
    const pull = await parts.forge?.readMerged(head, signal);
    Object.assign(parts.forge ?? {}, { readMerged: async () => await Promise.resolve(pull) });
    const { problems } = await judgeMergesFor(parts, merged, false);
    expect(problems[0]?.message).toMatch(/is not what the head of pull request #1 says merged/);
  }
});

// Bug: a commit that nobody can read makes every look at the branch throw: no refusal is ever recorded.
test("files that are too large together are a refusal, with the way out", async () => {
  const inForce = git.push({ "policies/a.yaml": "x: 1\n" });
  const files = Array.from({ length: 65 }, (_, at) => [`policies/${at}.txt`, large()] as const);
  const commit = git.push(Object.fromEntries(files));
  const { problems } = await judgeMergesFor(await partsOf(inForce, []), commit, false);
  expect(problems.map(({ code }) => code)).toEqual(["REVISION_UNAPPROVED"]);
  expect(problems[0]?.message).toMatch(/cannot be judged: .*together have more than .* firebreak accept /);
});
