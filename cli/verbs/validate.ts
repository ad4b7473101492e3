import { existsSync } from "node:fs";
import pc from "picocolors";
import type { SettingsFile } from "../../core/config/settings-schema.ts";
import type { Definitions } from "../../core/model/kinds.ts";
import { hasErrors } from "../../core/model/note.ts";
import { formatAnnotations } from "../../core/text/annotations.ts";
import { countDefinitions, formatDefinitionCounts } from "../../core/text/counts.ts";
import { countNotes, formatNotes } from "../../core/text/notes.ts";
import { workspaceSettings, type WorkspaceSetting } from "../../core/text/workspace.ts";
import { loadDefinitions, type LoadedDefinitions } from "../definitions.ts";
import { printResult, tell } from "../output.ts";
import { loadSettings } from "../settings.ts";
import { DEFAULT_SETTINGS_FILE } from "../settings-file.ts";
import type { OutputOptions } from "../tree/common.ts";

/** What `firebreak validate` takes. */
export interface ValidateOptions extends OutputOptions {
  readonly config?: string;
  readonly at?: string;
  readonly github?: true;
}

/** `firebreak validate [DIR]`: exit 1 with an error note, 0 with warnings only. */
export async function validate(dir: string | undefined, options: ValidateOptions): Promise<number> {
  const settings = await settingsFor(dir, options.config);
  const loaded = await loadDefinitions({ dir, at: options.at }, settings);
  const { notes, definitions } = loaded;
  if (settings === undefined) tell("what definitions may name (`allow`) is not checked; --config FILE checks it");
  if (options.github === true) process.stdout.write(notes.length === 0 ? "" : `${formatAnnotations(notes)}\n`);
  else await printResult(options.output, validateAnswer(loaded), () => validateText(loaded, options.at));
  const isFine = definitions !== undefined && !hasErrors(notes);
  return isFine ? 0 : 1;
}

/**
 * The settings whose `allow` is checked: those named, or ./firebreak.yaml when no folder is named either. A folder that is named is
 * somebody's, not necessarily of the operator whose file lies here.
 */
async function settingsFor(dir: string | undefined, config: string | undefined): Promise<SettingsFile | undefined> {
  if (config !== undefined) return await loadSettings(config);
  return dir === undefined && existsSync(DEFAULT_SETTINGS_FILE) ? await loadSettings(DEFAULT_SETTINGS_FILE) : undefined;
}

function validateAnswer({ notes, definitions }: LoadedDefinitions): unknown {
  const severities = { errors: "error", warnings: "warning", infos: "info" } as const;
  const counts = Object.fromEntries(
    Object.entries(severities).map(([name, wanted]) => [name, notes.filter(({ severity }) => severity === wanted).length]),
  );
  return {
    notes,
    counts: { ...counts, ...(definitions === undefined ? {} : countDefinitions(definitions)) },
    workspace: definitions === undefined ? null : workspaceSettings(definitions.workspace),
  };
}

function validateText({ folder, files, notes, definitions }: LoadedDefinitions, at: string | undefined): string {
  const color = process.stdout.isTTY && pc.isColorSupported;
  const lines: string[] = [];
  if (notes.length > 0) lines.push(formatNotes(notes, { color, isFolded: true }), "");
  if (definitions !== undefined) lines.push(...inForce(definitions), "");
  const held = definitions === undefined ? "not complete" : formatDefinitionCounts(countDefinitions(definitions));
  lines.push(
    `${folder}${at === undefined ? "" : ` at ${at}`} (${files} file${files === 1 ? "" : "s"}): ${held}`,
    countNotes(notes),
  );
  return lines.join("\n");
}

function inForce({ workspace }: Definitions): readonly string[] {
  const settings = workspaceSettings(workspace);
  const width = Math.max(...settings.map(({ field }) => field.length));
  const line = ({ field, value, isDefault }: WorkspaceSetting): string =>
    `  ${field.padEnd(width)}  ${value}${isDefault ? "  (default)" : ""}`;
  return ["Workspace in force:", ...settings.map(line)];
}
