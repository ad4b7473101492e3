import { execFile } from "node:child_process";
import { existsSync, lstatSync, realpathSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import type { Blame } from "../core/explain/answer.ts";
import { FirebreakError } from "../core/ground/error.ts";
import { unknownName } from "../core/model/unknown-name.ts";
import type { Position } from "../core/model/note.ts";
import type { SourceFile } from "../core/model/source.ts";
import { AS_STORED, readCommitFiles } from "./git-files.ts";

const run = promisify(execFile);
const TIMEOUT_MS = 30_000;
const MAX_OUTPUT = 4 * 1024 * 1024;

/** A clone on this machine, by the folder of definitions in it. */
export interface Clone {
  readonly root: string;
  /** The folder of definitions, relative to the root, with `/`. */
  readonly path: string;
}

/**
 * The clone that a folder is in; undefined when there is none, or no git. The folder need not be checked out now, and may be a link in
 * the work tree: commits are asked by the name that was given.
 */
export async function findClone(folder: string): Promise<Clone | undefined> {
  const places = existsSync(folder) ? [folder] : ["."];
  if (existsSync(folder) && lstatSync(folder).isSymbolicLink()) places.unshift(dirname(resolve(folder)));
  for (const place of places) {
    const found = await git(place, ["rev-parse", "--show-toplevel"]).catch(() => undefined);
    if (found === undefined) continue;
    const root = found.trim();
    return { root, path: namedBelow(root, folder) ?? below(root, folder) };
  }
  return undefined;
}

/** The folder's name below the root as it was given, links below the root and all; undefined when no folder above it is the root. */
function namedBelow(root: string, folder: string): string | undefined {
  const names: string[] = [];
  for (let at = resolve(folder); ; at = dirname(at)) {
    if (existsSync(at) && realpathSync(at) === root) return names.join("/");
    if (dirname(at) === at) return undefined;
    names.unshift(basename(at));
  }
}

/** True for a clone that holds only the last commits. */
export async function isShallow({ root }: Clone): Promise<boolean> {
  return (await git(root, ["rev-parse", "--is-shallow-repository"]).catch(() => "")).trim() === "true";
}

/** A file here, as the clone names it: relative to its root, with `/`. */
export function pathIn({ root }: Clone, file: string): string {
  return below(root, file);
}

/** Git tells a root without symbolic links, so the file is looked at without them too. */
function below(root: string, file: string): string {
  const whole = existsSync(file) ? realpathSync(file) : join(realFolder(dirname(resolve(file))), basename(file));
  return relative(root, whole).split("\\").join("/");
}

function realFolder(folder: string): string {
  return existsSync(folder) ? realpathSync(folder) : folder;
}

/** Branches and tags that a name is held against. */
const MOST_REFS = 1_000;

/** The commit that a name means. @throws FirebreakError NOT_FOUND */
export async function commitNamed({ root }: Clone, name: string): Promise<string> {
  try {
    return (await git(root, ["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`])).trim();
  } catch (cause) {
    const isAnswer = cause instanceof Error && "code" in cause && cause.code === 1; // with --quiet: there is none
    if (!isAnswer) throw new FirebreakError("NOT_FOUND", `look for the commit ${JSON.stringify(name)}`, { cause });
    if (await isShallow({ root, path: "" }))
      throw unknownName("commit", name, [], "This clone is shallow: `git fetch --unshallow` brings the others");
    const known = await git(root, ["for-each-ref", `--count=${MOST_REFS}`, "--format=%(refname:short)"]);
    throw unknownName("commit", name, known.split("\n").filter(Boolean), "`git log --all --oneline` lists what this clone has");
  }
}

/** The commits that two histories parted at; one, but for none (they have nothing in common) and criss-cross merges. */
export async function mergeBases({ root }: Clone, a: string, b: string): Promise<readonly string[]> {
  try {
    return (await git(root, ["merge-base", "--all", a, b])).split("\n").filter((line) => line !== "");
  } catch (error) {
    if ((error as { code?: unknown }).code === 1) return []; // says so by its exit code
    throw new FirebreakError("GIT_UNREACHABLE", `find where ${a} and ${b} parted`, { cause: error });
  }
}

/** The definitions as one commit has them. */
export async function filesAt({ root, path }: Clone, commit: string): Promise<readonly SourceFile[]> {
  return await readCommitFiles(root, commit, path);
}

/** The last commit that touched a line of a file here; null for one that is not committed, or outside of any clone. */
export async function blameLine({ file, line }: Position): Promise<Blame | null> {
  let text: string;
  try {
    text = await git(dirname(file), ["blame", "--line-porcelain", "-L", `${line},${line}`, "--", basename(file)]);
  } catch {
    return null; // not in a clone, or not in Git: history says nothing about it
  }
  const commit = text.slice(0, text.indexOf(" ")); // 40 digits, or 64 where the repository counts by SHA-256
  if (/^0+$/.test(commit)) return null;
  const field = (name: string): string => new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1] ?? "";
  return {
    commit,
    author: `${field("author")} ${field("author-mail")}`.trim(),
    at: new Date(Number(field("author-time")) * 1000).toISOString(),
    subject: field("summary"),
  };
}

async function git(folder: string, args: readonly string[]): Promise<string> {
  const { stdout } = await run("git", ["-C", folder, ...args], {
    env: { ...process.env, ...AS_STORED },
    timeout: TIMEOUT_MS,
    maxBuffer: MAX_OUTPUT,
  });
  return stdout;
}
