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
import { readDefinitionFolder } from "./source.ts";

/** Where definitions are looked for when neither the call nor the settings name a folder. */
const DEFAULT_FOLDER = "policies";

/** A folder of definitions as read. */
export interface LoadedDefinitions extends ParsedDefinitions {
  readonly folder: string;
  readonly files: number;
}

/**
 * Reads a folder of definitions: the one named, else that of the settings, else `policies`.
 *
 * @param settings whose `allow` bounds what definitions may name; undefined: not checked
 * @throws FirebreakError CONFIG_INVALID, NOT_FOUND; problems of the definitions are notes
 */
export async function loadDefinitions(dir: string | undefined, settings: SettingsFile | undefined): Promise<LoadedDefinitions> {
  const folder = dir ?? folderOf(settings) ?? DEFAULT_FOLDER;
  const files = await readDefinitionFolder(folder);
  if (files.length === 0)
    throw new FirebreakError("NOT_FOUND", `${folder} holds no definitions: no file that ends in .yaml or .yml`);
  const parsed = parseDefinitions(files, { allow: settings === undefined ? undefined : allowOf(settings) });
  const ineffective = parsed.definitions === undefined ? [] : noteIneffective(parsed.definitions);
  const ways =
    parsed.definitions === undefined || settings === undefined ? [] : noteLifelines(parsed.definitions, lifelineFloor(settings));
  const ends = parsed.definitions === undefined ? [] : noteExpiry(parsed.definitions, Date.now());
  return { ...parsed, notes: [...parsed.notes, ...ineffective, ...ways, ...ends], folder, files: files.length };
}

/** Where definitions are: in the repository that the settings name, if it is one on this machine; else below where we are. */
export function folderOf(settings: SettingsFile | undefined): string | undefined {
  if (settings === undefined) return undefined;
  const { url, path } = settings.repository;
  if (!isAbsolute(url)) return path;
  const near = relative(resolve("."), join(url, path)) || ".";
  return near.startsWith("..") ? join(url, path) : near;
}

/** As {@link loadDefinitions}, for verbs that go on with them. @throws FirebreakError DEFINITION_INVALID listing the errors */
export async function requireDefinitions(
  dir: string | undefined,
  settings: SettingsFile | undefined,
): Promise<LoadedDefinitions & { readonly definitions: Definitions }> {
  const loaded = await loadDefinitions(dir, settings);
  const { definitions, notes, folder } = loaded;
  if (definitions !== undefined) return { ...loaded, definitions };
  const errors = notes.filter(({ severity }) => severity === "error");
  throw new FirebreakError("DEFINITION_INVALID", `the definitions in ${folder} hold errors:\n${formatNotes(errors)}`);
}
