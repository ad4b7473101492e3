import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { join, relative, resolve } from "node:path";
import type { Note } from "../core/model/note.ts";
import { isAttributesFile, isDefinitionFile, LINK, SUBMODULE, type SourceFile } from "../core/model/source.ts";

const TIMEOUT_MS = 60_000;
const MAX_OUTPUT = 64 * 1024 * 1024;
/** Names of files in one note. */
const NAMED = 3;

/** A file below a folder as it is shown: relative to where we are, or as the user typed the folder where that is elsewhere. */
export function shownPath(folder: string, name: string): string {
  const place = join(folder, name);
  const near = relative(resolve("."), resolve(place));
  return near.startsWith("..") ? place : near;
}

/** A file of a folder, its name relative to it. */
export interface WorkTreeFile {
  readonly path: string;
  /** As a commit of it would have it; undefined: as it lies here. */
  readonly mode: string | undefined;
}

/** What a commit of a folder would hold, and how that is known. */
export interface WorkTree {
  readonly folder: string;
  readonly files: readonly WorkTreeFile[];
  /** Ids of blobs in the index, of files that Git shows as not changed. */
  readonly unchanged: ReadonlyMap<string, string>;
  /** Files and folders (with `/`) that Git ignores, so that no commit holds them. */
  readonly ignored: readonly string[];
}

/**
 * What Git would commit of a folder: its index, and what is new and not ignored. Nothing is written, and no file is followed.
 *
 * @returns undefined where the folder is in no clone, is ignored as a whole, or git cannot be asked
 */
export async function listWorkTree(folder: string): Promise<WorkTree | undefined> {
  const [index, changed, added, ignored] = await Promise.all([
    ask(folder, ["ls-files", "-z", "--stage"]),
    ask(folder, ["ls-files", "-z", "--modified", "--deleted"]),
    ask(folder, ["ls-files", "-z", "--others", "--exclude-standard"]),
    ask(folder, ["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"]),
  ]);
  if (index === undefined || changed === undefined || added === undefined || ignored === undefined) return undefined;
  const isChanged = new Set(namesIn(changed));
  const tracked = entriesOf(index);
  // A folder with an end on `/` is a repository of its own: adding it makes it a submodule.
  const fresh = namesIn(added).map((name) =>
    name.endsWith("/") ? { path: name.slice(0, -1), mode: SUBMODULE } : { path: name, mode: undefined },
  );
  const names = namesIn(ignored);
  if (tracked.size === 0 && fresh.length === 0 && names.length > 0) return undefined;
  return {
    folder,
    files: [...[...tracked].map(([path, { mode }]) => ({ path, mode: isChanged.has(path) ? undefined : mode })), ...fresh],
    unchanged: new Map([...tracked].flatMap(([path, { id }]) => (isChanged.has(path) ? [] : [[path, id] as const]))),
    ignored: names,
  };
}

/**
 * Where what lies here is not what the service would read, and `git status` does not show it: filters and conversions of
 * `.gitattributes`, marks of the index that hide a change, files that are not checked out, files that Git ignores.
 */
export async function partedNotes(
  { folder, files: listed, unchanged, ignored }: WorkTree,
  files: readonly SourceFile[],
): Promise<readonly Note[]> {
  const here = new Map(files.map((file) => [file.path, file]));
  const matters = ({ path, mode }: WorkTreeFile): boolean =>
    mode !== SUBMODULE && mode !== LINK && (isDefinitionFile(path) || isAttributesFile(path));
  const asked = listed.filter(matters);
  const read = asked.flatMap(({ path }) => {
    const file = here.get(shownPath(folder, path));
    return file === undefined || file.mode === LINK ? [] : [{ path, bytes: file.bytes }];
  });
  const open = read.filter(({ path, bytes }) => !isBlob(unchanged.get(path), bytes));
  const stored = new Map(unchanged);
  const converted = await storedIds(
    folder,
    open.flatMap(({ path }) => (unchanged.has(path) ? [] : [path])),
  );
  for (const [path, id] of converted ?? []) stored.set(path, id);
  const other = open.filter(({ path, bytes }) => !isBlob(stored.get(path), bytes)).map(({ path }) => path);
  const isHere = new Set(read.map(({ path }) => path));
  const missing = asked.filter(({ path }) => unchanged.has(path) && !isHere.has(path)).map(({ path }) => path);
  const hidden = ignored.filter((path) => path.endsWith("/") || isDefinitionFile(path));
  return [
    ...other.map((path) => fileNote(folder, path, "other-bytes", OTHER)),
    ...missing.map((path) => fileNote(folder, path, "not-checked-out", MISSING)),
    ...(hidden.length === 0 ? [] : [ignoredNote(folder, hidden)]),
  ];
}

