/** A stranger's pull request that takes more work than it may: said, remembered, never green. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openRepository } from "../../adapters/git/index.ts";
import type { Outcome } from "../../adapters/workers/index.ts";
import type { Check, Forge, ForgeComment, PullRequest } from "../../core/forge/forge.ts";
import { startGit, type GitFixture } from "../support/git-fixture.ts";
import { openPullWorld, type PullWorld } from "../support/pull-world.ts";

const V = "apiVersion: firebreak.dev/v1alpha1\n";
const WORLD = `${V}kind: Cluster\nmetadata: {name: eu}\nspec: {mode: apply, context: eu, enforcer: calico, podNetwork: routed, podRanges: [10.0.0.0/8]}\n---\n${V}kind: Workspace\nspec: {internal: [10.0.0.0/8]}\n---\n${V}kind: Segment\nmetadata: {name: s}\nspec: {members: [{namespaces: {}}]}\n`;

let git: GitFixture;
let folder: string;
let world: PullWorld;
let pull: PullRequest;
/** Open besides. */
let others: PullRequest[];
let comments: ForgeComment[];
let said: string[];
let checks: Check[];

beforeEach(async () => {
  git = await startGit();
  folder = mkdtempSync(join(tmpdir(), "fb-bounds-"));
  const base = git.push({ "policies/a.yaml": WORLD });
  const repository = openRepository({ url: git.url, branch: "main", path: "policies", folder, auth: { kind: "none" } });
  world = await openPullWorld({
    kind: "gitea",
    url: "http://127.0.0.1:1/api/v1",
    repository: "a/b",
    credential: { token: "x" },
    git: { url: git.url },
    repositoryOf: repository,
  });
  await world.follow();
  git.git("checkout", "-q", "--detach");
  const head = git.push({ "policies/b.yaml": `${V}kind: Segment\nmetadata: {name: t}\nspec: {members: [{namespaces: {}}]}\n` });
  git.git("push", "-q", "-f", git.bare, `${head}:refs/pull/1/head`, `${base}:refs/heads/main`);
  [others, comments, said, checks] = [[], [], [], []];
  // The cast: what a forge tells of a pull request, as far as looks ask.
  pull = {
    number: 1,
    title: "t",
    author: "stranger",
    state: "open",
    isDraft: false,
    isFork: true,
    head: { sha: head, ref: "x", repository: "stranger/b" },
    base: { sha: base, ref: "main" },
    updatedAt: "",
    url: "u",
  } as unknown as PullRequest;
  const forge = {
    listPulls: async () => await Promise.resolve([pull, ...others]),
    readSelf: async () => await Promise.resolve("bot"),
    listComments: async () => await Promise.resolve(comments),
    readPermission: async (who: string) => await Promise.resolve(who === "wanda" ? "write" : "none"),
    listReviews: async () => await Promise.resolve([]),
    listCommits: async () => await Promise.resolve([]),
    putComment: async (_number: number, comment: { readonly body: string }) => {
      said.push(comment.body);
      return await Promise.resolve({ id: 1, kind: "created" });
    },
    putCheck: async (_sha: string, _name: string, check: Check) => {
      checks.push(check);
      return await Promise.resolve({ kind: "check" });
    },
  } as unknown as Forge;
  Object.assign(world.context, { forge });
});

afterEach(async () => {
  await world[Symbol.asyncDispose]();
  await git[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Reviews end like this from now on; how many were begun. */
function reviewsEnd(outcome: Outcome<never>): { readonly count: () => number } {
  let begun = 0;
  const { workers } = world.context;
  Object.assign(world.context, {
    workers: {
      run: async (task: string, ...rest: readonly unknown[]) => {
        if (task !== "review")
          return await (workers.run as (...args: readonly unknown[]) => Promise<unknown>).call(workers, task, ...rest);
        begun += 1;
        return outcome;
      },
    },
  });
  return { count: () => begun };
}

// Bug: 97 kB of a stranger stop the service for a minute, and again after each start; or what could not be planned has a green check.
test.each([
  { kind: "timed-out", afterMs: 10_000 },
  { kind: "out-of-memory", limitMb: 512 },
  { kind: "too-large", why: "too many segments" },
] as const)(
  "a head that is over its budget ($kind) is said, has no green check, and is not tried again after a start",
  async (outcome) => {
    const reviews = reviewsEnd(outcome);
    await world.look();
    expect(said.at(-1)).toMatch(/cannot be planned[^]*too large/);
    expect(checks.at(-1)?.state).toBe("failure");
    world.restart();
    await world.look();
    expect(reviews.count()).toBe(1);
    expect(said.at(-1)).toMatch(/cannot be planned[^]*too large/);
    // The cast: a comment as far as commands read it.
    comments = [
      { id: 5, author: "wanda", body: "/firebreak plan", createdAt: "2030-01-01T00:00:00Z", isEdited: false } as ForgeComment,
    ];
    await world.look();
    expect(reviews.count()).toBe(2);
  },
);

// Bug: the bound hits an honest change; or what is planned in a worker is not what was planned.
test("an honest change of a stranger is planned", async () => {
  await world.look();
  expect(said.at(-1)).not.toMatch(/cannot be planned/);
  expect(checks.length).toBe(1);
});

// Bug: who opens many pull requests that each take as long as they may keeps everybody else's from being looked at.
test("one stranger's many take their turns among others', and wait when they took long", async () => {
  let elapsed = 0;
  const seen: number[] = [];
  const open = (number: number, author: string, isFork: boolean): PullRequest => {
    git.git("checkout", "-q", "--detach", pull.base.sha);
    const sha = git.push({ "policies/b.yaml": `${V}# ${number}` });
    git.git("push", "-q", "-f", git.bare, `${sha}:refs/pull/${number}/head`, `${pull.base.sha}:refs/heads/main`);
    return { ...pull, number, author, isFork, head: { ...pull.head, sha } };
  };
  others = [2, 3, 4, 5].map((number) => open(number, "stranger", true));
  others.push(open(6, "ann", true), open(7, "wanda", false));
  const { workers } = world.context;
  const run = async (task: string, input: { readonly head: unknown }, ...rest: readonly unknown[]): Promise<unknown> => {
    if (task !== "review")
      return await (workers.run as (...args: readonly unknown[]) => Promise<unknown>).call(workers, task, input, ...rest);
    elapsed += 15_000;
    return { kind: "timed-out", afterMs: 10_000 };
  };
  const { repository } = world.context;
  const fetchPull: typeof repository.fetchPull = async (number, ...rest) => {
    seen.push(number);
    await repository.fetchPull(number, ...rest);
  };
  Object.assign(world.context, { workers: { run }, elapsed: () => elapsed, repository: { ...repository, fetchPull } });
  await world.look();
  expect(seen).toEqual([7, 1, 6, 2]);
  others.push(open(8, "bob", true));
  await world.lookOn();
  expect(seen.slice(4)).toEqual([8, 3, 4]);
  await world.lookOn();
  expect(seen.slice(7)).toEqual([5]);
});
