import { lstat, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { FirebreakError } from "../core/ground/error.ts";
import { COMMIT_LIMITS, isAttributesFile, LINK, SUBMODULE, type SourceFile } from "../core/model/source.ts";
import { listWorkTree, shownPath, type WorkTree, type WorkTreeFile } from "./work-tree.ts";

/** A folder as it lies here, and what of it Git knows. */
export interface FolderFiles {
  readonly files: readonly SourceFile[];
  /** Undefined where the folder is no part of a clone. */
  readonly workTree: WorkTree | undefined;
}

/** The files below a folder as a commit of it would hold them. @see {@link readFolder} */
export async function readDefinitionFolder(folder: string): Promise<readonly SourceFile[]> {
  return (await readFolder(folder)).files;
}

/**
 * The files below a folder as a commit of it would hold them: in a clone what Git has in its index or would add, elsewhere all. A symbolic
 * link is not followed, its mode is told, also of one to a folder, because a commit with it is refused. Of files that hold no definitions
 * only that they are there is known, which decides what folders all files share.
 *
 * @throws FirebreakError NOT_FOUND when the folder cannot be read, LIMIT_EXCEEDED as for a commit
 */
export async function readFolder(folder: string): Promise<FolderFiles> {
  await entriesIn(folder); // one that is not there is said as such
  const workTree = await listWorkTree(folder);
  const files: SourceFile[] = [];
  let total = 0;
  for (const found of workTree === undefined ? await walk(folder) : [...workTree.files, ...(await linksIn(workTree))]) {
    if (files.length >= COMMIT_LIMITS.files) throw tooMuch(folder, `there are more than ${COMMIT_LIMITS.files} files`);
    const file = await readOne(folder, found);
    if (file === undefined) continue;
    total += file.bytes.length;
    if (total > COMMIT_LIMITS.totalBytes)
      throw tooMuch(folder, `the files together have more than ${COMMIT_LIMITS.totalBytes} bytes`);
    files.push(file);
  }
  return { files: files.sort((a, b) => (a.path < b.path ? -1 : 1)), workTree };
}

/** Undefined where Git knows of a file that is not here. */
async function readOne(folder: string, { path: name, mode: known }: WorkTreeFile): Promise<SourceFile | undefined> {
  const place = join(folder, name);
  const path = shownPath(folder, name);
  if (known === SUBMODULE) return { path, mode: known, bytes: new Uint8Array() };
  const status = await lstat(place).catch(() => undefined);
  if (status === undefined || status.isDirectory()) return undefined;
  const isLink = status.isSymbolicLink();
  const mode = isLink ? LINK : (known ?? ((status.mode & 0o111) === 0 ? "100644" : "100755"));
  const isRead = status.isFile() && (/\.ya?ml$/i.test(name) || isAttributesFile(name));
  if (isRead && status.size > COMMIT_LIMITS.totalBytes) throw tooMuch(folder, `${name} has ${status.size} bytes`);
  return { path, mode, bytes: isRead ? await readFile(place) : new Uint8Array() };
}

/** Links that Git ignores are refused with the others: nobody puts one among definitions without a reason. */
async function linksIn({ folder, ignored }: WorkTree): Promise<readonly WorkTreeFile[]> {
  const found: WorkTreeFile[] = [];
  for (const path of ignored.slice(0, COMMIT_LIMITS.files)) {
    if (path.endsWith("/")) continue;
    const status = await lstat(join(folder, path)).catch(() => undefined);
    if (status?.isSymbolicLink() === true) found.push({ path, mode: LINK });
  }
  return found;
}

/** Every file below a folder. */
async function walk(folder: string): Promise<readonly WorkTreeFile[]> {
  const found: WorkTreeFile[] = [];
  await into("", 0);
  return found;

  async function into(below: string, depth: number): Promise<void> {
    if (depth > COMMIT_LIMITS.depth) throw tooMuch(folder, `folders are nested deeper than ${COMMIT_LIMITS.depth}`);
    for (const entry of await entriesIn(join(folder, below))) {
      const path = below === "" ? entry.name : `${below}/${entry.name}`;
      if (!entry.isDirectory()) found.push({ path, mode: undefined });
      else if (entry.name !== ".git") await into(path, depth + 1);
      if (found.length > COMMIT_LIMITS.files) throw tooMuch(folder, `there are more than ${COMMIT_LIMITS.files} files`);
    }
  }
}

async function entriesIn(folder: string) {
  try {
    return (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (cause) {
    if (codeOf(cause) === "ENOTDIR")
      throw new FirebreakError(
        "USAGE",
        `${folder} is a file: definitions name each other, so a folder is read whole; name its folder`,
      );
    if (codeOf(cause) === "ENOENT")
      throw new FirebreakError(
        "NOT_FOUND",
        `there is no folder ${folder}; name one that is there, or \`firebreak init\` writes one`,
      );
    throw new FirebreakError("NOT_FOUND", `read the folder ${folder}`, { cause });
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

function tooMuch(folder: string, what: string): FirebreakError {
  return new FirebreakError("LIMIT_EXCEEDED", `read the definitions in ${folder}: ${what}`);
}