/** Codes of notes that say where a work tree and a commit part, and that nobody is left to guess. */
export const PARTED: ReadonlySet<string> = new Set(["other-bytes", "not-checked-out"]);

const OTHER = {
  summary: "what lies here is not what Git stores for this file, and git status does not show it",
  detail:
    "A filter or conversion of .gitattributes or of Git's settings makes it so, or a mark of the index (assume-unchanged). The service reads what Git stores; --at HEAD reads that",
};
const MISSING = {
  summary: "Git has this file, and it is not checked out here",
  detail: "The service reads it; --at HEAD does, too",
};

function fileNote(folder: string, path: string, code: string, text: typeof OTHER): Note {
  return { severity: "warning", code, at: { file: shownPath(folder, path), line: 1, column: 1 }, ...text };
}

function ignoredNote(folder: string, hidden: readonly string[]): Note {
  const more = hidden.length > NAMED ? ` and ${hidden.length - NAMED} more` : "";
  const names = hidden.slice(0, NAMED).map((path) => join(folder, path));
  return {
    severity: "info",
    code: "ignored-by-git",
    summary: `not read, because Git ignores it: ${names.join(", ")}${more}`,
    detail: "No commit holds it, so the service never sees it",
  };
}

/** True when a blob with this id holds these bytes, line ends aside: YAML reads both the same. */
function isBlob(id: string | undefined, bytes: Uint8Array): boolean {
  if (id === undefined) return false;
  if (blobId(bytes, id.length) === id) return true;
  const text = Buffer.from(bytes).toString("latin1");
  return [text.replaceAll("\r\n", "\n"), text.replaceAll("\r\n", "\n").replaceAll("\n", "\r\n")].some(
    (same) => same !== text && blobId(Buffer.from(same, "latin1"), id.length) === id,
  );
}

/** @param digits of an id: 40 of SHA-1, 64 of SHA-256 */
function blobId(bytes: Uint8Array, digits: number): string {
  return createHash(digits === 64 ? "sha256" : "sha1")
    .update(`blob ${bytes.length}\0`)
    .update(bytes)
    .digest("hex");
}

/** What Git would store of these files, as ids of blobs; undefined when it cannot say, for example because a filter fails. */
async function storedIds(folder: string, paths: readonly string[]): Promise<ReadonlyMap<string, string> | undefined> {
  const sayable = paths.filter((path) => !path.includes("\n"));
  if (sayable.length === 0) return new Map();
  // Git takes these names from the root of the work tree, wherever it is called.
  const [root, prefix = ""] = (await ask(folder, ["rev-parse", "--show-toplevel", "--show-prefix"]))?.split("\n") ?? [];
  if (root === undefined) return undefined;
  const input = sayable.map((path) => `${lineOf(prefix + path)}\n`).join("");
  const ids = (await ask(root, ["hash-object", "--stdin-paths"], input))?.trim().split("\n");
  return ids?.length === sayable.length ? new Map(sayable.map((path, index) => [path, ids[index] ?? ""])) : undefined;
}

/** A quotation mark in front would begin a quoted name. */
function lineOf(path: string): string {
  return path.startsWith('"') ? `"${path.replaceAll(/["\\]/g, "\\$&")}"` : path;
}

interface Tracked {
  readonly mode: string;
  readonly id: string;
}

/** The last stage of a file in conflict stands for it: its text here holds the marks of the conflict anyway. */
function entriesOf(listing: string): ReadonlyMap<string, Tracked> {
  return new Map(
    listing.split("\0").flatMap((line) => {
      const found = /^(\d+) ([0-9a-f]+) \d\t([^]+)$/.exec(line);
      return found === null ? [] : [[found[3] ?? "", { mode: found[1] ?? "", id: found[2] ?? "" }] as const];
    }),
  );
}

function namesIn(listing: string): readonly string[] {
  return listing.split("\0").filter((name) => name !== "");
}

/** Which repository it is, is asked of the folder, whatever a hook that runs us says. */
const OF_A_HOOK = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR"];

/** What git prints; undefined when it fails, prints without end, or is not there. */
function ask(folder: string, args: readonly string[], input = ""): Promise<string | undefined> {
  return new Promise((resolve) => {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !OF_A_HOOK.includes(name)));
    const child = spawn("git", ["-C", folder, ...args], { env, timeout: TIMEOUT_MS, stdio: ["pipe", "pipe", "ignore"] });
    const chunks: Buffer[] = [];
    let size = 0;
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_OUTPUT) child.kill();
      else chunks.push(chunk);
    });
    child.on("error", () => resolve(undefined)); // no git here
    child.on("close", (code) => resolve(code === 0 ? Buffer.concat(chunks).toString("utf8") : undefined));
    child.stdin.on("error", () => undefined); // it ended before it read everything; its exit code tells
    child.stdin.end(input);
  });
}
