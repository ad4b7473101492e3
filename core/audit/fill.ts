import type { Entry, EntryInput } from "./entry.ts";
import type { AuditOrigin } from "./fields.ts";

/** What the sequencer knows and a producer does not, or may leave out. */
export interface EntryPlace {
  readonly seq: number;
  readonly time: string;
  readonly origin: AuditOrigin;
}

/** The entry that is stored for what a producer gave; its own `time` and `origin` win. */
export function fillEntry(input: EntryInput, { seq, time, origin }: EntryPlace): Entry {
  return { ...input, v: 1, seq, time: input.time ?? time, origin: input.origin ?? origin };
}
