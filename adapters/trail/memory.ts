import { readEntry, readEnvelope, type Envelope, type StoredEntry } from "../../core/audit/entry.ts";
import { LogFacts } from "../../core/audit/log-facts.ts";
import type { LogReader } from "../../core/audit/reader.ts";
import { TILE_WIDTH } from "../../core/audit/tiles.ts";
import { FirebreakError } from "../../core/ground/error.ts";
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

/** Where the entries are that tell how a target was left; each is a number of an entry. */
export interface LastApply {
  /** The outcome of the last apply that was read back and found right. */
  readonly applied: number | undefined;
  /** The intent of an apply that came after it, and of which that is not known. */
  readonly begun: number | undefined;
}

/** What has to be known of all entries while the log is open: their ids, the intents that have no outcome, where decisions are, how targets were left, and facts. */
export class EntryMemory {
  readonly ids = new IdIndex();
  readonly facts = new LogFacts();
  readonly #decisions: number[] = [];
  readonly #openIntents = new Set<number>();
  readonly #lastApplies = new Map<string, LastApply>();
  /** How many entries are in here. */
  size = 0;

  /** Takes in the next entry. */
  add({ seq, id, type, time, fields }: Envelope): void {
    const { causedBy, target, outcome } = fields;
    this.facts.add({ type, time, fields });
    this.ids.add(id, seq);
    this.size = seq + 1;
    if (INDEXED.has(type)) this.#decisions.push(seq);
    if (type === "apply.intent") this.#openIntents.add(seq);
    if (type === "apply.outcome" && typeof causedBy === "number") this.#openIntents.delete(causedBy);
    const about = (target as { readonly id?: unknown } | undefined)?.id; // an object or absent in whatever was stored
    if (typeof about === "string") this.#follow(about, seq, type, outcome);
  }

  #follow(target: string, seq: number, type: string, outcome: unknown): void {
    if (type === "apply.intent") this.#lastApplies.set(target, { ...this.lastApply(target), begun: seq });
    if (type === "apply.outcome" && outcome === "ok") this.#lastApplies.set(target, { applied: seq, begun: undefined });
    if (type === "target.released") this.#lastApplies.delete(target);
  }

  /** How a target was left. */
  lastApply(target: string): LastApply {
    return this.#lastApplies.get(target) ?? { applied: undefined, begun: undefined };
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
        this.add(read);
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
