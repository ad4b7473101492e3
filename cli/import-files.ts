import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { FirebreakError } from "../core/ground/error.ts";
import { visible } from "../core/ground/visible.ts";
import { authorOf, pathsOf, type ImportedFile } from "../core/import/write.ts";
import { parseDefinitions } from "../core/model/parse.ts";
import type { SourceFile } from "../core/model/source.ts";
import { formatNotes } from "../core/text/notes.ts";
import { readDefinitionFolder } from "./source.ts";

/** What every import is told of what it writes. */
export interface WriteFilesOptions {
  readonly to: string;
  readonly owner?: string;
  readonly force?: true;
  readonly dryRun?: true;
  /** Open a pull request instead of writing here. */
  readonly pullRequest?: true;
  readonly config: string;
}

/** Files of the folder that this import does not replace: they name things, and the whole must read. @param folder the import's own, in it */
export async function readOthers(to: string, folder: string): Promise<readonly SourceFile[]> {
  if (!existsSync(to)) return [];
  const own = new Set(pathsOf(folder).map((path) => resolve(to, path)));
  const isOwn = ({ path, bytes }: SourceFile): boolean =>
    own.has(resolve(path)) && authorOf(new TextDecoder().decode(bytes)) !== "other";
  return (await readDefinitionFolder(to)).filter((file) => !isOwn(file));
}

/** How a file was written, or would be. */
export interface Written {
  readonly path: string;
  readonly how: "new" | "changed" | "the same" | "replaced, with what was edited in it";
}

/**
 * Writes what an import made, all or nothing; where it goes into a pull request, it is only looked at.
 *
 * @throws FirebreakError USAGE for a file that an import did not write, and for one that was edited since, without --force
 * @throws FirebreakError DEFINITION_INVALID when the repository would not read with it: its next commit would be refused
 */
export async function writeImported(
  files: readonly ImportedFile[],
  others: readonly SourceFile[],
  options: WriteFilesOptions,
): Promise<readonly Written[]> {
  if (options.pullRequest === true) {
    refuseWhatDoesNotRead(files, others, options);
    return [];
  }
  const drafts = await refuseOthersFiles(files, options);
  refuseWhatDoesNotRead(files, others, options);
  return await writeDrafts(drafts, options);
}

function refuseWhatDoesNotRead(
  files: readonly ImportedFile[],
  others: readonly SourceFile[],
  { to, owner }: WriteFilesOptions,
): void {
  const added = files.map(({ path, text }) => ({ path: join(to, path), bytes: new TextEncoder().encode(text) }));
  const errors = parseDefinitions([...others, ...added], { allow: undefined }).notes.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return;
  const wantsOwner =
    owner === undefined && errors.some(({ code, summary }) => code === "required-field" && summary.includes("owner"));
  throw new FirebreakError(
    "DEFINITION_INVALID",
    `with the import, ${to} would hold errors, so nothing is written${wantsOwner ? "; --owner TEAM names who owns the policies for which what is read names nobody" : ""}:\n${formatNotes(errors.slice(0, 20))}`,
  );
}

/** A file as it is to be, and as it is. */
interface Draft {
  readonly path: string;
  readonly text: string;
  readonly before: string | undefined;
  readonly author: "import" | "edited" | "other";
}

async function refuseOthersFiles(files: readonly ImportedFile[], { to, force }: WriteFilesOptions): Promise<readonly Draft[]> {
  const drafts = await Promise.all(
    files.map(async ({ path, text }): Promise<Draft> => {
      const before = await textOf(join(to, path));
      const author = before === undefined || before === text ? "import" : authorOf(before);
      return { path: join(to, path), text, before, author };
    }),
  );
  refuse(drafts, "other", "not written by an import, so it is not replaced; give another folder with --to");
  if (force !== true)
    refuse(
      drafts,
      "edited",
      "edited since an import wrote it, so it is not replaced; rename it, or replace it with what was edited by --force",
    );
  return drafts;
}

async function writeDrafts(drafts: readonly Draft[], { dryRun }: WriteFilesOptions): Promise<readonly Written[]> {
  return await Promise.all(
    drafts.map(async ({ path, text, before, author }): Promise<Written> => {
      if (before === text) return { path, how: "the same" };
      if (dryRun !== true) {
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, text);
      }
      if (author === "edited") return { path, how: "replaced, with what was edited in it" };
      return { path, how: before === undefined ? "new" : "changed" };
    }),
  );
}

function refuse(drafts: readonly Draft[], author: Draft["author"], why: string): void {
  const names = drafts.filter((draft) => draft.author === author).map(({ path }) => path);
  if (names.length > 0) throw new FirebreakError("USAGE", `${names.join(", ")}: ${why}`);
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** A line for each file. */
export function writtenLines(written: readonly Written[], dryRun: true | undefined): readonly string[] {
  return written.map(({ path, how }) => `  ${dryRun === true && how !== "the same" ? `would be ${how}` : how}: ${visible(path)}`);
}

/** `1 segment`, `3 policies`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** An RFC 1123 label, as names of definitions are. */
export function isName(text: string): boolean {
  return /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text);
}
