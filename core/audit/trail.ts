/** What producers and readers of the audit log depend on; `adapters/trail` implements it on files. */
import type { EntryInput, StoredEntry } from "./entry.ts";
import type { EntryFilter } from "./filter.ts";

/** Proof for the caller that an entry is durable. */
export interface Receipt {
  readonly id: string;
  /** Its number in the log, from 0; `causedBy` of later entries. */
  readonly seq: number;
  /** True when this entry (same id, same content) was there already: this is the receipt of that one. */
  readonly isDuplicate: boolean;
  /** A signed checkpoint that covers it, as text. */
  readonly checkpoint: string;
}

/** Where entries go. */
export interface Trail {
  /**
   * Appends entries, in order, and resolves once a signed, fsynced checkpoint covers all of them: only then may the side effect of an
   * intent start. Receipts are in the order of the entries.
   *
   * Throws AUDIT_UNAVAILABLE when that could not be reached (then some of the entries may be in the log all the same: append them
   * again with the same ids), PLAN_INVARIANT_BROKEN for an entry that breaks the schema (none of this call is appended).
   */
  readonly append: (entries: readonly EntryInput[]) => Promise<readonly Receipt[]>;
}

/** Entries by number, and where to go on reading: `next` is absent at the end of the log. */
export interface EntryPage {
  readonly entries: readonly StoredEntry[];
  readonly next?: number;
}

/** Which entries to read: from `from` (default 0), at most `limit` (default 256), only those the filter lets through. */
export interface ReadRange {
  readonly from?: number | undefined;
  readonly limit?: number | undefined;
  readonly filter?: EntryFilter | undefined;
}

/** Where entries come from. */
export interface TrailReader {
  /** Entries in the order of the log. Throws AUDIT_CORRUPT for files that do not read. */
  readonly read: (range: ReadRange) => Promise<EntryPage>;
  /** The newest durable checkpoint, signed, as text. */
  readonly checkpoint: () => string;
  /** How many entries it covers. */
  readonly size: () => number;
}
