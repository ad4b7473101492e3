import { FirebreakError } from "../../core/ground/error.ts";
import { COMMIT_LIMITS as LIMITS, SUBMODULE, type SourceFile } from "../../core/model/source.ts";
import { readCommitInfo } from "./history.ts";
import { parseTree, readRaw } from "./objects.ts";
import type { ObjectStore, TreeEntry } from "./objects.ts";

const TREE = "040000";

interface Found {
  readonly path: string;
  readonly entry: TreeEntry;
}

/**
 * Every file below `path` of a commit, sorted by path, as blobs: no work tree, nothing checked out, nothing followed. Files of
 * other modes come with their mode (a symbolic link holds its destination, a submodule nothing) for the caller to refuse.
 *
 * A path that is not there, or is a file: no files. With `standIn`, a file that is larger than one may be holds that text and the id of
 * its blob instead: enough to tell whether two commits have the same. It counts with its true size.
 *
 * @throws LIMIT_EXCEEDED before more than the limits is in memory (a single blob is the smallest step that Git offers)
 */
export async function readFiles(
  store: ObjectStore,
  commit: string,
  path: string,
  signal: AbortSignal,
  standIn?: string,
): Promise<readonly SourceFile[]> {
  const { tree } = await readCommitInfo(store, commit);
  const root = await treeAt(store, tree, path);
  if (root === undefined) return [];
  const found: Found[] = [];
  await collect(store, root, "", 0, { found, folders: 0 }, signal);
  const files: SourceFile[] = [];
  let total = 0;
  for (const { path: file, entry } of found) {
    signal.throwIfAborted();
    const bytes = entry.mode === SUBMODULE ? new Uint8Array() : await readRaw(store, entry.oid, "blob");
    total += bytes.byteLength;
    const isTooLarge = bytes.byteLength > LIMITS.fileBytes;
    if (isTooLarge && standIn === undefined)
      throw tooMuch(commit, `${file} has ${bytes.byteLength} bytes, the limit is ${LIMITS.fileBytes}`);
    if (total > LIMITS.totalBytes) throw tooMuch(commit, `the files together have more than ${LIMITS.totalBytes} bytes`);
    files.push({ path: file, bytes: isTooLarge ? Buffer.from(`${standIn} ${entry.oid}`) : bytes, mode: entry.mode });
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function treeAt(store: ObjectStore, root: string, path: string): Promise<string | undefined> {
  let tree = root;
  for (const name of path.split("/").filter((part) => part !== "" && part !== ".")) {
    const entry = parseTree(await readRaw(store, tree, "tree")).find((candidate) => candidate.name === name);
    if (entry?.mode !== TREE) return undefined;
    tree = entry.oid;
  }
  return tree;
}

/** What was collected so far. Folders count too: thirty trees, each holding the next one twice, are a billion folders without a file. */
interface Collection {
  readonly found: Found[];
  folders: number;
}

async function collect(
  store: ObjectStore,
  tree: string,
  prefix: string,
  depth: number,
  into: Collection,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  into.folders += 1;
  if (into.folders > LIMITS.folders) throw tooMuch(tree, `there are more than ${LIMITS.folders} folders`);
  if (depth > LIMITS.depth) throw tooMuch(tree, `folders are nested deeper than ${LIMITS.depth}`);
  for (const entry of parseTree(await readRaw(store, tree, "tree"))) {
    const path = `${prefix}${entry.name}`;
    if (entry.mode === TREE) {
      await collect(store, entry.oid, `${path}/`, depth + 1, into, signal);
      continue;
    }
    into.found.push({ path, entry });
    if (into.found.length > LIMITS.files) throw tooMuch(tree, `there are more than ${LIMITS.files} files`);
  }
}

function tooMuch(id: string, what: string): FirebreakError {
  return new FirebreakError("LIMIT_EXCEEDED", `read the definitions of ${id}: ${what}`);
}
