import type { Selectable } from "kysely";
import { sql } from "kysely";
import type { Severity } from "../../core/finding/finding.ts";
import type { Incident } from "../../core/finding/incident.ts";
import type { GroupMember, Timing, Told } from "../../core/notify/group.ts";
import type { Notice } from "../../core/notify/notice.ts";
import { toJson } from "./json.ts";
import { run, transact } from "./session.ts";
import type { Db, Store } from "./session.ts";
import type { NoticeMemberTable, NoticeTable, StoredError } from "./tables.ts";

/** One incident joins a group of a channel, or changes in the one it is in. Times are ms since the epoch. */
export interface NoticeJoin {
  readonly channel: string;
  /** The group to join, should the incident be in none yet; undefined: then it joins none. */
  readonly group: { readonly id: string; readonly key: string; readonly timing: Timing } | undefined;
  readonly incident: Incident;
  readonly digest: string;
  readonly now: number;
}

/** Openings kept of a member, to know flapping. */
const MOST_OPENINGS = 10;

/**
 * Records an incident in its group, which becomes due. Repeats change nothing. An incident stays in the group that it joined until its end
 * was told, whatever its words become, so that what began in one thread ends there.
 *
 * A group that is being told stays with whoever tells it, and one whose channel refuses or asked for patience is not tried sooner for
 * it, but for a refused one after its interval.
 */
export function joinNotice(store: Store, join: NoticeJoin): Promise<void> {
  const { fingerprint } = join.incident.finding;
  return transact(store, `group finding ${fingerprint}`, async (tx) => {
    const known = await tx
      .selectFrom("firebreak.noticeMembers")
      .select(["notice", "digest", "openedAt", "resolved", "changedAt", "toldEnded"])
      .where("channel", "=", join.channel)
      .where("fingerprint", "=", fingerprint)
      .execute();
    const active = known.find(({ toldEnded }) => !toldEnded);
    const isResolved = join.incident.event === "resolved";
    // A resolution that was told already: a repeat of the same row of the outbox.
    if (active === undefined && isResolved && known.some(({ resolved, digest }) => resolved && digest === join.digest)) return;
    const notice = active?.notice ?? (await beginNotice(tx, join));
    if (notice === undefined) return;
    const before = known.find((member) => member.notice === notice);
    await writeMember(tx, notice, join, before);
    await sql`
      UPDATE firebreak.notices SET due_at = CASE
        WHEN dead_at IS NOT NULL THEN LEAST(due_at, ${join.now} + round((timing->>'groupIntervalMs')::numeric)::bigint)
        WHEN sending IS NULL THEN ${join.now}
        ELSE due_at END
      WHERE id = ${notice}`.execute(tx);
  });
}

/** Channels on which an incident is in a group whose end was not told yet: whatever routes say now, they hear of it. */
export function activeChannels(store: Store, fingerprint: string): Promise<readonly string[]> {
  return run(store, `read where ${fingerprint} is told`, async (db) => {
    const rows = await db
      .selectFrom("firebreak.noticeMembers")
      .select("channel")
      .distinct()
      .where("fingerprint", "=", fingerprint)
      .where("toldEnded", "=", false)
      .orderBy("channel")
      .execute();
    return rows.map(({ channel }) => channel);
  });
}

/** The group, made when it is not there; one in which nothing is open any more begins anew. */
async function beginNotice(tx: Db, { group, channel, now }: NoticeJoin): Promise<string | undefined> {
  if (group === undefined) return undefined;
  const { id, key, timing } = group;
  await sql`
    INSERT INTO firebreak.notices AS n (id, channel, group_key, timing, since, due_at)
    VALUES (${id}, ${channel}, ${key}, ${toJson<unknown>(timing)}, ${now}, ${now})
    ON CONFLICT (id) DO UPDATE SET timing = excluded.timing, since = CASE
      WHEN EXISTS (SELECT FROM firebreak.notice_members m WHERE m.notice = n.id AND NOT m.told_ended) THEN n.since
      ELSE excluded.since END`.execute(tx);
  return id;
}

type KnownMember = Pick<Selectable<NoticeMemberTable>, "openedAt" | "resolved" | "changedAt" | "toldEnded">;

async function writeMember(
  tx: Db,
  notice: string,
  { channel, incident, digest, now }: NoticeJoin,
  known: KnownMember | undefined,
): Promise<void> {
  const { fingerprint, severity } = incident.finding;
  const resolved = incident.event === "resolved";
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
  /** It was over for so long that it begins anew: what the channel returned before does not count. */
  readonly isAnew: boolean;
}

/** The groups of one channel, or of all but some. */
export type NoticeLane = { readonly channel: string } | { readonly except: readonly string[] };

