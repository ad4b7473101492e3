import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli } from "./run-cli.ts";

let folder = "";
const NAME = {
  GIT_AUTHOR_NAME: "a",
  GIT_AUTHOR_EMAIL: "a@example.org",
  GIT_COMMITTER_NAME: "a",
  GIT_COMMITTER_EMAIL: "a@example.org",
};

function git(at: string, ...args: readonly string[]): string {
  return execFileSync("git", ["-C", at, ...args], {
    env: { ...process.env, ...NAME },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  }).trim();
}

/** Two commits: main, and a branch `change` that opens 5433. */
async function repository(name: string, ...init: readonly string[]): Promise<string> {
  const path = join(folder, name);
  await runCli(["init", path]);
  git(path, "init", "-q", "-b", "main", ...init);
  git(path, "add", ".");
  git(path, "commit", "-qm", "one");
  git(path, "checkout", "-qb", "change");
  const file = join(path, "policies/policies/shop.yaml");
  await writeFile(file, (await readFile(file, "utf8")).replace("5432/tcp", "5432/tcp, 5433/tcp"));
  git(path, "commit", "-qam", "two");
  return path;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "firebreak-layouts-"));
  const full = await repository("full");
  git(full, "config", "uploadpack.allowFilter", "true");
  git(full, "worktree", "add", "-q", join(folder, "worktree"), "main");
  git(folder, "clone", "-q", "--shared", "full", "shared");
  git(folder, "clone", "-q", "--filter=blob:none", "--no-checkout", `file://${full}`, "partial");
  git(folder, "clone", "-q", "--depth", "1", "--branch", "change", `file://${full}`, "shallow");
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

test("diff reads every layout of Git that git reads (bug: borrowed objects and SHA-256 are called an answer that may come later)", async () => {
  await repository("sha256", "--object-format=sha256");
  for (const [layout, base, head] of [
    ["worktree", "main", "change"],
    ["shared", "origin/main", "HEAD"],
    ["partial", "origin/main", "origin/change"],
    ["sha256", "main", "HEAD"],
  ] as const) {
    const { code, stdout, stderr } = await runCli(["diff", base, head, "--definitions", "policies"], { cwd: join(folder, layout) });
    expect(stdout, `${layout}: ${stderr}`).toMatch(/opens\s+web\s+database\s+5433\/tcp/);
    expect(code, layout).toBe(0);
  }
});

test("a shallow clone says what it is, and the way out", async () => {
  const { stderr, code } = await runCli(["diff", "HEAD~1", "HEAD", "--definitions", "policies"], { cwd: join(folder, "shallow") });
  expect(code).toBe(1);
  expect(stderr).toMatch(/no commit HEAD~1\. This clone is shallow: `git fetch --unshallow`/);
});

test("review reads commits, whatever is checked out (bug: a folder that became a link is followed in the work tree)", async () => {
  const path = await repository("linked");
  git(path, "checkout", "-q", "main");
  const base = git(path, "rev-parse", "HEAD");
  await mkdir(join(path, "org"));
  await rename(join(path, "policies"), join(path, "org/policies"));
  await symlink("org/policies", join(path, "policies"));
  git(path, "add", "-A");
  git(path, "commit", "-qm", "moved");
  const head = git(path, "rev-parse", "HEAD");
  const answers = [];
  for (const commit of [head, base]) {
    git(path, "checkout", "-q", commit);
    answers.push(await runCli(["review", base, head], { cwd: path }));
  }
  expect(answers.map(({ code, stdout }) => [code, stdout.includes("REVISION_EMPTIES")])).toEqual([
    [1, true],
    [1, true],
  ]);
});

test("validate mentions a link to a folder, which the service refuses (bug: only a link to a file is told)", async () => {
  const path = await repository("links");
  await mkdir(join(path, "elsewhere"));
  await symlink("../elsewhere", join(path, "policies/more"));
  const { code, stdout, stderr } = await runCli(["validate", "policies"], { cwd: path });
  expect(`${stdout}${stderr}`).toMatch(/policies\/more.*a symbolic link/);
  expect(code).toBe(1);
});
