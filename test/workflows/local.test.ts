import { execFile } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { ownersOf, parseCodeowners } from "../../core/forge/codeowners.ts";
import { WORKFLOWS_FOLDER } from "./files.ts";
import { exampleText } from "./repository.ts";

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, "../..");

let folder: string;

/** A clone with the sample organisation and the hook, and `firebreak` on PATH. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "firebreak-hook-"));
  await git("init", "--quiet", "--initial-branch=main", ".");
  await mkdir(join(folder, "bin"));
  await writeFile(
    join(folder, "bin", "firebreak"),
    `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, "cli", "firebreak.ts")}' "$@"\n`,
  );
  await chmod(join(folder, "bin", "firebreak"), 0o755);
  await put("policies/targets.yaml", await exampleText("targets/clusters.yaml"));
  await put("policies/workspace.yaml", await exampleText("workspace.yaml"));
  await git("add", "policies");
  await git("commit", "--quiet", "-m", "policies");
  await copyFile(join(WORKFLOWS_FOLDER, "pre-commit", "pre-commit"), join(folder, ".git", "hooks", "pre-commit"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}

async function git(...args: readonly string[]): Promise<{ readonly code: number; readonly said: string }> {
  const env = {
    PATH: `${join(folder, "bin")}:/usr/local/bin:/usr/bin:/bin`,
    HOME: folder,
    GIT_CONFIG_GLOBAL: "/dev/null",
    ...Object.fromEntries(
      ["AUTHOR", "COMMITTER"].flatMap((who) => [
        [`GIT_${who}_NAME`, "T"],
        [`GIT_${who}_EMAIL`, "t@firebreak.test"],
      ]),
    ),
  };
  try {
    const { stdout, stderr } = await run("git", [...args], { cwd: folder, env });
    return { code: 0, said: stdout + stderr };
  } catch (error) {
    const failed = error as { readonly code: number; readonly stdout: string; readonly stderr: string };
    return { code: failed.code, said: failed.stdout + failed.stderr };
  }
}

const SEGMENT =
  "apiVersion: firebreak.dev/v1alpha1\nkind: Segment\nmetadata: {name: web}\nspec:\n  members: [{addresses: [10.99.0.0/24]}]\n";

describe("the hook", () => {
  // Bug: what is checked is the file in the folder, which was mended after `git add`; or the other way round.
  test("checks what is staged, and nothing else", async () => {
    await put("policies/web.yaml", SEGMENT.replace("members", "membrs"));
    await git("add", "policies");
    await put("policies/web.yaml", SEGMENT);
    const refused = await git("commit", "-m", "bad");
    expect(refused.code).not.toBe(0);
    expect(refused.said).toMatch(/policies\/web\.yaml:5:\d+: error: .*membrs/);
    await git("add", "policies");
    await put("policies/web.yaml", "no definition at all");
    expect(await git("commit", "-m", "good")).toMatchObject({ code: 0 });
    expect((await git("status", "--porcelain")).said).toContain(" M policies/web.yaml");
  });

  // Bug: every commit of everything else waits for it, or a machine without the program cannot commit.
  test("leaves other commits alone, and is no obstacle without the program", async () => {
    await put("README.md", "hello");
    await put("policies/workspace.yaml", "not staged");
    await git("add", "README.md");
    expect(await git("commit", "-m", "other")).toMatchObject({ code: 0 });
    await rm(join(folder, "bin", "firebreak"));
    await git("add", "policies");
    const unchecked = await git("commit", "-m", "unchecked");
    expect(unchecked).toMatchObject({ code: 0, said: expect.stringContaining("firebreak is not on PATH") as string });
    await git("rm", "-r", "--quiet", "policies");
    expect(await git("commit", "-m", "all gone")).toMatchObject({ code: 0 });
  });

  // Bug: a file that is a link leads the check out of the repository, or the name of a file is taken for an option.
  test("odd names and links are told, not followed", async () => {
    await put("policies/-o json\n.yaml", SEGMENT);
    await symlink("/etc/passwd", join(folder, "policies", "link.yaml"));
    await git("add", "policies");
    const { code, said } = await git("commit", "-m", "odd");
    expect(code).not.toBe(0);
    expect(said).toContain("policies/link.yaml");
    expect(said).not.toContain("root:");
  });
});

// Bug: the sample names a verb or a folder that is not there; its pattern does not match definitions.
test("each hook of the framework's file is a command that works", async () => {
  const text = await readFile(join(WORKFLOWS_FOLDER, "pre-commit", ".pre-commit-config.yaml"), "utf8");
  const { repos } = parse(text) as { repos: readonly { hooks: readonly { entry: string; files: string }[] }[] };
  const hooks = repos.flatMap((repo) => repo.hooks);
  expect(hooks).toHaveLength(2);
  for (const { entry, files } of hooks) {
    const env = { PATH: `${join(folder, "bin")}:/usr/bin:/bin`, HOME: folder };
    await run("sh", ["-c", entry], { cwd: folder, env });
    expect(
      ["policies/a.yaml", "policies/b/c.yml", "other/a.yaml", "policies/x.md"].filter((path) => new RegExp(files).test(path)),
    ).toHaveLength(2);
  }
});

// Bug: a line of the sample that matches nothing, or guardrails that a team may change by itself.
test("CODEOWNERS owns every file of the sample organisation, and guardrails belong to security alone", async () => {
  const rules = parseCodeowners(await readFile(join(WORKFLOWS_FOLDER, "CODEOWNERS"), "utf8"));
  expect(rules.length).toBeGreaterThan(5);
  const found = await readdir(join(ROOT, "policies", "example"), { recursive: true, withFileTypes: true });
  const paths = found.flatMap((entry) =>
    entry.isFile() ? [`policies/${join(entry.parentPath, entry.name).slice(join(ROOT, "policies", "example").length + 1)}`] : [],
  );
  for (const path of [...paths, ".github/workflows/check.yml", ".github/CODEOWNERS"]) {
    expect(ownersOf(rules, [path]), path).toContain("@your-org/network-security");
  }
  expect(ownersOf(rules, ["policies/guardrails/production.yaml", "policies/workspace.yaml"])).toEqual([
    "@your-org/network-security",
  ]);
  const all = [...paths, ".github/CODEOWNERS"];
  for (const rule of rules) expect(ownersOf([rule], all), rule.pattern).not.toEqual([]);
});
