import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openRepository } from "../../adapters/git/repository.ts";
import { loadDefinitions } from "../../cli/definitions.ts";
import { parseDefinitions } from "../../core/model/parse.ts";
import { runCli } from "./run-cli.ts";

let root = "";
const ME = { GIT_AUTHOR_NAME: "a", GIT_AUTHOR_EMAIL: "a@b.c", GIT_COMMITTER_NAME: "a", GIT_COMMITTER_EMAIL: "a@b.c" };

function git(...args: readonly string[]): string {
  const env = { ...process.env, ...ME, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  return execFileSync("git", ["-C", root, ...args], { env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
}

const segment = (name: string, more = ""): string =>
  `apiVersion: firebreak.dev/v1alpha1\nkind: Segment\nmetadata: {name: ${name}}\nspec: {members: [{addresses: [10.0.0.0/24]}]}\n${more}`;

async function put(path: string, text: string | Buffer): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}

function commit(): string {
  git("add", "-A");
  git("commit", "-qm", "one");
  return git("rev-parse", "HEAD");
}

/** Names of segments and codes of notes, as the command line has them. */
async function read(at?: string) {
  const { definitions, notes } = await loadDefinitions({ dir: join(root, "policies"), at }, undefined);
  return { segments: [...(definitions?.segments.keys() ?? [])], codes: notes.map(({ code }) => code) };
}

/** The same as the service has them. */
async function served(head: string) {
  const options = { url: root, branch: "main", path: "policies", folder: join(root, "cache"), auth: { kind: "none" } as const };
  const files = await openRepository(options).readDefinitions(head, new AbortController().signal);
  const { definitions, notes } = parseDefinitions(files);
  return { segments: [...(definitions?.segments.keys() ?? [])], codes: notes.map(({ code }) => code) };
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "firebreak-work-tree-"));
  git("init", "-q", "-b", "main");
  await put("policies/a.yaml", segment("a"));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

describe("a work tree, a commit and the service", () => {
  // Bug: a folder that the command line skips, or a rule over shared folders that looks at other files, hides definitions from the check.
  const LAYOUTS: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ["a folder node_modules", { "policies/node_modules/x/b.yaml": segment("b") }],
    ["a folder schema alone beside a text", { "policies/README.md": "hello", "policies/schema/c.yaml": segment("c") }],
    ["folders with a dot", { "policies/.github/d.yaml": segment("d"), "policies/.x": "" }],
    ["suffixes", { "policies/e.YAML": segment("e"), "policies/f.yml": segment("f") }],
    ["attributes", { "policies/.gitattributes": "*.yaml text eol=lf\n" }],
    ["a byte order mark", { "policies/g.yaml": `\ufeff${segment("g")}` }],
    ["line ends of Windows", { "policies/h.yaml": segment("h").replaceAll("\n", "\r\n") }],
    ["a file that is odd by name", { 'policies/"q.yaml': segment("q"), "policies/ö ü.yaml": segment("o") }],
  ];
  test.each(LAYOUTS)("are the same with %s", async (_, files) => {
    if ("policies/README.md" in files) await rm(join(root, "policies/a.yaml"));
    for (const [path, text] of Object.entries(files)) await put(path, text);
    const head = commit();
    const expected = await served(head);
    expect(await read(head)).toEqual(expected);
    expect(await read()).toEqual(expected);
  });

  // Bug: a submodule, a link or an executable file is read here and refused there.
  test("are the same with modes that are refused", async () => {
    await put("policies/x.yaml", segment("x"));
    await chmod(join(root, "policies/x.yaml"), 0o755);
    const first = commit();
    git("update-index", "--add", "--cacheinfo", `160000,${first},policies/sub`);
    await mkdir(join(root, "policies/sub"));
    git("commit", "-qm", "two");
    const head = git("rev-parse", "HEAD");
    const expected = await served(head);
    expect(expected.codes).toEqual(["submodule", "executable"]);
    expect(await read(head)).toEqual(expected);
    expect(await read()).toEqual(expected);
  });

  // Bug: `git replace` in a clone has somebody check another file than the service reads.
  test("a commit is read as it is stored, whatever replaces its objects here", async () => {
    const head = commit();
    await put("other.yaml", segment("other"));
    git("replace", git("rev-parse", "HEAD:policies/a.yaml"), git("hash-object", "-w", "other.yaml"));
    expect((await read("HEAD")).segments).toEqual(["a"]);
    expect(await read(head)).toEqual(await served(head));
  });
});

