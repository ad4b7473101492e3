/** A commit of the branch that is too large to be read is judged, never an error that is tried again for ever. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openRepository } from "../../adapters/git/index.ts";
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

// Bug: one oversized file, merged once, made every look at the branch throw, also after it was taken away: no refusal was ever recorded.
test("a file that is too large is a refusal that says which, with the way out", async () => {
  const inForce = git.push({ "policies/a.yaml": "x: 1\n" });
  const large = git.push({ "policies/notes.txt": "a".repeat(1024 * 1024 + 1) });
  git.git("rm", "-q", "policies/notes.txt");
  const after = git.push({ "policies/a.yaml": "x: 2\n" });
  const repository = openRepository({ url: git.url, branch: "main", path: "policies", folder, auth: { kind: "none" } });
  await repository.fetchHead(signal);
  const approvals = { required: 1, forRules: 1, distinctFromAuthor: true };
  // The cast: what judging takes of them.
  const parts = {
    store,
    signal,
    repository,
    forge: { readMerged: async () => await Promise.resolve(undefined) },
    settings: { repository: { branch: "main" } },
    inForce: { sequence: 1, commit: inForce, definitions: { workspace: { approvals } } },
  } as unknown as MergeParts;
  for (const commit of [large, after]) {
    const { problems } = await judgeMergesFor(parts, commit, false);
    expect(problems.map(({ code }) => code)).toEqual(["REVISION_UNAPPROVED"]);
    expect(problems[0]?.message).toMatch(/cannot be judged: .*notes\.txt has 1048577 bytes.* firebreak accept /);
  }
});
