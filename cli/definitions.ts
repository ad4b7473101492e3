import { existsSync } from "node:fs";
import { allowOf } from "../core/config/operator.ts";
import type { SettingsFile } from "../core/config/settings-schema.ts";
import { FirebreakError } from "../core/model/error.ts";
import type { Definitions } from "../core/model/kinds.ts";
import { parseDefinitions, type ParsedDefinitions } from "../core/model/parse.ts";
import { formatNotes } from "../core/text/notes.ts";
import { loadSettings } from "./settings.ts";
import { DEFAULT_SETTINGS_FILE } from "./settings-file.ts";
import { readDefinitionFolder } from "./source.ts";

/** Where definitions are looked for when neither the call nor the settings name a folder. */
const DEFAULT_FOLDER = "policies";

/** A folder of definitions as read, and the settings that bound what they may name, if any. */
export interface LoadedDefinitions extends ParsedDefinitions {
  readonly folder: string;
  readonly files: number;
  readonly settings: SettingsFile | undefined;
}

/**
 * Reads a folder of definitions.
 *
 * `allow` is checked with the settings that the call names, or with ./firebreak.yaml when the call names no folder either: a folder
 * that is named is somebody's, not necessarily of the operator whose file lies here.
 *
 * @throws FirebreakError CONFIG_INVALID, NOT_FOUND; problems of the definitions are notes
 */
export async function loadDefinitions(dir: string | undefined, config: string | undefined): Promise<LoadedDefinitions> {
  const settings = await settingsFor(dir, config);
  const folder = dir ?? settings?.repository.path ?? DEFAULT_FOLDER;
  const files = await readDefinitionFolder(folder);
  const parsed = parseDefinitions(files, { allow: settings === undefined ? undefined : allowOf(settings) });
  return { ...parsed, folder, files: files.length, settings };
}

/** As {@link loadDefinitions}, for verbs that go on with them. @throws FirebreakError DEFINITION_INVALID listing the errors */
export async function requireDefinitions(
  dir: string | undefined,
  config: string | undefined,
): Promise<LoadedDefinitions & { readonly definitions: Definitions }> {
  const loaded = await loadDefinitions(dir, config);
  const { definitions, notes, folder } = loaded;
  if (definitions !== undefined) return { ...loaded, definitions };
  const errors = notes.filter(({ severity }) => severity === "error");
  throw new FirebreakError("DEFINITION_INVALID", `the definitions in ${folder} hold errors:\n${formatNotes(errors)}`);
}

async function settingsFor(dir: string | undefined, config: string | undefined): Promise<SettingsFile | undefined> {
  if (config !== undefined) return await loadSettings(config);
  return dir === undefined && existsSync(DEFAULT_SETTINGS_FILE) ? await loadSettings(DEFAULT_SETTINGS_FILE) : undefined;
}
