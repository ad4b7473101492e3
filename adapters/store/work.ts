import type { Selectable } from "kysely";
import { sql } from "kysely";
import type { TargetId } from "../../core/model/kinds.ts";
import { toJson, toText } from "./json.ts";
import { notifyWithin } from "./notify.ts";
import { run, transact } from "./session.ts";
import type { Store } from "./session.ts";
import type { WorkKind, WorkTable } from "./tables.ts";

/** A reason to reconcile a target. */
export type WorkRow = Readonly<Selectable<WorkTable>>;

/** A cause to record. */
export interface Cause {
  readonly target: TargetId;
  readonly kind: WorkKind;
  /** What people read later; ids, no contents. */
  readonly detail: unknown;
  /** Open rows with the same target, kind and key are one row (the newest detail wins). Default: one row per kind. */
  readonly key?: string;
  /** ms since the epoch; not before this time. Default: now. */
  readonly notBefore?: number;
}

/** Causes that end a back-off: somebody changed something, so trying again is no repetition. */
const ENDS_BACKOFF: ReadonlySet<WorkKind> = new Set<WorkKind>(["revision", "person", "release"]);

/**
 * Records why targets must be reconciled. A cause that joins an open row touches it, so that a run which read the row before
 * cannot close it: no cause is lost, and a target that is away for a day does not gather a row per second.
 */
export function addWork(store: Store, causes: readonly Cause[], now: number): Promise<void> {
  if (causes.length === 0) return Promise.resolve();
  return transact(store, `add work for ${causes.length} targets`, async (tx) => {
    for (const cause of causes) {
      const notBefore = cause.notBefore ?? now;
      await tx
        .insertInto("firebreak.work")
        .values({
          target: cause.target,
          kind: cause.kind,
          key: toText(cause.key ?? "", 200),
          detail: toJson(cause.detail),
          createdAt: now,
          notBefore,
        })
        .onConflict((conflict) =>
          conflict
            .columns(["target", "kind", "key"])
            .where("closedAt", "is", null)
            .doUpdateSet({
              detail: toJson(cause.detail),
              notBefore: sql<number>`least(work.not_before, ${notBefore})`,
              touched: sql<number>`work.touched + 1`,
            }),
        )
        .execute();
      if (ENDS_BACKOFF.has(cause.kind)) {
        await tx.updateTable("firebreak.targets").set({ nextAttemptAt: null }).where("id", "=", cause.target).execute();
      }
    }
    await notifyWithin(tx, "work");
  });
}

/** True for rows whose time has come. What was due when it was written is due, also when the clock has gone back since. */
function isDue(now: number) {
  return sql<boolean>`(work.not_before <= ${now} OR work.not_before <= work.created_at)`;
}

/** No back-off is longer; one that ends later was written before the clock went back. */
const LONGEST_BACKOFF_MS = 10 * 60_000;

/** Open rows of a target whose time has come, oldest first. */
export function openWork(store: Store, target: TargetId, now: number): Promise<readonly WorkRow[]> {
  return run(store, `read the work of ${target}`, (db) =>
    db
      .selectFrom("firebreak.work as work")
      .selectAll()
      .where("target", "=", target)
      .where("closedAt", "is", null)
      .where(isDue(now))
      .orderBy("id")
      .execute(),
  );
}

/** Every open row, for `status`. */
export function listOpenWork(store: Store): Promise<readonly WorkRow[]> {
  return run(store, "list open work", (db) =>
    db.selectFrom("firebreak.work").selectAll().where("closedAt", "is", null).orderBy("id").execute(),
  );
}

/** Closes rows exactly as they were read; one that was touched since stays open. Returns how many were closed. */
export function closeWork(store: Store, rows: readonly WorkRow[], outcome: string, now: number): Promise<number> {
  if (rows.length === 0) return Promise.resolve(0);
  return transact(store, `close ${rows.length} rows of work`, async (tx) => {
    let closed = 0;
    for (const row of rows) {
      const changed = await tx
        .updateTable("firebreak.work")
        .set({ closedAt: now, outcome: toText(outcome) })
        .where("id", "=", row.id)
        .where("touched", "=", row.touched)
        .where("closedAt", "is", null)
        .executeTakeFirst();
      closed += Number(changed.numUpdatedRows);
    }
    return closed;
  });
}

/** Targets for which a job should be in the queue: open work whose time has come, and no back-off running. Sorted by id. */
export function targetsWithOpenWork(store: Store, now: number): Promise<readonly TargetId[]> {
  return run(store, "list targets with open work", async (db) => {
    const rows = await db
      .selectFrom("firebreak.work as work")
      .leftJoin("firebreak.targets as target", "target.id", "work.target")
      .select("work.target as id")
      .distinct()
      .where("work.closedAt", "is", null)
      .where(isDue(now))
      .where(
        sql<boolean>`(target.next_attempt_at IS NULL OR target.next_attempt_at <= ${now}
          OR target.next_attempt_at > ${now + LONGEST_BACKOFF_MS})`,
      )
      .orderBy("work.target")
      .execute();
    return rows.map(({ id }) => id);
  });
}