describe("what parts from a commit and git status does not show", () => {
  const parted = async (): Promise<readonly string[]> => {
    expect(git("status", "--porcelain")).toBe("");
    return (await read()).codes.filter((code) => code !== "unused-segment");
  };

  // Bug: what a reviewer reads and tests here is the expanded text; the service reads what stands between the signs.
  test("is told of ident", async () => {
    await put("policies/.gitattributes", "*.yaml ident\n");
    const blob = segment("a", "# $Id: anything that nobody sees $\n");
    await put("policies/a.yaml", blob);
    git("add", "policies/.gitattributes");
    await put("plain", blob);
    const id = git("hash-object", "-w", "--no-filters", "plain");
    await rm(join(root, "plain"));
    git("update-index", "--add", "--cacheinfo", `100644,${id},policies/a.yaml`);
    git("commit", "-qm", "one");
    git("checkout", "-q", "-f", "HEAD", "--", ".");
    expect((await read()).codes).toContain("other-bytes");
    expect((await read("HEAD")).codes).not.toContain("other-bytes");
  });

  // Bug: a filter or an encoding of Git turns what is reviewed into something else.
  test("is told of a filter, also where the file is new", async () => {
    git("config", "filter.up.clean", "sed s/10.0.0.0/10.0.0.128/");
    git("config", "filter.up.smudge", "sed s/10.0.0.128/10.0.0.0/");
    await put("policies/.gitattributes", "*.yaml filter=up\n");
    expect((await read()).codes).toContain("other-bytes");
    commit();
    expect(await parted()).toContain("other-bytes");
    expect((await read("HEAD")).codes).not.toContain("other-bytes");
  });

  // Bug: a change that the index was told not to look at is taken for what is committed.
  test("is told of marks of the index, and of what is not checked out", async () => {
    await put("policies/b.yaml", segment("b"));
    commit();
    git("update-index", "--assume-unchanged", "policies/a.yaml");
    await put("policies/a.yaml", segment("changed"));
    git("update-index", "--skip-worktree", "policies/b.yaml");
    await rm(join(root, "policies/b.yaml"));
    expect(await parted()).toEqual(expect.arrayContaining(["other-bytes", "not-checked-out"]));
  });

  // Bug: a file that no commit holds makes the check green or red.
  test("leaves out what Git ignores, and says so", async () => {
    await put(".gitignore", "generated/\n");
    await put("policies/generated/x.yaml", "not a definition");
    commit();
    expect(await parted()).toEqual(["ignored-by-git"]);
  });

  // Bug: every file of a clone on Windows is told, until nobody reads what is told.
  test("is not told of line ends, nor of a change that git status shows", async () => {
    await put("policies/.gitattributes", "*.yaml text eol=crlf\n");
    commit();
    await rm(join(root, "policies/a.yaml"));
    git("checkout", "-q", "--", "policies");
    expect(await parted()).toEqual(["git-attributes"]);
    await put("policies/a.yaml", segment("changed"));
    expect((await read()).codes).toEqual(["git-attributes", "unused-segment"]);
  });

  // Bug: `test` and `reach` answer from what lies here, and only `validate` would have said that it is something else.
  test("is told by verbs that go on with definitions, and not of a commit", async () => {
    commit();
    git("update-index", "--assume-unchanged", "policies/a.yaml");
    await put("policies/a.yaml", segment("changed"));
    const here = await runCli(["test", "policies"], { cwd: root });
    expect(here.stderr).toMatch(/policies\/a\.yaml:1:1.*not what Git stores/);
    const there = await runCli(["test", "policies", "--at", "HEAD"], { cwd: root });
    expect(there).toMatchObject({ code: 0, stderr: expect.not.stringContaining("not what Git stores") as string });
  });
});

// Bug: a folder that Git ignores as a whole, or one in no clone, is empty.
test("a folder in no commit is read as it lies", async () => {
  await put(".gitignore", "policies/\n");
  expect((await read()).segments).toEqual(["a"]);
  await rm(join(root, ".git"), { recursive: true });
  expect((await read()).segments).toEqual(["a"]);
});

// Bug: notes of a commit name files that nobody finds; an annotation of a pull request stands at no line.
test("notes of a commit name files as they lie here", async () => {
  await put("policies/b.yaml", "kind: Nothing\n");
  commit();
  await rm(join(root, "policies"), { recursive: true });
  const { stdout, code } = await runCli(["validate", "policies", "--at", "HEAD", "--github"], { cwd: root });
  expect([code, /file=([^,]*)/.exec(stdout)?.[1]]).toEqual([1, relative(root, join(root, "policies/b.yaml"))]);
});
