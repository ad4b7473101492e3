import { sql } from "kysely";
import { toJson } from "./json.ts";
import { run, type Store } from "./session.ts";
import type { StoredTrouble } from "./tables.ts";

/** What a process said of itself last. */
export interface ProcessRow {
  readonly role: string;
  /** Unique to this start of it. */
  readonly start: string;
  readonly troubles: readonly StoredTrouble[];
  /** How long ago it said so, by the database's clock; those of processes may differ. */
  readonly silentMs: number;
}

/** Fails with STORE_UNAVAILABLE when the database does not answer. */
export async function checkStore(store: Store): Promise<void> {
  await run(store, "ask whether the store answers", async (db) => void (await sql`SELECT 1`.execute(db)));
}

/** A sign of life of one role. Of several processes in one role the last one counts: one that works is enough. */
export async function recordProcess(store: Store, { role, start, troubles }: Omit<ProcessRow, "silentMs">): Promise<void> {
  await run(store, `record that ${role} runs`, async (db) => {
    const values = { role, start, troubles: toJson(troubles), seenAt: sql<Date>`clock_timestamp()` };
    await db
      .insertInto("firebreak.processes")
      .values(values)
      .onConflict((conflict) => conflict.column("role").doUpdateSet(values))
      .execute();
  });
}

/** Every role that was ever heard of, by name. */
export async function listProcesses(store: Store): Promise<readonly ProcessRow[]> {
  return await run(store, "list processes", async (db) => {
    const silent = sql<number>`(extract(epoch FROM clock_timestamp() - seen_at) * 1000)::bigint`;
    return await db
      .selectFrom("firebreak.processes")
      .select(["role", "start", "troubles", silent.as("silentMs")])
      .orderBy("role")
      .execute();
  });
}
