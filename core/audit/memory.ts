import { signCheckpoint } from "./checkpoint.ts";
import { encodeEntry } from "./encode.ts";
import { assertEntryInput, type Entry, type EntryInput } from "./entry.ts";
import { fillEntry } from "./fill.ts";
import { matchesFilter } from "./filter.ts";
import { formatSignerKey, parseSignerKey } from "./key.ts";
import { leafHash } from "./merkle.ts";
import { isSameEvent } from "./same.ts";
import type { EntryPage, ReadRange, Receipt, Trail, TrailReader } from "./trail.ts";
import { EMPTY_EDGE, edgeRoot, growTree } from "./tree.ts";

/** A trail in memory, with everything that was appended. */
export interface MemoryTrail extends Trail, TrailReader {
  readonly entries: readonly Entry[];
}

/** A trail that is durable nowhere: for tests of producers, and for runs that write nothing. Same receipts, same refusals. */
export function createMemoryTrail(now: () => Date = () => new Date(0)): MemoryTrail {
  const signer = parseSignerKey(formatSignerKey("memory", new Uint8Array(32)));
  const entries: Entry[] = [];
  let edge = EMPTY_EDGE;
  const checkpoint = (): string => signCheckpoint({ origin: "memory", size: edge.size, root: edgeRoot(edge) }, signer);

  const append = (input: EntryInput): Omit<Receipt, "checkpoint"> => {
    const origin = { service: "memory", instance: "memory" };
    const entry = fillEntry(input, { seq: entries.length, time: now().toISOString(), origin });
    const first = entries.find((known) => known.id === input.id && isSameEvent(known, entry));
    if (first !== undefined) return { id: input.id, seq: first.seq, isDuplicate: true };
    edge = growTree(edge, [leafHash(encodeEntry(entry))]).edge;
    entries.push(entry);
    return { id: input.id, seq: entry.seq, isDuplicate: false };
  };

  return {
    entries,
    checkpoint,
    size: () => entries.length,
    append: async (inputs) => {
      inputs.forEach(assertEntryInput);
      const receipts = inputs.map(append);
      return receipts.map((receipt) => ({ ...receipt, checkpoint: checkpoint() }));
    },
    read: async ({ from = 0, limit = 256, filter = {} }: ReadRange): Promise<EntryPage> => {
      const wanted = entries.filter((entry) => entry.seq >= from && matchesFilter(entry, filter));
      const next = wanted[limit]?.seq;
      return { entries: wanted.slice(0, limit), ...(next === undefined ? {} : { next }) };
    },
  };
}
