import { sql } from "kysely";
import { transact } from "./session.ts";
import type { Store } from "./session.ts";

/**
 * Removes what is done and older than `before` (ms since the epoch): closed work, answered requests, delivered messages,
 * integrated entries, ends that were told. Never anything open, no revision, no target, no finding: the audit log is the memory, this is its index.
 */
export function pruneStore(store: Store, before: number): Promise<void> {
  return transact(store, "remove old rows", async (tx) => {
    await tx.deleteFrom("firebreak.work").where("closedAt", "<", before).execute();
    await tx.deleteFrom("firebreak.requests").where("doneAt", "<", before).execute();
    await tx.deleteFrom("firebreak.deliveries").where("deliveredAt", "<", before).execute();
    await tx.deleteFrom("firebreak.noticeMembers").where("toldEnded", "=", true).where("changedAt", "<", before).execute();
    await sql`
      DELETE FROM firebreak.notices n WHERE due_at IS NULL AND since < ${before} AND (told->>'at')::bigint < ${before}
        AND NOT EXISTS (SELECT FROM firebreak.notice_members m WHERE m.notice = n.id)`.execute(tx);
    await tx
      .deleteFrom("firebreak.entriesPending")
      .where(sql<boolean>`integrated_at < ${before}`)
      .execute();
  });
}
