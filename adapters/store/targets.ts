import type { Selectable } from "kysely";
import { sql } from "kysely";
import { FirebreakError } from "../../core/ground/error.ts";
import type { Denials } from "../../core/observed/denials.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import { endFindings, type EntriesOf } from "./findings.ts";
import { toJson } from "./json.ts";
import { leaseRuns } from "./leases.ts";
import { notifyWithin } from "./notify.ts";
import { run, transact } from "./session.ts";
import type { Db, Store } from "./session.ts";
import type { StoredError, StoredIntent, TargetTable } from "./tables.ts";

/**
 * What is known of one target: a pointer (revision, plan, membership digest, generation), never a copy of what it enforces.
 *
 * `wantedSequence` is the revision it should have; an orphan's stays at the last one that named it. `intent` is what was about to
 * be sent when the row was written: present while an apply runs and after one that never told how it ended.
 */
export type TargetRow = Readonly<Selectable<TargetTable>>;

/** A target as a revision names it. */
export interface NamedTarget {
  readonly id: TargetId;
  readonly mode: "plan" | "apply";
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Records which targets a revision names: new ones are added, those it no longer names become orphans (kept, frozen at the last
 * revision that named them), those that are back are no orphans any more. Nothing is ever deleted here.
 *
 * A revision older than one that was recorded changes nothing: a process that was slow must not take targets back.
 */
export function recordTargets(store: Store, named: readonly NamedTarget[], sequence: number, now: number): Promise<void> {
  return transact(store, `record the targets of revision ${sequence}`, async (tx) => {
    // One at a time, in the order of revisions: acceptances lock this row as well.
    await tx.selectFrom("firebreak.counters").select("value").where("name", "=", "revision").forUpdate().execute();
    const { newest } = await tx
      .selectFrom("firebreak.targets")
      .select(sql<number | null>`max(wanted_sequence)`.as("newest"))
      .executeTakeFirstOrThrow();
    if (newest !== null && newest > sequence) return;
    for (const target of named) {
      await tx
        .insertInto("firebreak.targets")
        .values({
          id: target.id,
          mode: target.mode,
          labels: toJson(target.labels),
          wantedSequence: sequence,
          wantedAt: now,
          notes: toJson([]),
        })
        .onConflict((conflict) =>
          conflict.column("id").doUpdateSet({
            mode: target.mode,
            labels: toJson(target.labels),
            inGit: true,
            orphanedAtSequence: null,
            wantedAt: sql<number>`CASE WHEN targets.wanted_sequence = ${sequence} THEN targets.wanted_at ELSE ${now} END`,
            wantedSequence: sequence,
          }),
        )
        .execute();
    }
    let orphans = tx.updateTable("firebreak.targets").set({ inGit: false, orphanedAtSequence: sequence }).where("inGit", "=", true);
    if (named.length > 0)
      orphans = orphans.where(
        "id",
        "not in",
        named.map(({ id }) => id),
      );
    await orphans.execute();
    await notifyWithin(tx, "targets");
  });
}

/** A target that Git names no more, as the revision before `orphanedAt` named it: the store had lost it. */
export function recordOrphan(
  store: Store,
  target: NamedTarget,
  { sequence, orphanedAt }: { readonly sequence: number; readonly orphanedAt: number },
  now: number,
): Promise<void> {
  return transact(store, `record that ${target.id} is gone from Git`, async (tx) => {
    const gone = { inGit: false, wantedSequence: sequence, orphanedAtSequence: orphanedAt };
    await tx
      .insertInto("firebreak.targets")
      .values({ id: target.id, mode: target.mode, labels: toJson(target.labels), wantedAt: now, notes: toJson([]), ...gone })
      .onConflict((conflict) => conflict.column("id").doUpdateSet(gone))
      .execute();
    await notifyWithin(tx, "targets");
  });
}

/** Every target ever named and not forgotten, sorted by id. */
export function listTargetRows(store: Store): Promise<readonly TargetRow[]> {
  return run(store, "list targets", (db) => db.selectFrom("firebreak.targets").selectAll().orderBy("id").execute());
}

/** One target, or undefined when the store never heard of it. */
export function targetRow(store: Store, id: TargetId): Promise<TargetRow | undefined> {
  return run(store, `read ${id}`, (db) => db.selectFrom("firebreak.targets").selectAll().where("id", "=", id).executeTakeFirst());
}

/** Forgets a target and its open work, findings and membership: after `release`, or with `--forget`. Who heard of its findings hears their end, the log too. */
export function forgetTarget(store: Store, id: TargetId, now: number, entriesOf: EntriesOf): Promise<void> {
  return transact(store, `forget ${id}`, async (tx) => {
    await tx.deleteFrom("firebreak.targets").where("id", "=", id).execute();
    await tx.deleteFrom("firebreak.work").where("target", "=", id).where("closedAt", "is", null).execute();
    await endFindings(tx, id, now, entriesOf);
    await tx.deleteFrom("firebreak.memberships").where("target", "=", id).execute();
    await tx
      .updateTable("firebreak.counters")
      .set({ value: sql<number>`value + 1` })
      .where("name", "=", "membership")
      .execute();
    await notifyWithin(tx, "targets", id);
    await notifyWithin(tx, "memberships", id);
  });
}

/** Who the target proved to be, and what enforces there. Only what is given is changed. */
export function recordIdentity(
  store: Store,
  id: TargetId,
  found: { readonly identity?: string; readonly enforcer?: string; readonly notes?: readonly unknown[] },
): Promise<void> {
  return run(store, `record who ${id} is`, async (db) => {
    await db
      .updateTable("firebreak.targets")
      .set({
        ...(found.identity === undefined ? {} : { identity: found.identity }),
        ...(found.enforcer === undefined ? {} : { enforcer: found.enforcer }),
        ...(found.notes === undefined ? {} : { notes: toJson(found.notes) }),
        id,
      })
      .where("id", "=", id)
      .execute();
  });
}

/** A name stands for another cluster from now on: nothing that was known of the old one is said of it. */
export function recordReplaced(store: Store, id: TargetId, fencing: number, identity: string): Promise<void> {
  return transact(store, `record that ${id} is another cluster`, async (tx) => {
    await fenced(tx, id, fencing, {
      identity,
      enforcer: null,
      appliedSequence: null,
      appliedPlan: null,
      appliedAt: null,
      membershipDigest: null,
      appliedInputs: toJson(null),
      observationDigest: null,
      intent: toJson(null),
      readError: toJson(null),
      lastError: toJson(null),
      nextAttemptAt: null,
      failures: 0,
    });
    await notifyWithin(tx, "targets", id);
  });
}

/** The targets that proved who they are, and who that is. */
export async function readIdentities(store: Store): Promise<ReadonlyMap<TargetId, string>> {
  const rows = await run(store, "read who targets are", (db) =>
    db.selectFrom("firebreak.targets").select(["id", "identity"]).where("identity", "is not", null).execute(),
  );
  return new Map(rows.map(({ id, identity }) => [id, identity ?? ""]));
}

/**
 * Records what is about to be sent, before it is sent. A host's generation is above the recorded one and above that of an intent that
 * is still open: whoever left that in the middle may still have a timer there.
 *
 * @throws TARGET_LOCKED when the lease ran out or another process took the target over: send nothing.
 */
export function recordIntent(store: Store, id: TargetId, fencing: number, intent: StoredIntent): Promise<void> {
  return run(store, `record the intent for ${id}`, async (db) => {
    const changed = await db
      .updateTable("firebreak.targets")
      .set({ intent: toJson(intent) })
      .where("id", "=", id)
      .where("fencing", "=", fencing)
      .where(leaseRuns())
      .executeTakeFirst();
    if (changed.numUpdatedRows === 0n) throw lostLease(id);
  });
}

/** What is known after an apply that was read back and found right. */
export interface AppliedState {
  readonly sequence: number;
  readonly plan: string;
  readonly generation: number;
  readonly membershipDigest: string;
  /** What was compiled besides Git (namespaces, services, memberships): drift renders the expectation from it. */
  readonly inputs: unknown;
  readonly observationDigest: string;
  readonly segments: number;
  readonly rules: number;
}

/** The outcome of an apply that was read back: the pointer moves, errors and back-off are over, the intent is done. */
export function recordApplied(store: Store, id: TargetId, fencing: number, applied: AppliedState, now: number): Promise<void> {
  return transact(store, `record what was applied to ${id}`, async (tx) => {
    await fenced(tx, id, fencing, {
      appliedSequence: applied.sequence,
      appliedPlan: applied.plan,
      appliedAt: now,
      generation: applied.generation,
      membershipDigest: applied.membershipDigest,
      appliedInputs: toJson(applied.inputs),
      observationDigest: applied.observationDigest,
      segments: applied.segments,
      rules: applied.rules,
      intent: toJson(null),
      lastReadAt: now,
      lastReadOkAt: now,
      readError: toJson(null),
      lastError: toJson(null),
      nextAttemptAt: null,
      failures: 0,
    });
    await notifyWithin(tx, "targets", id);
  });
}

/**
 * A run that failed: the error, and when to try again by itself. The intent stays: how much of it happened is not known.
 * A new revision or a person clears `nextAttemptAt` (see `addWork`).
 */
export function recordFailure(
  store: Store,
  id: TargetId,
  fencing: number,
  error: StoredError,
  nextAttemptAt: number,
): Promise<void> {
  return transact(store, `record a failure of ${id}`, async (tx) => {
    await fenced(tx, id, fencing, { lastError: toJson(error), nextAttemptAt, failures: sql<number>`failures + 1` });
    await notifyWithin(tx, "targets", id);
  });
}

/** A run that found nothing to do, or may not write (mode plan): errors and back-off are over, the pointer stays. */
export function recordSettled(store: Store, id: TargetId, fencing: number): Promise<void> {
  return run(store, `record that ${id} needs nothing`, (db) =>
    fenced(db, id, fencing, { lastError: toJson(null), nextAttemptAt: null, failures: 0, intent: toJson(null) }),
  );
}

/** A look at the target, by whoever looked (drift and syncer alike, so it is not fenced). A failed one leaves what was known. */
export function recordRead(
  store: Store,
  id: TargetId,
  read: { readonly at: number } & (
    | { readonly ok: true; readonly observationDigest: string; readonly denials?: Denials | null | undefined }
    | { readonly ok: false; readonly error: StoredError }
  ),
): Promise<void> {
  return run(store, `record a read of ${id}`, async (db) => {
    const values = read.ok
      ? {
          lastReadAt: read.at,
          lastReadOkAt: read.at,
          observationDigest: read.observationDigest,
          readError: toJson(null),
          ...(read.denials === undefined ? {} : { denials: toJson(read.denials) }),
        }
      : { lastReadAt: read.at, readError: toJson(read.error) };
    await db.updateTable("firebreak.targets").set(values).where("id", "=", id).execute();
  });
}

type FencedValues = Parameters<ReturnType<Db["updateTable"]>["set"]>[0] | Record<string, unknown>;

async function fenced(db: Db, id: TargetId, fencing: number, values: FencedValues): Promise<void> {
  const changed = await db
    .updateTable("firebreak.targets")
    // The cast: the columns are checked where the values are written above; Kysely cannot type them through a parameter.
    .set(values as never)
    .where("id", "=", id)
    .where("fencing", "=", fencing)
    .executeTakeFirst();
  if (changed.numUpdatedRows === 0n) throw lostLease(id);
}

function lostLease(id: TargetId): FirebreakError {
  return new FirebreakError(
    "TARGET_LOCKED",
    `${id} was taken over by another run, or is forgotten: nothing was recorded by this one`,
  );
}
