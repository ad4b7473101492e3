import { expect, test } from "vitest";
import { openRepository, type Repository } from "../../adapters/git/index.ts";
import { blameIn } from "../../services/blame.ts";
import { SmallClone } from "../support/small-clone.ts";

function opened(clone: SmallClone): Repository {
  return openRepository({ url: clone.folder, branch: "main", path: "policies", folder: clone.folder, auth: { kind: "none" } });
}

function lines(count: number, change: Readonly<Record<number, string>> = {}): string {
  return Array.from({ length: count }, (_, index) => `${change[index + 1] ?? `line ${index + 1}`}\n`).join("");
}

const SIGNAL = AbortSignal.timeout(60_000);
const at = (line: number) => ({ file: "a.yaml", line, column: 1 });

// Bug: the commit that moved a line is told as the one that wrote it.
test("a line is told by the commit that wrote it, wherever it has moved since", async () => {
  using clone = new SmallClone({ "policies/a.yaml": lines(5) }, "begin");
  const wrote = clone.commit({ "policies/a.yaml": lines(5, { 3: "mine" }) }, "write it\n\nBecause.");
  const head = clone.commit({ "policies/a.yaml": `above\n${lines(5, { 3: "mine" })}`, "policies/b.yaml": "other\n" }, "move it");
  const blame = blameIn(opened(clone), head, SIGNAL);
  expect(await blame(at(4))).toMatchObject({
    commit: wrote,
    author: expect.stringContaining("Ann Author") as string,
    subject: "write it",
  });
  expect((await blame(at(1)))?.subject).toBe("move it");
  expect((await blame(at(2)))?.subject).toBe("begin");
  expect(await blame({ file: "nosuch.yaml", line: 1, column: 1 })).toBeNull();
});

// Bug: a line older than what is read is told by whoever made the oldest commit that was read.
test("a line that is older than fifty commits is told by nobody, and each commit is read once", async () => {
  using clone = new SmallClone({ "policies/a.yaml": lines(2) }, "begin");
  for (let turn = 0; turn < 51; turn += 1) clone.git("commit", "-q", "--allow-empty", "-m", `empty ${turn}`);
  const head = clone.commit({ "policies/a.yaml": lines(2, { 2: "young" }) }, "young");
  const repository = opened(clone);
  const read: string[] = [];
  const counting: Repository = {
    ...repository,
    readDefinitions: async (commit, signal) => {
      read.push(commit);
      return await repository.readDefinitions(commit, signal);
    },
  };
  const blame = blameIn(counting, head, SIGNAL);
  expect(await blame(at(1))).toBeNull();
  expect((await blame(at(2)))?.subject).toBe("young");
  expect(read).toHaveLength(50);
});
