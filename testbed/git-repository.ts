/** A bare repository and commits made in it without a work tree. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { command, type CommandOptions } from "./command.ts";

/** Path to content; a string is UTF-8. */
export type Files = Readonly<Record<string, string | Uint8Array>>;

export interface CommitOptions {
  readonly branch?: string;
  /** "Name <address>" */
  readonly author?: string;
  /** The account that pushes, where the repository is on a forge; default its owner. */
  readonly as?: { readonly name: string; readonly token: string };
}

/** A change to make as one commit. */
export interface Change {
  readonly files: Files;
  readonly remove: readonly string[];
  /** File mode by path, where it is not 100644: "100755", "120000" (a link; the content is where it points). */
  readonly modes?: Readonly<Record<string, string>>;
  readonly message: string;
  /** Parent commit; undefined makes a root commit with nothing but `files`. */
  readonly parent: string | undefined;
}

/** Reads no configuration of the user or the machine: the same commit everywhere. */
export const GIT_ENV = { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1", GIT_TERMINAL_PROMPT: "0" } as const;

const AUTHOR = "Test Bed <testbed@firebreak.test>";
let indices = 0;

/** Creates a bare repository whose HEAD is `branch`. */
export async function createRepository(path: string, branch: string): Promise<void> {
  await command(["git", "init", "--quiet", "--bare", `--initial-branch=${branch}`, path], { env: GIT_ENV });
  for (const [key, value] of [
    ["http.receivepack", "true"],
    ["receive.denyNonFastForwards", "false"],
    ["receive.denyDeletes", "false"],
    ["uploadpack.allowAnySHA1InWant", "true"],
  ] as const) {
    await git(path, ["config", key, value]);
  }
}

/** Runs git in the repository and returns its trimmed output. */
export async function git(path: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return (await command(["git", "-C", path, ...args], { ...options, env: { ...GIT_ENV, ...options.env } })).trim();
}

/** The commit a branch points to, or undefined. */
export async function headOf(path: string, branch: string): Promise<string | undefined> {
  return (await refs(path)).get(`refs/heads/${branch}`);
}

/** All refs: full name to object id. */
export async function refs(path: string): Promise<ReadonlyMap<string, string>> {
  const text = await git(path, ["for-each-ref", "--format=%(refname) %(objectname)"]);
  return new Map(
    text
      .split("\n")
      .filter(Boolean)
      .map((line) => line.split(" ") as [string, string]),
  );
}

/** Writes a commit object; no ref moves. */
export async function writeCommit(path: string, change: Change, author = AUTHOR): Promise<string> {
  const index = join(path, `index.${process.pid}.${indices++}`);
  const env = { GIT_INDEX_FILE: index };
  try {
    await git(path, change.parent === undefined ? ["read-tree", "--empty"] : ["read-tree", change.parent], { env });
    const lines: string[] = [];
    for (const [name, content] of Object.entries(change.files)) {
      const blob = await git(path, ["hash-object", "-w", "--stdin"], { input: content });
      lines.push(`${change.modes?.[name] ?? "100644"} ${blob}\t${name}\0`);
    }
    for (const name of change.remove) lines.push(`0 ${"0".repeat(40)}\t${name}\0`);
    await git(path, ["update-index", "-z", "--index-info"], { env, input: lines.join("") });
    const tree = await git(path, ["write-tree"], { env });
    const parents = change.parent === undefined ? [] : ["-p", change.parent];
    return await git(path, ["commit-tree", tree, ...parents], { env: identity(author), input: `${change.message}\n` });
  } finally {
    await rm(index, { force: true });
  }
}

function identity(author: string): Record<string, string> {
  const [, name = "", email = ""] = /^(.*) <(.*)>$/.exec(author) ?? [];
  if (name === "" || email === "") throw new Error(`author "${author}": as in "Name <address>"`);
  return { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: email };
}