/** Takes groups of a lane whose time has come, for `holdMs`; one that nothing is recorded of in that time is taken again. */
export function takeNotices(
  store: Store,
  lane: NoticeLane,
  now: number,
  holdMs: number,
  limit: number,
): Promise<readonly StoredNotice[]> {
  const among = "channel" in lane ? sql`channel = ${lane.channel}` : sql`channel <> ALL(${[...lane.except]})`;
  return run(store, "take notices", async (db) => {
    const taken = await sql<{ id: string }>`
      UPDATE firebreak.notices SET due_at = ${now + holdMs}
      WHERE id IN (
        SELECT id FROM firebreak.notices WHERE due_at IS NOT NULL AND due_at <= ${now} AND ${among}
        ORDER BY due_at, id LIMIT ${limit} FOR UPDATE SKIP LOCKED)
      RETURNING id`.execute(db);
    const ids = taken.rows.map(({ id }) => id);
    return ids.length === 0 ? [] : await readNotices(db, ids);
  });
}

/** What keeps a channel from being told. */
export interface NoticeTrouble {
  readonly channel: string;
  /** Groups that a person has to do something about. */
  readonly dead: number;
  /** Groups whose last attempt failed, and that are tried again by themselves. */
  readonly failing: number;
  /** Since when the oldest dead one waits, ms since the epoch. */
  readonly deadSince: number | undefined;
  /** Of the one that is due last. */
  readonly error: StoredError | undefined;
}

/** Channels that do not take what they are told, by name. */
export function noticeTroubles(store: Store): Promise<readonly NoticeTrouble[]> {
  return run(store, "read which channels fail", async (db) => {
    const rows = await db
      .selectFrom("firebreak.notices")
      .select(["channel", "deadAt", "lastError"])
      .where("lastError", "is not", null)
      .orderBy("channel")
      .orderBy("dueAt", "desc")
      .execute();
    return [...Map.groupBy(rows, ({ channel }) => channel)].map(([channel, failed]) => {
      const dead = failed.flatMap(({ deadAt }) => deadAt ?? []);
      return {
        channel,
        dead: dead.length,
        failing: failed.length - dead.length,
        deadSince: dead.length === 0 ? undefined : Math.min(...dead),
        error: failed[0]?.lastError ?? undefined,
      };
    });
  });
}

/**
 * Nothing to tell before that time; undefined: not until a member changes. A member that joined since the group was taken keeps it due.
 * What the channel refused before is not to be told any more.
 */
export function recordWait(store: Store, id: string, heldUntil: number, until: number | undefined): Promise<void> {
  return run(store, `let notice ${id} wait`, async (db) => {
    await db
      .updateTable("firebreak.notices")
      .set({ dueAt: until === undefined ? null : Math.round(until), deadAt: null, attempts: 0, lastError: toJson(null) as never })
      .where("id", "=", id)
      .where("dueAt", "=", heldUntil)
      .execute();
  });
}

/**
 * What is about to be sent, before it is sent.
 *
 * @returns false when a member joined since the group was taken, or another process has it: it is looked at again
 */
export function recordSending(store: Store, id: string, heldUntil: number, sending: Sending): Promise<boolean> {
  return run(store, `begin to tell notice ${id}`, async (db) => {
    const rows = await db
      .updateTable("firebreak.notices")
      .set({ sending: toJson<unknown>(sending), attempts: 0 })
      .where("id", "=", id)
      .where("dueAt", "=", heldUntil)
      .where("sending", "is", null)
      .returning("id")
      .execute();
    return rows.length > 0;
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

/** How a telling failed. */
export interface NoticeFailure {
  readonly error: StoredError;
  /** When to try again. */
  readonly dueAt: number;
  /** Since when a person has to do something first; undefined: not. */
  readonly deadAt: number | undefined;
  /** The same would be refused again: next time the group is told as it is then. */
  readonly isDropped: boolean;
}

/** It did not arrive. */
export function recordNoticeFailure(store: Store, id: string, failure: NoticeFailure): Promise<void> {
  const { error, dueAt, deadAt, isDropped } = failure;
  return run(store, `record that notice ${id} failed`, async (db) => {
    await db
      .updateTable("firebreak.notices")
      .set({
        lastError: toJson(error) as never,
        dueAt: Math.round(dueAt),
        deadAt: deadAt ?? null,
        ...(isDropped ? { sending: toJson(null) as never } : {}),
      })
      .where("id", "=", id)
      .execute();
  });
}

/** A group of a channel that is gone for good, and of which nothing is open any more: forgotten. */
export function forgetNotice(store: Store, id: string): Promise<void> {
  return run(store, `forget notice ${id}`, async (db) => {
    await db.deleteFrom("firebreak.notices").where("id", "=", id).execute();
  });
}

/** Dead notices are tried again now: a person has done something. @returns how many */
export function reviveNotices(store: Store, now: number, channel?: string): Promise<number> {
  return run(store, "try dead notices again", async (db) => {
    let query = db.updateTable("firebreak.notices").set({ dueAt: now }).where("deadAt", "is not", null);
    if (channel !== undefined) query = query.where("channel", "=", channel);
    const rows = await query.returning("id").execute();
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
