import type { Selectable } from "kysely";
import { sql } from "kysely";
import type { Severity } from "../../core/drift/finding.ts";
import type { Incident } from "../../core/drift/incident.ts";
import type { GroupMember, Timing, Told } from "../../core/notify/group.ts";
import type { Notice } from "../../core/notify/notice.ts";
import { toJson } from "./json.ts";
import { notifyWithin } from "./notify.ts";
import { run, transact } from "./session.ts";
import type { Db, Store } from "./session.ts";
import type { NoticeMemberTable, NoticeTable, StoredError } from "./tables.ts";

/** One incident joins a group of a channel, or changes in the one it is in. Times are ms since the epoch. */
export interface NoticeJoin {
  readonly channel: string;
  /** 16 hex characters: the group, should the incident be in none yet. */
  readonly group: string;
  readonly groupKey: string;
  readonly timing: Timing;
  readonly incident: Incident;
  readonly digest: string;
  readonly now: number;
}

/** Openings kept of a member, to know flapping. */
const MOST_OPENINGS = 10;

/**
 * Records an incident in its group, which becomes due. Repeats change nothing. An incident stays in the group that it joined until its end
 * was told, whatever its words become, so that what began in one thread ends there.
 */
export function joinNotice(store: Store, join: NoticeJoin): Promise<void> {
  const { fingerprint } = join.incident.finding;
  return transact(store, `group finding ${fingerprint}`, async (tx) => {
    const before = await tx
      .selectFrom("firebreak.noticeMembers")
      .selectAll()
      .where("channel", "=", join.channel)
      .where("fingerprint", "=", fingerprint)
      .where("toldEnded", "=", false)
      .executeTakeFirst();
    const resolved = join.incident.event === "resolved";
    if (before === undefined && resolved && (await wasTold(tx, join, fingerprint))) return;
    const notice = before?.notice ?? (await beginNotice(tx, join));
    await writeMember(tx, notice, join, resolved);
    await tx.updateTable("firebreak.notices").set({ dueAt: join.now }).where("id", "=", notice).execute();
    await notifyWithin(tx, "deliveries");
  });
}

/** A resolution that was told already: a repeat of the same row of the outbox. */
async function wasTold(tx: Db, join: NoticeJoin, fingerprint: string): Promise<boolean> {
  const ended = await tx
    .selectFrom("firebreak.noticeMembers")
    .select("digest")
    .where("channel", "=", join.channel)
    .where("fingerprint", "=", fingerprint)
    .where("toldEnded", "=", true)
    .where("resolved", "=", true)
    .execute();
  return ended.some(({ digest }) => digest === join.digest);
}

async function beginNotice(tx: Db, { group, channel, groupKey, timing, now }: NoticeJoin): Promise<string> {
  await tx
    .insertInto("firebreak.notices")
    .values({ id: group, channel, groupKey, timing: toJson<unknown>(timing), since: now, dueAt: now })
    .onConflict((conflict) => conflict.column("id").doUpdateSet({ timing: toJson<unknown>(timing) }))
    .execute();
  const active = await tx
    .selectFrom("firebreak.noticeMembers")
    .select("fingerprint")
    .where("notice", "=", group)
    .where("toldEnded", "=", false)
    .limit(1)
    .execute();
  if (active.length === 0) await tx.updateTable("firebreak.notices").set({ since: now }).where("id", "=", group).execute();
  return group;
}

async function writeMember(
  tx: Db,
  notice: string,
  { channel, incident, digest, now }: NoticeJoin,
  resolved: boolean,
): Promise<void> {
  const { fingerprint, severity } = incident.finding;
  const known = await tx
    .selectFrom("firebreak.noticeMembers")
    .select(["openedAt", "resolved", "changedAt", "toldEnded"])
    .where("notice", "=", notice)
    .where("fingerprint", "=", fingerprint)
    .executeTakeFirst();
  const opens = !resolved && (known === undefined || known.resolved || known.toldEnded);
  const openedAt = [...(known?.openedAt ?? []), ...(opens || known === undefined ? [now] : [])].slice(-MOST_OPENINGS);
  const isTurn = known === undefined || known.resolved !== resolved || known.toldEnded;
  const values = {
    channel,
    severity,
    changedAt: isTurn ? now : known.changedAt,
    resolved,
    toldEnded: false,
    digest,
    openedAt: toJson(openedAt),
    incident: toJson<unknown>(incident),
  };
  await tx
    .insertInto("firebreak.noticeMembers")
    .values({ notice, fingerprint, ...values })
    .onConflict((conflict) => conflict.columns(["notice", "fingerprint"]).doUpdateSet(values))
    .execute();
}

/** A group that is due, with its members. */
export interface StoredNotice {
  readonly id: string;
  readonly channel: string;
  readonly groupKey: string;
  readonly timing: Timing;
  readonly since: number;
  readonly told: Told | undefined;
  readonly ref: string | undefined;
  /** A telling that is not known to have arrived: sent again as it was. */
  readonly sending: Sending | undefined;
  readonly attempts: number;
  readonly deadAt: number | undefined;
  readonly dueAt: number | undefined;
  readonly lastError: StoredError | undefined;
  readonly members: readonly (GroupMember & { readonly incident: Incident })[];
}

/** What is on its way to a channel. */
export interface Sending {
  readonly notice: Notice;
  readonly told: Told;
  /** Incidents whose end this tells. */
  readonly ended: readonly string[];
}

