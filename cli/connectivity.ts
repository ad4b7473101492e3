import { existsSync } from "node:fs";
import { lifelineFloor } from "../core/config/operator.ts";
import type { OperatorInputs } from "../core/compile/inputs.ts";
import { asIfApplied, madeUpWorld, savedWorld, type ConnectivityWorld } from "../core/guardrail/world.ts";
import { FirebreakError } from "../core/ground/error.ts";
import { parseDefinitions } from "../core/model/parse.ts";
import type { SourceFile } from "../core/model/source.ts";
import { formatNotes } from "../core/text/notes.ts";
import { visible } from "../core/ground/visible.ts";
import { folderOf, requireDefinitions } from "./definitions.ts";
import { commitNamed, filesAt, findClone } from "./git-clone.ts";
import { readInventory } from "./offline-world.ts";
import { tell } from "./output.ts";
import { serviceFromEnvironment } from "./service-address.ts";
import { loadSettings } from "./settings.ts";
import { DEFAULT_SETTINGS_FILE } from "./settings-file.ts";

/** Where a question about connections is answered from when no service is asked. */
export interface FolderOptions {
  readonly inventory?: string;
  readonly config?: string;
  /** Targets in `mode: plan` count as if they were applied; always so where workloads are made up. */
  readonly asApplied?: true;
  /** A commit of the clone that the folder is in, instead of what is checked out. */
  readonly at?: string;
}

/** A world, and the files that its definitions stand in. */
export interface ReadWorld extends ConnectivityWorld {
  readonly folder: string;
  /** As the commit has them that was asked about; undefined: as they lie in the folder. */
  readonly files: readonly SourceFile[] | undefined;
}

/**
 * Reads a folder of definitions, and the inventory when one is named; what cannot be answered is told on standard error.
 *
 * @throws FirebreakError DEFINITION_INVALID, CONFIG_INVALID, USAGE, NOT_FOUND
 */
export async function readWorld(dir: string | undefined, options: FolderOptions): Promise<ReadWorld> {
  const settings = await settingsIfThere(options.config ?? DEFAULT_SETTINGS_FILE);
  const isNamed = options.config !== undefined && options.config !== DEFAULT_SETTINGS_FILE;
  const used = isNamed || dir === undefined ? settings : undefined;
  const {
    folder,
    files,
    definitions: read,
  } = options.at === undefined
    ? { ...(await requireDefinitions(dir, used)), files: undefined }
    : await definitionsAtCommit(dir ?? folderOf(used) ?? "policies", options.at);
  const operator: OperatorInputs | undefined = settings && { floor: lifelineFloor(settings), ownPaths: [] };
  const now = Date.now();
  const definitions = options.asApplied === true ? asIfApplied(read).definitions : read;
  const world =
    options.inventory === undefined
      ? madeUpWorld(definitions, now, operator)
      : savedWorld(definitions, await readInventory(options.inventory), now, operator);
  for (const gap of world.gaps) tell(visible(gap));
  return { ...world, folder, files };
}

/** Definitions as a commit of a clone has them. */
async function definitionsAtCommit(folder: string, at: string) {
  const clone = await findClone(folder);
  if (clone === undefined)
    throw new FirebreakError("USAGE", `${folder} is in no clone of a repository: --at names a commit of one`);
  const files = await filesAt(clone, await commitNamed(clone, at));
  if (files.length === 0) throw new FirebreakError("NOT_FOUND", `${at} has no definitions in ${clone.path || "this clone"}`);
  const { definitions, notes } = parseDefinitions(files, { allow: undefined });
  if (definitions !== undefined) return { folder, files, definitions };
  const errors = notes.filter(({ severity }) => severity === "error");
  throw new FirebreakError("DEFINITION_INVALID", `the definitions of ${at} hold errors:\n${formatNotes(errors)}`);
}

/** The settings through which a service can be asked; undefined when neither they nor the environment name one. */
export function serviceNamed(config: string | undefined): string | undefined {
  const file = config ?? DEFAULT_SETTINGS_FILE;
  const isThere = config !== undefined || existsSync(file) || serviceFromEnvironment(process.env, file) !== undefined;
  return isThere ? file : undefined;
}

/** True when nobody named the service, and none runs: the definitions beside firebreak.yaml can answer. */
export function isAway(error: unknown, config: string | undefined): boolean {
  const isNamed = config !== undefined || serviceFromEnvironment(process.env, DEFAULT_SETTINGS_FILE) !== undefined;
  return !isNamed && error instanceof FirebreakError && error.code === "API_UNREACHABLE";
}

async function settingsIfThere(file: string) {
  return file === DEFAULT_SETTINGS_FILE && !existsSync(file) ? undefined : await loadSettings(file);
}
