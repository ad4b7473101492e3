import { isAbsolute, join, relative, resolve } from "node:path";
import { noteLifelines } from "../core/compile/lifeline.ts";
import { noteIneffective } from "../core/compile/ineffective.ts";
import { allowOf, lifelineFloor } from "../core/config/operator.ts";
import type { SettingsFile } from "../core/config/settings-schema.ts";
import { noteExpiry } from "../core/model/check/expiry.ts";
import { FirebreakError } from "../core/ground/error.ts";
import type { Definitions } from "../core/model/kinds.ts";
import { parseDefinitions, type ParsedDefinitions } from "../core/model/parse.ts";
import { formatNotes } from "../core/text/notes.ts";
import type { Note } from "../core/model/note.ts";
import { isDefinitionFile, LINK, SUBMODULE, type SourceFile } from "../core/model/source.ts";
import { commitNamed, filesAt, findClone } from "./git-clone.ts";
import { tell } from "./output.ts";
import { readFolder } from "./source.ts";
import { PARTED, partedNotes, shownPath } from "./work-tree.ts";

/** Where definitions are looked for when neither the call nor the settings name a folder. */
const DEFAULT_FOLDER = "policies";

/** A folder of definitions as read. */
export interface LoadedDefinitions extends ParsedDefinitions {
  readonly folder: string;
  /** How many hold definitions. */
  readonly files: number;
  readonly sources: readonly SourceFile[];
}

/** Where definitions are read. */
export interface Place {
  /** Undefined: the folder of the settings, else `policies`. */
  readonly dir: string | undefined;
  /** A commit of the clone that the folder is in, which is read as the service reads it; undefined: what lies here. */
  readonly at?: string | undefined;
}

/**
 * Reads definitions: of a folder as it lies here, or as a commit has it.
 *
 * @param settings whose `allow` bounds what definitions may name; undefined: not checked
 * @throws FirebreakError CONFIG_INVALID, NOT_FOUND, USAGE; problems of the definitions are notes
 */
export async function loadDefinitions({ dir, at }: Place, settings: SettingsFile | undefined): Promise<LoadedDefinitions> {
  const folder = dir ?? folderOf(settings) ?? DEFAULT_FOLDER;
  const { sources, parted } = at === undefined ? await readHere(folder) : { sources: await readCommit(folder, at), parted: [] };
  // A link, a submodule and an odd suffix are refused, each by its name.
  const isNone = sources.every(({ path, mode }) => !/\.ya?ml$/i.test(path) && mode !== LINK && mode !== SUBMODULE);
  if (isNone) throw new FirebreakError("NOT_FOUND", `${folder} holds no definitions: no file that ends in .yaml or .yml`);
  const files = sources.filter(({ path }) => isDefinitionFile(path)).length;
  const parsed = parseDefinitions(sources, { allow: settings === undefined ? undefined : allowOf(settings) });
  const ineffective = parsed.definitions === undefined ? [] : noteIneffective(parsed.definitions);
  const ways =
    parsed.definitions === undefined || settings === undefined ? [] : noteLifelines(parsed.definitions, lifelineFloor(settings));
  const ends = parsed.definitions === undefined ? [] : noteExpiry(parsed.definitions, Date.now());
  return { ...parsed, notes: [...parted, ...parsed.notes, ...ineffective, ...ways, ...ends], folder, files, sources };
}

async function readHere(folder: string): Promise<{ readonly sources: readonly SourceFile[]; readonly parted: readonly Note[] }> {
  const { files, workTree } = await readFolder(folder);
  return { sources: files, parted: workTree === undefined ? [] : await partedNotes(workTree, files) };
}

/** The files of a commit, by the paths that they have, or would have, here. */
async function readCommit(folder: string, at: string): Promise<readonly SourceFile[]> {
  const clone = await findClone(folder);
  if (clone === undefined)
    throw new FirebreakError("USAGE", `${folder} is in no clone of a repository: --at names a commit of one`);
  const files = await filesAt(clone, await commitNamed(clone, at));
  if (files.length === 0) throw new FirebreakError("NOT_FOUND", `${at} has no definitions in ${clone.path || "this clone"}`);
  return files.map((file) => ({ ...file, path: shownPath(folder, file.path) }));
}

/** Where definitions are: in the repository that the settings name, if it is one on this machine; else below where we are. */
export function folderOf(settings: SettingsFile | undefined): string | undefined {
  if (settings === undefined) return undefined;
  const { url, path } = settings.repository;
  if (!isAbsolute(url)) return path;
  const near = relative(resolve("."), join(url, path)) || ".";
  return near.startsWith("..") ? join(url, path) : near;
}

/**
 * As {@link loadDefinitions}, for verbs that go on with them; where what lies here is not what the service would read is told.
 *
 * @throws FirebreakError DEFINITION_INVALID listing the errors
 */
export async function requireDefinitions(
  place: Place,
  settings: SettingsFile | undefined,
): Promise<LoadedDefinitions & { readonly definitions: Definitions }> {
  const loaded = await loadDefinitions(place, settings);
  const { definitions, notes, folder } = loaded;
  const parted = notes.filter(({ code }) => PARTED.has(code));
  if (parted.length > 0) tell(formatNotes(parted));
  if (definitions !== undefined) return { ...loaded, definitions };
  const errors = notes.filter(({ severity }) => severity === "error");
  const where = place.at === undefined ? `in ${folder}` : `of ${place.at}`;
  throw new FirebreakError("DEFINITION_INVALID", `the definitions ${where} hold errors:\n${formatNotes(errors)}`);
}
