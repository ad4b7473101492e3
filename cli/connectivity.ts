import { existsSync } from "node:fs";
import { lifelineFloor } from "../core/config/operator.ts";
import type { OperatorInputs } from "../core/compile/inputs.ts";
import { asIfApplied, madeUpWorld, savedWorld, type ConnectivityWorld } from "../core/guardrail/world.ts";
import { FirebreakError } from "../core/ground/error.ts";
import type { SourceFile } from "../core/model/source.ts";
import { visible } from "../core/ground/visible.ts";
import { requireDefinitions } from "./definitions.ts";
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
  /** A commit of the clone that the folder is in, instead of what lies here. */
  readonly at?: string;
}

/** A world, and the files that its definitions stand in. */
export interface ReadWorld extends ConnectivityWorld {
  readonly folder: string;
  readonly files: readonly SourceFile[];
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
  const { folder, sources: files, definitions: read } = await requireDefinitions({ dir, at: options.at }, used);
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
