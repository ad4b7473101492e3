import { spawn } from "node:child_process";
import { FirebreakError } from "../core/ground/error.ts";
import { COMMIT_LIMITS as LIMITS, SUBMODULE, type SourceFile } from "../core/model/source.ts";

const TIMEOUT_MS = 60_000;
const TREE = "040000";

/** `git replace` puts other objects in the place of those that a commit names; the service knows nothing of it. */
export const AS_STORED = { GIT_NO_REPLACE_OBJECTS: "1" } as const;

interface Entry {
  readonly mode: string;
  readonly id: string;
  readonly path: string;
}

/**
 * Every file below `path` of a commit, as blobs, by the git that is installed: whatever layout a clone has (linked work trees, objects
 * borrowed from another clone, SHA-256, a partial clone that can still ask its origin), git itself reads it. Nothing is checked out or
 * followed; a path that is not there, or is a file or a link, holds no files.
 *
 * @throws FirebreakError LIMIT_EXCEEDED beyond the limits, NOT_FOUND when objects are missing, with the way out
 */
export async function readCommitFiles(root: string, commit: string, path: string): Promise<readonly SourceFile[]> {
  const tree = await git(root, [
    "rev-parse",
    "--verify",
    "--quiet",
    "--end-of-options",
    path === "" ? `${commit}^{tree}` : `${commit}:${path}`,
  ]);
  if (tree.code !== 0) return [];
  const id = tree.stdout.toString("utf8").trim();
  const kind = await git(root, ["cat-file", "-t", id]);
  if (kind.stdout.toString("utf8").trim() !== "tree") return [];
  const listed = await git(root, ["ls-tree", "-r", "-t", "-z", "--full-tree", id]);
  if (listed.isCut) throw tooMuch(commit, "there are more files and folders than git may list");
  if (listed.code !== 0) throw missing(commit, listed.stderr);
  const all = parseListing(listed.stdout);
  const entries = all.filter(({ mode }) => mode !== TREE);
  if (entries.length > LIMITS.files) throw tooMuch(commit, `there are more than ${LIMITS.files} files`);
  if (all.length - entries.length >= LIMITS.folders) throw tooMuch(commit, `there are more than ${LIMITS.folders} folders`);
  if (all.some(({ path: file }) => file.split("/").length - 1 > LIMITS.depth))
    throw tooMuch(commit, `folders are nested deeper than ${LIMITS.depth}`);
  const blobs = entries.filter(({ mode }) => mode !== SUBMODULE);
  const contents = await readBlobs(root, commit, blobs);
  return entries
    .map(({ mode, id: blob, path: file }) => ({ path: file, mode, bytes: contents.get(blob) ?? new Uint8Array() }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function parseListing(bytes: Buffer): readonly Entry[] {
  return bytes
    .toString("utf8")
    .split("\0")
    .flatMap((line) => {
      const found = /^(\d+) \w+ ([0-9a-f]+)\t([^]*)$/.exec(line);
      return found === null ? [] : [{ mode: found[1] ?? "", id: found[2] ?? "", path: found[3] ?? "" }];
    });
}

/** Sizes first, so that nothing beyond the limits is read. */
async function readBlobs(root: string, commit: string, entries: readonly Entry[]): Promise<ReadonlyMap<string, Uint8Array>> {
  const ids = [...new Set(entries.map(({ id }) => id))];
  if (ids.length === 0) return new Map();
  const input = `${ids.join("\n")}\n`;
  const checked = await git(root, ["cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)"], input);
  if (checked.code !== 0) throw missing(commit, checked.stderr);
  const sizes = new Map<string, number>();
  for (const line of checked.stdout.toString("utf8").split("\n")) {
    const [id = "", type, size] = line.split(" ");
    if (type === "missing") throw missing(commit, `${id} is missing`);
    if (type === "blob") sizes.set(id, Number(size));
  }
  let total = 0;
  for (const { id, path } of entries) {
    const size = sizes.get(id) ?? 0;
    total += size;
    if (size > LIMITS.fileBytes) throw tooMuch(commit, `${path} has ${size} bytes, the limit is ${LIMITS.fileBytes}`);
    if (total > LIMITS.totalBytes) throw tooMuch(commit, `the files together have more than ${LIMITS.totalBytes} bytes`);
  }
  const read = await git(root, ["cat-file", "--batch"], input);
  if (read.code !== 0) throw missing(commit, read.stderr);
  const contents = new Map<string, Uint8Array>();
  let at = 0;
  while (at < read.stdout.length) {
    const end = read.stdout.indexOf(10, at);
    const [id = "", , size = "0"] = read.stdout.subarray(at, end).toString("utf8").split(" ");
    contents.set(id, read.stdout.subarray(end + 1, end + 1 + Number(size)));
    at = end + 1 + Number(size) + 1;
  }
  return contents;
}

function tooMuch(commit: string, what: string): FirebreakError {
  return new FirebreakError("LIMIT_EXCEEDED", `read the definitions of ${commit}: ${what}`);
}

/** Objects that are not in the clone do not come by trying again. */
function missing(commit: string, why: string): FirebreakError {
  const reason = why.trim().split("\n").at(-1)?.slice(0, 200) ?? "";
  const wayOut = "objects of it are not in this clone; `git fetch --unshallow`, or a clone without --filter and --depth, has them";
  return new FirebreakError("NOT_FOUND", `read the definitions of ${commit}: ${wayOut} (git says: ${reason})`);
}

interface GitResult {
  /** It printed more than we take, and was ended. */
  readonly isCut: boolean;
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

function git(root: string, args: readonly string[], input = ""): Promise<GitResult> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...AS_STORED, GIT_TERMINAL_PROMPT: "0" };
    const child = spawn("git", ["-C", root, ...args], { timeout: TIMEOUT_MS, env, stdio: ["pipe", "pipe", "pipe"] });
    const stdout: Buffer[] = [];
    let size = 0;
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > 2 * LIMITS.totalBytes) child.kill();
      else stdout.push(chunk);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr = (stderr + text).slice(-4_000)));
    child.on("error", (cause) => reject(new FirebreakError("GIT_UNREACHABLE", "run git", { cause })));
    child.on("close", (code) => resolve({ code, isCut: size > 2 * LIMITS.totalBytes, stdout: Buffer.concat(stdout), stderr }));
    child.stdin.on("error", () => undefined); // it ended before it read everything; its exit code tells
    child.stdin.end(input);
  });
}
