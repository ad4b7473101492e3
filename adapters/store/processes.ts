import { sql } from "kysely";
import { insertPendingWithin } from "./entries.ts";
import { toJson } from "./json.ts";
import { run, transact, type Store } from "./session.ts";
import type { StoredGap, StoredTrouble } from "./tables.ts";

/** What a process said of itself last. */
export interface ProcessRow {
  readonly role: string;
  /** Unique to this start of it. */
  readonly start: string;
  readonly troubles: readonly StoredTrouble[];
  /** How long ago it said so, by the database's clock; those of processes may differ. */
  readonly silentMs: number;
  /** Times in which it could not record what it saw, the newest last. */
  readonly gaps: readonly StoredGap[];
}

/** So many gaps of a role are kept for people to look at; the log has all. */
const KEPT_GAPS = 10;

export interface Watching {
  readonly role: string;
  /** A longer pause since the last time is a gap. */
  readonly longestMs: number;
  /** However short the pause was: something could not be recorded in it. */
  readonly isGap: boolean;
  /** The entry that tells the log of a gap. */
  readonly entryOf: (gap: StoredGap) => { readonly id: string; readonly input: unknown };
}

/** Fails with STORE_UNAVAILABLE when the database does not answer. */
export async function checkStore(store: Store): Promise<void> {
  await run(store, "ask whether the store answers", async (db) => void (await sql`SELECT 1`.execute(db)));
}

/** A sign of life of one role. Of several processes in one role the last one counts: one that works is enough. */
export async function recordProcess(
  store: Store,
  { role, start, troubles }: Pick<ProcessRow, "role" | "start" | "troubles">,
): Promise<void> {
  await run(store, `record that ${role} runs`, async (db) => {
    const values = { role, start, troubles: toJson(troubles), seenAt: sql<Date>`clock_timestamp()` };
    await db
      .insertInto("firebreak.processes")
      .values(values)
      .onConflict((conflict) => conflict.column("role").doUpdateSet(values))
      .execute();
  });
}

/**
 * Records that this role can record what it sees, and what it could not since the last time: for `status` and, in the same transaction, for
 * the log. Nothing for a role that never gave a sign of life.
 */
export async function recordWatch(store: Store, { role, longestMs, isGap, entryOf }: Watching): Promise<StoredGap | undefined> {
  return await transact(store, `record that ${role} watches`, async (tx) => {
    const ms = (time: string) => sql<number>`(extract(epoch FROM ${sql.raw(time)}) * 1000)::bigint`;
    const row = await tx
      .selectFrom("firebreak.processes")
      .select(["gaps", ms("watched_at").as("from"), ms("clock_timestamp()").as("until")])
      .where("role", "=", role)
      .forUpdate()
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const [from, until] = [Number(row.from), Number(row.until)];
    const gap = row.from !== null && (isGap || until - from > longestMs) ? { from, until } : undefined;
    const gaps = gap === undefined ? row.gaps : [...row.gaps, gap].slice(-KEPT_GAPS);
    await tx
      .updateTable("firebreak.processes")
      .set({ watchedAt: sql<Date>`clock_timestamp()`, gaps: toJson(gaps) })
      .where("role", "=", role)
      .execute();
    if (gap !== undefined) await insertPendingWithin(tx, [entryOf(gap)], until);
    return gap;
  });
}

/** Every role that was ever heard of, by name. */
export async function listProcesses(store: Store): Promise<readonly ProcessRow[]> {
  return await run(store, "list processes", async (db) => {
    const silent = sql<number>`(extract(epoch FROM clock_timestamp() - seen_at) * 1000)::bigint`;
    return await db
      .selectFrom("firebreak.processes")
      .select(["role", "start", "troubles", "gaps", silent.as("silentMs")])
      .orderBy("role")
      .execute();
  });
}
