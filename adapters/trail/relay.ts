import { type EntryInput, parseEntryInput } from "../../core/audit/entry.ts";
import { sha256 } from "../../core/audit/merkle.ts";
import type { Trail } from "../../core/audit/trail.ts";

/** A row that another process inserted; `input` is whatever it wrote, and is parsed here. */
export interface PendingRow {
  readonly rowId: string;
  readonly input: unknown;
}

/** The table `entries_pending`, as the sequencer's process sees it. The store implements it; both methods throw its own errors. */
export interface PendingSource {
  /** The oldest rows that are not integrated, at most `limit`, in the order they were inserted. */
  readonly takePending: (limit: number) => Promise<readonly PendingRow[]>;
  /** Tells the waiting producers the numbers of their entries. */
  readonly markIntegrated: (rows: readonly { readonly rowId: string; readonly seq: number }[]) => Promise<void>;
}

/** What to relay, and how many rows at once (default 256). */
export interface RelayOptions {
  readonly trail: Trail;
  readonly source: PendingSource;
  readonly limit?: number;
}

/**
 * Appends one batch of pending rows and marks them; returns how many there were, so that the caller asks again at once when there
 * were as many as the limit. Call it again after any error: rows that were appended and not marked get the number they have.
 *
 * A row that does not parse is logged as `entry.unreadable` with its text, so that it neither is dropped nor holds up the others.
 */
export async function integratePending({ trail, source, limit = 256 }: RelayOptions): Promise<number> {
  const rows = await source.takePending(limit);
  if (rows.length === 0) return 0;
  const receipts = await trail.append(rows.map(toInput));
  const marked = rows.flatMap(({ rowId }, index) => {
    const receipt = receipts[index];
    return receipt === undefined ? [] : [{ rowId, seq: receipt.seq }];
  });
  await source.markIntegrated(marked);
  return rows.length;
}

function toInput({ rowId, input }: PendingRow): EntryInput {
  const parsed = parseEntryInput(input);
  if (parsed.kind === "input") return parsed.input;
  const detail = { rowId, why: parsed.why, text: JSON.stringify(input) ?? "undefined" };
  // Its own id may be what does not parse, so the row's is hashed: short, and the same when the row is relayed again.
  const id = `entry.unreadable/${Buffer.from(sha256(Buffer.from(rowId))).toString("hex")}`;
  return { type: "entry.unreadable", id, outcome: "failed", detail };
}
