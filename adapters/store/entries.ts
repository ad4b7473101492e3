import type { Selectable } from "kysely";
import { sql } from "kysely";
import { toJson } from "./json.ts";
import { notifyWithin, subscribe } from "./notify.ts";
import { pause } from "./requests.ts";
import { run, transact } from "./session.ts";
import type { Db, Store } from "./session.ts";
import type { PendingEntryTable } from "./tables.ts";

/** An audit entry that the sequencer has not made durable yet. */
export type PendingEntry = Readonly<Pick<Selectable<PendingEntryTable>, "id" | "input" | "createdAt" | "writtenBy">>;

/** Hints can be lost: waiting looks at the table this often anyway. */
const POLL_MS = 500;

/** Hands entries to the sequencer. The same id again changes nothing, so that a retry writes no second entry. */
export function insertPending(
  store: Store,
  entries: readonly { readonly id: string; readonly input: unknown }[],
  now: number,
): Promise<void> {
  if (entries.length === 0) return Promise.resolve();
  return transact(store, `hand over ${entries.length} entries`, async (tx) => await insertPendingWithin(tx, entries, now));
}

/** As `insertPending`, in the transaction of what the entries tell of: both happen, or neither. */
export async function insertPendingWithin(
  tx: Db,
  entries: readonly { readonly id: string; readonly input: unknown }[],
  now: number,
): Promise<void> {
  if (entries.length === 0) return;
  await tx
    .insertInto("firebreak.entriesPending")
    .values(entries.map(({ id, input }) => ({ id, input: toJson(input), createdAt: now })))
    .onConflict((conflict) => conflict.column("id").doNothing())
    .execute();
  await notifyWithin(tx, "entries");
}

/** Entries that wait for the sequencer, in the order of their arrival. Only the holder of the sequencer's lock acts on them. */
export function takePending(store: Store, limit: number): Promise<readonly PendingEntry[]> {
  return run(store, "read pending entries", (db) =>
    db
      .selectFrom("firebreak.entriesPending")
      .select(["id", "input", "createdAt", "writtenBy"])
      .where("integratedAt", "is", null)
      .orderBy("position")
      .limit(limit)
      .execute(),
  );
}

/** These entries are in the log, under these numbers, and a signed checkpoint includes them. */
export function markIntegrated(
  store: Store,
  entries: readonly { readonly id: string; readonly seq: number }[],
  now: number,
): Promise<void> {
  if (entries.length === 0) return Promise.resolve();
  return transact(store, `mark ${entries.length} entries integrated`, async (tx) => {
    for (const { id, seq } of entries) {
      await tx
        .updateTable("firebreak.entriesPending")
        .set({ seq, integratedAt: now })
        .where("id", "=", id)
        .where("integratedAt", "is", null)
        .execute();
    }
    await notifyWithin(tx, "integrated");
  });
}

/** Waits until all of them are in the log; their numbers by id. Give a signal with a deadline; its reason is thrown. */
export async function waitIntegrated(
  store: Store,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  for (;;) {
    const hint = new AbortController();
    const stop = subscribe(store, "integrated", () => hint.abort());
    try {
      const found = await integrated(store, ids);
      if (found.size === new Set(ids).size) return found;
      await pause(POLL_MS, AbortSignal.any([signal, hint.signal]));
    } finally {
      stop();
    }
    signal.throwIfAborted();
  }
}

async function integrated(store: Store, ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
  if (ids.length === 0) return new Map();
  const rows = await run(store, "look for integrated entries", (db) =>
    db
      .selectFrom("firebreak.entriesPending")
      .select(["id", sql<number>`seq`.as("seq")])
      .where("id", "in", [...ids])
      .where("integratedAt", "is not", null)
      .execute(),
  );
  return new Map(rows.map(({ id, seq }) => [id, seq]));
}
