import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { folderReader, readBundleEntries } from "../adapters/trail/files.ts";
import { parseCheckpoint } from "../core/audit/checkpoint.ts";
import { type StoredEntry, readEntry } from "../core/audit/entry.ts";
import { CHECKPOINT_PATH, TILE_WIDTH } from "../core/audit/tiles.ts";
import { FirebreakError } from "../core/ground/error.ts";
import { loadSettings } from "./settings.ts";
import type { ConfigOptions } from "./tree/common.ts";

/** What names the folder of a log. */
export interface FolderOptions extends ConfigOptions {
  readonly folder?: string;
}

/** The folder of the log: the one named, or the settings' (which are then not read). */
export async function auditFolder({ folder, config }: FolderOptions): Promise<string> {
  if (folder !== undefined) return folder;
  const { audit, stateFolder } = await loadSettings(config);
  return audit.folder ?? join(stateFolder, "audit");
}

/** The newest signed checkpoint as text, unverified. @throws FirebreakError NOT_FOUND when there is no log */
export async function readCheckpoint(folder: string): Promise<string> {
  try {
    return await readFile(join(folder, CHECKPOINT_PATH), "utf8");
  } catch (cause) {
    throw new FirebreakError("NOT_FOUND", `there is no audit log in ${folder}; --folder names another`, { cause });
  }
}

/** The entries that the checkpoint covers, in order; unverified: `audit verify` is for that. @throws FirebreakError AUDIT_CORRUPT, NOT_FOUND */
export async function* readEntries(folder: string): AsyncGenerator<StoredEntry> {
  const text = await readCheckpoint(folder);
  const size = parseCheckpoint(text.slice(0, text.indexOf("\n\n") + 1))?.size;
  if (size === undefined) throw new FirebreakError("AUDIT_CORRUPT", `the checkpoint in ${folder} does not read`);
  const reader = folderReader(folder);
  for (let bundle = 0; bundle * TILE_WIDTH < size; bundle++) {
    for (const bytes of await readBundleEntries(reader, bundle, size)) {
      const read = readEntry(bytes);
      if (read.kind === "malformed")
        throw new FirebreakError("AUDIT_CORRUPT", `an entry in bundle ${bundle} of ${folder} does not read: ${read.why}`);
      yield read.entry;
    }
  }
}
