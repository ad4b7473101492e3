import type { Selectable } from "kysely";
import { sql } from "kysely";
import { toJson } from "./json.ts";
import { run } from "./session.ts";
import type { Store } from "./session.ts";
import type { DeliveryTable, StoredError } from "./tables.ts";

/** One thing to tell one channel; written in the same transaction as the finding it tells of. */
export type DeliveryRow = Readonly<Selectable<DeliveryTable>>;

/**
 * Takes deliveries of one channel whose time has come, for `holdMs`: at most one per finding and channel, the oldest, so that a channel hears
 * `opened` before `resolved`. One that is neither delivered nor failed in that time is taken again, so delivery is at least once.
 */
export function takeDeliveries(
  store: Store,
  channel: string,
  now: number,
  holdMs: number,
  limit = 100,
): Promise<readonly DeliveryRow[]> {
  return run(store, "take deliveries", async (db) => {
    const taken = await sql<{ id: number }>`
      UPDATE firebreak.deliveries SET next_attempt_at = ${now + holdMs}, attempts = attempts + 1
      WHERE id IN (
        SELECT due.id FROM firebreak.deliveries due
        WHERE due.channel = ${channel} AND due.delivered_at IS NULL AND due.next_attempt_at <= ${now}
          AND NOT EXISTS (
            SELECT FROM firebreak.deliveries earlier
            WHERE earlier.delivered_at IS NULL AND earlier.channel = due.channel
              AND earlier.fingerprint = due.fingerprint AND earlier.id < due.id)
        ORDER BY due.id LIMIT ${limit} FOR UPDATE SKIP LOCKED)
      RETURNING id`.execute(db);
    if (taken.rows.length === 0) return [];
    const ids = taken.rows.map(({ id }) => id);
    return db.selectFrom("firebreak.deliveries").selectAll().where("id", "in", ids).orderBy("id").execute();
  });
}

/** It arrived. */
export function recordDelivered(store: Store, id: number, now: number): Promise<void> {
  return run(store, `record delivery ${id}`, async (db) => {
    await db
      .updateTable("firebreak.deliveries")
      .set({ deliveredAt: now, lastError: toJson(null) as never })
      .where("id", "=", id)
      .execute();
  });
}

/** It did not arrive; when to try again. */
export function recordDeliveryFailure(store: Store, id: number, error: StoredError, nextAttemptAt: number): Promise<void> {
  return run(store, `record a failed delivery ${id}`, async (db) => {
    await db
      .updateTable("firebreak.deliveries")
      .set({ nextAttemptAt, lastError: toJson(error) as never })
      .where("id", "=", id)
      .execute();
  });
}