/** Takes groups whose time has come, for `holdMs`; one that nothing is recorded of in that time is taken again. */
export function takeNotices(store: Store, now: number, holdMs: number, limit = 20): Promise<readonly StoredNotice[]> {
  return run(store, "take notices", async (db) => {
    const taken = await sql<{ id: string }>`
      UPDATE firebreak.notices SET due_at = ${now + holdMs}
      WHERE id IN (
        SELECT id FROM firebreak.notices WHERE due_at IS NOT NULL AND due_at <= ${now}
        ORDER BY due_at, id LIMIT ${limit} FOR UPDATE SKIP LOCKED)
      RETURNING id`.execute(db);
    return taken.rows.length === 0
      ? []
      : await readNotices(
          db,
          taken.rows.map(({ id }) => id),
        );
  });
}

/** All groups that are open, failing or dead, for people. */
export function listNotices(store: Store, limit = 1_000): Promise<readonly StoredNotice[]> {
  return run(store, "list notices", async (db) => {
    const rows = await db
      .selectFrom("firebreak.notices")
      .select("id")
      .orderBy("since", "desc")
      .orderBy("id")
      .limit(limit)
      .execute();
    return rows.length === 0
      ? []
      : await readNotices(
          db,
          rows.map(({ id }) => id),
        );
  });
}

/** Nothing to tell before that time; undefined: not until a member changes. A member that joined since the group was taken keeps it due. */
export function recordWait(store: Store, id: string, heldUntil: number, until: number | undefined): Promise<void> {
  return run(store, `let notice ${id} wait`, async (db) => {
    const dueAt = until === undefined ? null : Math.round(until);
    await db.updateTable("firebreak.notices").set({ dueAt }).where("id", "=", id).where("dueAt", "=", heldUntil).execute();
  });
}

/** What is about to be sent, before it is sent. */
export function recordSending(store: Store, id: string, sending: Sending): Promise<void> {
  return run(store, `begin to tell notice ${id}`, async (db) => {
    await db
      .updateTable("firebreak.notices")
      .set({ sending: toJson<unknown>(sending), attempts: 0 })
      .where("id", "=", id)
      .execute();
  });
}

/** One more attempt begins; its number, from 1. */
export function countAttempt(store: Store, id: string): Promise<number> {
  return run(store, `count an attempt of notice ${id}`, async (db) => {
    const { rows } = await sql<{ attempts: number }>`
      UPDATE firebreak.notices SET attempts = attempts + 1 WHERE id = ${id} RETURNING attempts`.execute(db);
    return rows[0]?.attempts ?? 1;
  });
}

/** It arrived. */
export function recordTold(
  store: Store,
  id: string,
  { told, ended }: Sending,
  ref: string | undefined,
  now: number,
): Promise<void> {
  return transact(store, `record notice ${id}`, async (tx) => {
    await tx
      .updateTable("firebreak.notices")
      .set({
        told: toJson<unknown>(told),
        ref: ref ?? null,
        sending: toJson(null) as never,
        lastError: toJson(null) as never,
        attempts: 0,
        deadAt: null,
        dueAt: now, // looked at again at once: what changed while it was sent is told later
      })
      .where("id", "=", id)
      .execute();
    if (ended.length === 0) return;
    await tx
      .updateTable("firebreak.noticeMembers")
      .set({ toldEnded: true })
      .where("notice", "=", id)
      .where("fingerprint", "in", [...ended])
      .where("resolved", "=", true) // one that is back meanwhile stays
      .execute();
  });
}

/** It did not arrive: when to try again, and whether a person has to do something first. */
export function recordNoticeFailure(
  store: Store,
  id: string,
  error: StoredError,
  dueAt: number,
  deadAt: number | undefined,
): Promise<void> {
  return run(store, `record that notice ${id} failed`, async (db) => {
    await db
      .updateTable("firebreak.notices")
      .set({ lastError: toJson(error) as never, dueAt: Math.round(dueAt), deadAt: deadAt ?? null })
      .where("id", "=", id)
      .execute();
  });
}

/** Dead notices are tried again: a person has done something. @returns how many */
export function reviveNotices(store: Store, now: number): Promise<number> {
  return run(store, "try dead notices again", async (db) => {
    const rows = await db
      .updateTable("firebreak.notices")
      .set({ dueAt: now, deadAt: null })
      .where("deadAt", "is not", null)
      .returning("id")
      .execute();
    return rows.length;
  });
}

async function readNotices(db: Db, ids: readonly string[]): Promise<readonly StoredNotice[]> {
  const rows = await db
    .selectFrom("firebreak.notices")
    .selectAll()
    .where("id", "in", [...ids])
    .execute();
  const members = await db
    .selectFrom("firebreak.noticeMembers")
    .selectAll()
    .where("notice", "in", [...ids])
    .where("toldEnded", "=", false)
    .orderBy("fingerprint")
    .execute();
  const byNotice = Map.groupBy(members, ({ notice }) => notice);
  return ids.flatMap((id) => rows.filter((row) => row.id === id).map((row) => fromRow(row, byNotice.get(id) ?? [])));
}

/** The casts: these columns are only ever written from values of these types, above. */
function fromRow(row: Selectable<NoticeTable>, members: readonly Selectable<NoticeMemberTable>[]): StoredNotice {
  return {
    id: row.id,
    channel: row.channel,
    groupKey: row.groupKey,
    timing: row.timing as Timing,
    since: row.since,
    told: (row.told as Told | null) ?? undefined,
    ref: row.ref ?? undefined,
    sending: (row.sending as Sending | null) ?? undefined,
    attempts: row.attempts,
    deadAt: row.deadAt ?? undefined,
    dueAt: row.dueAt ?? undefined,
    lastError: row.lastError ?? undefined,
    members: members.map((member) => ({
      fingerprint: member.fingerprint,
      severity: member.severity as Severity,
      changedAt: member.changedAt,
      isResolved: member.resolved,
      digest: member.digest,
      openedAt: member.openedAt,
      incident: member.incident as Incident,
    })),
  };
}
