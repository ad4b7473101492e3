import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { parseInventoryFile, type InventoryFile } from "../core/observed/inventory-file.ts";
import type { OperatorInputs } from "../core/compile/inputs.ts";
import { lifelineFloor } from "../core/config/operator.ts";
import type { SettingsFile } from "../core/config/settings-schema.ts";
import { FirebreakError } from "../core/ground/error.ts";
import type { Definitions } from "../core/model/kinds.ts";
import type { OfflineWorld } from "../core/plan/offline.ts";
import { requireDefinitions } from "./definitions.ts";
import { tell } from "./output.ts";
import { loadSettings } from "./settings.ts";
import { DEFAULT_SETTINGS_FILE } from "./settings-file.ts";

/** What names the parts of a world that no service is asked about. */
export interface OfflineOptions {
  readonly definitions?: string;
  /** A commit of the clone that the definitions are in, instead of what lies here. */
  readonly at?: string;
  readonly inventory?: string;
  readonly config?: string;
}

/** A sound mark for what is rendered without an installation. */
const NO_INSTANCE = "offline";

/**
 * Reads definitions, inventory and the operator's settings, and tells on standard error what is missing.
 *
 * @throws FirebreakError DEFINITION_INVALID, CONFIG_INVALID, USAGE, NOT_FOUND
 */
export async function readOfflineWorld({ definitions: dir, at, inventory, config }: OfflineOptions): Promise<OfflineWorld> {
  const settings = await settingsIfThere(config ?? DEFAULT_SETTINGS_FILE);
  const isNamed = config !== undefined && config !== DEFAULT_SETTINGS_FILE;
  const { definitions } = await requireDefinitions({ dir, at }, isNamed || dir === undefined ? settings : undefined);
  const seen = inventory === undefined ? nothingSeen() : await readInventory(inventory);
  if (settings === undefined && definitions.fleets.size > 0) {
    tell(`without ${DEFAULT_SETTINGS_FILE} the operator's lifeline is missing on hosts (--config FILE)`);
  }
  return { definitions, seen, operator: await operatorInputs(definitions, settings) };
}

/** A file that was not named need not be there. */
async function settingsIfThere(file: string): Promise<SettingsFile | undefined> {
  return file === DEFAULT_SETTINGS_FILE && !existsSync(file) ? undefined : await loadSettings(file);
}

function nothingSeen(): InventoryFile {
  return { version: 1, savedAt: new Date(0).toISOString(), instance: NO_INSTANCE, clusters: {}, hosts: {} };
}

/** Reads what `inventory save` wrote. @throws FirebreakError USAGE */
export async function readInventory(file: string): Promise<InventoryFile> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    throw new FirebreakError("USAGE", `read the inventory ${file}; \`firebreak inventory save\` writes one`, { cause });
  }
  return parseInventoryFile(value, file);
}

async function operatorInputs({ fleets }: Definitions, settings: SettingsFile | undefined): Promise<OperatorInputs> {
  if (settings === undefined) return { floor: { from: [], ports: [] }, ownPaths: [] };
  const isLocal = [...fleets.values()].some(({ transport }) => transport.kind === "local");
  if (!isLocal) return { floor: lifelineFloor(settings), ownPaths: [] };
  const { ownPaths } = await import("../services/own-paths.ts"); // looks names up: only where they are rendered
  return { floor: lifelineFloor(settings), ownPaths: await ownPaths([settings.repository.url, settings.forge?.url ?? ""]) };
}
