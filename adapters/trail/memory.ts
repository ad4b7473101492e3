import { readEntry, readEnvelope, type StoredEntry } from "../../core/audit/entry.ts";
import type { LogReader } from "../../core/audit/reader.ts";
import { TILE_WIDTH } from "../../core/audit/tiles.ts";
import { FirebreakError } from "../../core/model/error.ts";
import { readBundleEntries } from "./files.ts";
import { IdIndex } from "./ids.ts";

/** Reads the stored bytes of entry `seq`. Throws AUDIT_CORRUPT. */
export function readStored(bytes: Uint8Array, seq: number): StoredEntry {
  const read = readEntry(bytes);
  if (read.kind === "malformed") throw unreadable(seq, read.why);
  return read.entry;
}

/** Types that are read again at every start and look, and are few: where they are is remembered. */
const INDEXED: ReadonlySet<string> = new Set(["revision.accepted", "target.released", "plan.approved"]);

/** What has to be known of all entries while the log is open: their ids, the intents that have no outcome, where decisions are. */
export class EntryMemory {
  readonly ids = new IdIndex();
  readonly #decisions: number[] = [];
  readonly #openIntents = new Set<number>();
  /** How many entries are in here. */
  size = 0;

  /** Takes in the next entry. */
  add({
    seq,
    id,
    type,
    causedBy,
  }: {
    readonly seq: number;
    readonly id: string;
    readonly type: string;
    readonly causedBy?: unknown;
  }): void {
    this.ids.add(id, seq);
    this.size = seq + 1;
    if (INDEXED.has(type)) this.#decisions.push(seq);
    if (type === "apply.intent") this.#openIntents.add(seq);
    if (type === "apply.outcome" && typeof causedBy === "number") this.#openIntents.delete(causedBy);
  }

  /** Takes in what the log has beyond what is in here, up to `size` entries. Throws AUDIT_CORRUPT. */
  async catchUp(reader: LogReader, size: number): Promise<void> {
    while (this.size < size) {
      const bundle = Math.floor(this.size / TILE_WIDTH);
      const entries = await readBundleEntries(reader, bundle, size);
      for (const bytes of entries.slice(this.size - bundle * TILE_WIDTH)) {
        const read = readEnvelope(bytes);
        if (typeof read === "string" || read.seq !== this.size)
          throw unreadable(this.size, typeof read === "string" ? read : "it carries another number");
        this.add({ ...read, causedBy: read.fields["causedBy"] });
      }
    }
  }

  /** The number of the first entry from `from` on that may be of these types; `from` itself where that is not remembered. */
  firstOf(types: readonly string[] | undefined, from: number): number {
    if (types === undefined || !types.every((type) => INDEXED.has(type))) return from;
    return this.#decisions.find((seq) => seq >= from) ?? this.size;
  }

  /** The numbers of the intents without an outcome, oldest first. */
  openIntents(): readonly number[] {
    return [...this.#openIntents];
  }
}

function unreadable(seq: number, why: string): FirebreakError {
  return new FirebreakError("AUDIT_CORRUPT", `read the audit log: entry ${seq} does not read: ${why}`);
}
