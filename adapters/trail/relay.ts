import { type EntryInput, parseEntryInput } from "../../core/audit/entry.ts";
import type { AuditOrigin } from "../../core/audit/fields.ts";
import { sha256 } from "../../core/audit/merkle.ts";
import type { Trail } from "../../core/audit/trail.ts";
import type { EntryType } from "../../core/audit/types.ts";

/** A row that another process inserted; `input` is whatever it wrote, and is parsed here. */
export interface PendingRow {
  readonly rowId: string;
  readonly input: unknown;
  /** Who wrote it, as far as the table itself knows: the only origin that is believed. Undefined: this process. */
  readonly writer: string | undefined;
}

/** What processes may say that do not hold the log: what was seen, and who was told. What is decided or done is never taken over. */
const RELAYED: ReadonlySet<EntryType> = new Set<EntryType>([
  "finding.opened",
  "finding.updated",
  "finding.resolved",
  "target.unreachable",
  "target.recovered",
  "watch.gap",
  "alert.sent",
  "alert.failed",
  "auth.denied",
]);

/** A clock may be ahead of ours by this much; a later time is not believed. */
const CLOCK_MS = 5 * 60_000;

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
  /** ms since the epoch */
  readonly now: number;
  readonly limit?: number;
}

/**
 * Appends one batch of pending rows and marks them; returns how many there were, so that the caller asks again at once when there
 * were as many as the limit. Call it again after any error: rows that were appended and not marked get the number they have.
 *
 * A row that does not parse, or says what its writer may not, is logged as `entry.unreadable` with its text, so that it neither is
 * dropped nor holds up the others. Its origin is stamped here.
 */
export async function integratePending({ trail, source, now, limit = 256 }: RelayOptions): Promise<number> {
  const rows = await source.takePending(limit);
  if (rows.length === 0) return 0;
  const receipts = await trail.append(rows.map((row) => toInput(row, now)));
  const marked = rows.flatMap(({ rowId }, index) => {
    const receipt = receipts[index];
    return receipt === undefined ? [] : [{ rowId, seq: receipt.seq }];
  });
  await source.markIntegrated(marked);
  return rows.length;
}

function toInput({ rowId, input, writer }: PendingRow, now: number): EntryInput {
  const parsed = parseEntryInput(input);
  const why = parsed.kind === "malformed" ? parsed.why : whyNotRelayed(parsed.input, now);
  if (parsed.kind === "input" && why === undefined) return { ...parsed.input, origin: originOf(writer) };
  const detail = { rowId, why: why ?? "it does not read", text: JSON.stringify(input) ?? "undefined" };
  // Its own id may be what does not parse, so the row's is hashed: short, and the same when the row is relayed again.
  const id = `entry.unreadable/${Buffer.from(sha256(Buffer.from(rowId))).toString("hex")}`;
  return { type: "entry.unreadable", id, outcome: "failed", detail, origin: originOf(writer) };
}

function whyNotRelayed({ type, actor, time }: EntryInput, now: number): string | undefined {
  if (!RELAYED.has(type)) return `an entry of type ${type} is written by who holds the log, and taken over from nobody`;
  if (actor !== undefined && actor.kind !== "system")
    return `it speaks for ${actor.kind} ${actor.id}, which who relays cannot know`;
  if (time !== undefined && Date.parse(time) > now + CLOCK_MS) return `its time ${time} is yet to come`;
  return undefined;
}

function originOf(writer: string | undefined): AuditOrigin | undefined {
  return writer === undefined ? undefined : { service: "relayed", instance: writer.slice(0, 200) };
}
