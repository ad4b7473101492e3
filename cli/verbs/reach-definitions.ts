import type { Reach } from "../../core/reach/matrix.ts";
import { listSource } from "../../core/reach/listing.ts";
import { API, type ReachAnswer } from "../../core/api/shapes.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { formatNotes } from "../../core/text/notes.ts";
import { ApiClient } from "../api.ts";
import { readWorld } from "../connectivity.ts";
import { tell } from "../output.ts";
import { DEFAULT_SETTINGS_FILE } from "../settings-file.ts";

/** What `firebreak reach` takes when it is not asked about plain manifests. */
export interface ReachDefinitionsOptions {
  readonly inventory?: string;
  readonly at?: string;
  readonly live?: true;
  readonly running?: true;
  readonly config?: string;
}

/**
 * Who may connect to whom: as a folder of definitions says, as the revision in force says on the workloads of now, or as is enforced now
 * (of the service, or of a saved inventory).
 */
export async function reachOfDefinitions(dir: string | undefined, options: ReachDefinitionsOptions): Promise<Reach> {
  const isLive = options.live === true;
  if (options.running === true || (isLive && options.inventory === undefined)) return await askService(dir, options, isLive);
  const { approved, live } = await readWorld(dir, options);
  if (isLive && live === undefined) throw new FirebreakError("USAGE", "this inventory holds nothing of what is enforced");
  const found = listSource((isLive ? live : undefined) ?? approved);
  if (found.notes.length > 0) tell(formatNotes(found.notes));
  return found;
}

async function askService(
  dir: string | undefined,
  { inventory, at, config }: ReachDefinitionsOptions,
  isLive: boolean,
): Promise<Reach> {
  if (dir !== undefined || inventory !== undefined || at !== undefined) {
    throw new FirebreakError("USAGE", "the service is asked about the revision in force; leave out DIR, --at and --inventory");
  }
  const api = await ApiClient.connect(config ?? DEFAULT_SETTINGS_FILE);
  const { classes, connections, notes } = await api.get<ReachAnswer>(API.reach, isLive ? { live: "true" } : {});
  if (notes.length > 0) tell(formatNotes(notes));
  return { classes, connections, notes };
}
