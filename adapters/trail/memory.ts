import { type Entry, readEntry, type StoredEntry } from "../../core/audit/entry.ts";
import { type LogReader } from "../../core/audit/reader.ts";
import { TILE_WIDTH } from "../../core/audit/tiles.ts";
import { FirebreakError } from "../../core/model/error.ts";
import { readBundleEntries } from "./files.ts";
import { IdIndex } from "./ids.ts";

/** Reads the stored bytes of entry `seq`. Throws AUDIT_CORRUPT. */
export function readStored(bytes: Uint8Array, seq: number): StoredEntry {
  const read = readEntry(bytes);
  if (read.kind === "malformed")
    throw new FirebreakError("AUDIT_CORRUPT", `read the audit log: entry ${seq} does not read: ${read.why}`);
  return read.entry;
}

/** What has to be known of all entries while the log is open: their ids, and the intents that have no outcome. */
export class EntryMemory {
  readonly ids = new IdIndex();
  readonly #openIntents = new Map<number, Entry>();
  /** How many entries are in here. */
  size = 0;

  /** Takes in the next entry. */
  add(entry: StoredEntry): void {
    this.ids.add(entry.id, entry.seq);
    this.size = entry.seq + 1;
    if (entry.type === "apply.intent") this.#openIntents.set(entry.seq, entry);
    if (entry.type === "apply.outcome") this.#openIntents.delete(entry.causedBy);
  }

  /** Takes in what the log has beyond what is in here, up to `size` entries. Throws AUDIT_CORRUPT. */
  async catchUp(reader: LogReader, size: number): Promise<void> {
    while (this.size < size) {
      const bundle = Math.floor(this.size / TILE_WIDTH);
      const entries = await readBundleEntries(reader, bundle, size);
      for (const bytes of entries.slice(this.size - bundle * TILE_WIDTH)) this.add(readStored(bytes, this.size));
    }
  }

  /** The intents without an outcome, oldest first. */
  openIntents(): readonly Entry[] {
    return [...this.#openIntents.values()];
  }
}
