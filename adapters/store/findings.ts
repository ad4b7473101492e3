import { isDeepStrictEqual } from "node:util";
import type { Selectable, Updateable } from "kysely";
import type { Adoption } from "../../core/finding/adoption.ts";
import type { Finding, FindingEffect, FindingKind, Severity } from "../../core/finding/finding.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import type { Position } from "../../core/model/note.ts";
import { ISSUES } from "../../core/notify/channel.ts";
import { insertPendingWithin } from "./entries.ts";
import { toJson, toJsonText, toText } from "./json.ts";
import { notifyWithin } from "./notify.ts";
import { run, transact } from "./session.ts";
import type { Db, Store } from "./session.ts";
import type { DeliveryEvent, FindingTable } from "./tables.ts";

/** A finding with what the store remembers of it. */
export interface StoredFinding extends Finding {
  /** Since when it is open this time, ms since the epoch. */
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly resolvedAt: number | undefined;
  /** How often it was opened, this time included. */
  readonly openedCount: number;
  /** Recent heals, ms since the epoch, oldest first; survives being resolved, because a fight resolves it every time. */
  readonly healTimes: readonly number[];
  /** Healing was stopped (a fight); only `resumeHealing` ends that. */
  readonly stopped: boolean;
}

/** One comparison of one target. */
export interface FindingsUpdate {
  readonly target: TargetId;
  /** The kinds this comparison could have found: only open findings of these are resolved by their absence. */
  readonly kinds: readonly FindingKind[];
  readonly findings: readonly Finding[];
  /** Who is told of each change: an outbox row each, in the same transaction. */
  readonly channels: readonly string[];
  readonly now: number;
  /** What the log is told of the change, in the same transaction. */
  readonly entriesOf: EntriesOf;
}

/** Entries of the log that tell of a change of findings; the id names the event. */
export type EntriesOf = (change: FindingsChange) => readonly { readonly id: string; readonly input: unknown }[];

/** What changed. `updated` are those that people would read differently now. */
export interface FindingsChange {
  readonly opened: readonly StoredFinding[];
  readonly updated: readonly StoredFinding[];
  readonly resolved: readonly StoredFinding[];
}

/**
 * Records a comparison: opens what is new (or back: `firstSeen` starts again), updates what is still there, resolves what is
 * gone, and writes the outbox, all in one transaction.
 *
 * Call it only after a complete observation: absence in a partial one proves nothing.
 */
export function upsertFindings(store: Store, update: FindingsUpdate): Promise<FindingsChange> {
  return transact(store, `record the findings of ${update.target}`, async (tx) => {
    const known = await knownRows(tx, update);
    const opened: StoredFinding[] = [];
    const updated: StoredFinding[] = [];
    const resolved: StoredFinding[] = [];
    for (const finding of uniqueByFingerprint(update.findings)) {
      const before = known.get(finding.fingerprint);
      const after = await writeFinding(tx, finding, before, update.now);
      if (before === undefined || before.resolvedAt !== null) opened.push(after);
      else if (readsDifferently(before, finding)) updated.push(after);
      known.delete(finding.fingerprint);
    }
    for (const gone of known.values()) {
      if (gone.resolvedAt !== null || !update.kinds.includes(gone.kind as FindingKind)) continue;
      resolved.push(await change(tx, gone.fingerprint, { resolvedAt: update.now }));
    }
    const result = { opened, updated, resolved };
    await writeOutbox(tx, result, update);
    await insertPendingWithin(tx, update.entriesOf(result), update.now);
    if (opened.length + updated.length + resolved.length > 0) await notifyWithin(tx, "findings", update.target);
    return result;
  });
}

/** Puts findings back that a lost store had open; the next comparison resolves or keeps them. One that is there stays as it is. */
export function restoreFindings(store: Store, findings: readonly Finding[], now: number): Promise<void> {
  return transact(store, `restore ${findings.length} findings`, async (tx) => {
    const known = new Set(
      (await tx.selectFrom("firebreak.findings").select("fingerprint").execute()).map((row) => row.fingerprint),
    );
    for (const finding of uniqueByFingerprint(findings))
      if (!known.has(finding.fingerprint)) await writeFinding(tx, finding, undefined, now);
  });
}

/** Which findings are asked for. Who decides by some kinds names them: others, which anybody can make many of, then hide none of them. */
export interface FindingFilter {
  readonly open?: boolean;
  readonly target?: TargetId;
  readonly kinds?: readonly FindingKind[];
  readonly widens?: true;
  /** At most so many; 1,000 unless given. */
  readonly limit?: number;
}

/** Findings, open ones first, then newest first. */
export function listFindings(store: Store, filter: FindingFilter = {}): Promise<readonly StoredFinding[]> {
  return run(store, "list findings", async (db) => {
    let query = db.selectFrom("firebreak.findings").selectAll();
    if (filter.open === true) query = query.where("resolvedAt", "is", null);
    if (filter.open === false) query = query.where("resolvedAt", "is not", null);
    if (filter.target !== undefined) query = query.where("target", "=", filter.target);
    if (filter.kinds !== undefined) query = query.where("kind", "in", filter.kinds);
    if (filter.widens !== undefined) query = query.where("widens", "=", filter.widens);
    const rows = await query
      .orderBy("resolvedAt", (order) => order.desc().nullsFirst())
      .orderBy("firstSeen", "desc")
      .orderBy("fingerprint")
      .limit(filter.limit ?? 1_000)
      .execute();
    return rows.map(fromRow);
  });
}

/** One finding, or undefined. */
export function findingByFingerprint(store: Store, fingerprint: string): Promise<StoredFinding | undefined> {
  return run(store, `read finding ${fingerprint}`, async (db) => {
    const row = await rowOf(db, fingerprint);
    return row === undefined ? undefined : fromRow(row);
  });
}

/** Records that a heal of this finding is being started, and forgets heals older than `windowMs` or yet to come. Unknown: undefined. */
export function recordHeal(store: Store, fingerprint: string, now: number, windowMs: number): Promise<StoredFinding | undefined> {
  return transact(store, `record a heal of ${fingerprint}`, async (tx) => {
    const row = await rowOf(tx, fingerprint, true);
    if (row === undefined) return undefined;
    return change(tx, fingerprint, {
      healTimes: toJson([...row.healTimes.filter((time) => time > now - windowMs && time <= now), now]) as never,
    });
  });
}

/** A fight: no more heals of this finding until a person says so. */
export function stopHealing(store: Store, fingerprint: string): Promise<void> {
  return run(store, `stop healing ${fingerprint}`, async (db) => {
    await db.updateTable("firebreak.findings").set({ stopped: true }).where("fingerprint", "=", fingerprint).execute();
  });
}

/** A person looked: heals of this target's findings may start again, and are counted anew. */
export function resumeHealing(store: Store, target: TargetId): Promise<void> {
  return run(store, `resume healing ${target}`, async (db) => {
    await db
      .updateTable("firebreak.findings")
      .set({ stopped: false, healTimes: toJson([]) as never })
      .where("target", "=", target)
      .execute();
  });
}

type Row = Selectable<FindingTable>;

async function knownRows(tx: Db, update: FindingsUpdate): Promise<Map<string, Row>> {
  const rows = await tx.selectFrom("firebreak.findings").selectAll().where("target", "=", update.target).forUpdate().execute();
  return new Map(rows.map((row) => [row.fingerprint, row]));
}

function uniqueByFingerprint(findings: readonly Finding[]): Iterable<Finding> {
  return new Map(findings.map((finding) => [finding.fingerprint, finding])).values();
}

async function writeFinding(tx: Db, finding: Finding, before: Row | undefined, now: number): Promise<StoredFinding> {
  const contents = {
    target: finding.target,
    kind: finding.kind,
    severity: finding.severity,
    subject: toText(finding.subject),
    summary: toText(finding.summary),
    effect: toJson<unknown>(finding.effect),
    who: finding.who === undefined ? null : toText(finding.who, 200),
    at: toJson<unknown>(finding.at ?? null),
    healable: finding.healable,
    widens: finding.widens,
    foreignObject: finding.foreign,
    adoption: toJson<unknown>(finding.adoption ?? keptAdoption(before, finding)),
    lastSeen: now,
    resolvedAt: null,
  };
  if (before !== undefined) {
    const reopened = before.resolvedAt === null ? {} : { firstSeen: now, openedCount: before.openedCount + 1 };
    return change(tx, finding.fingerprint, { ...contents, ...reopened });
  }
  const row = await tx
    .insertInto("firebreak.findings")
    .values({ fingerprint: finding.fingerprint, firstSeen: now, healTimes: toJson([]), ...contents })
    .returningAll()
    .executeTakeFirstOrThrow();
  return fromRow(row);
}

/** Who compares before a write does not ask how Git could say it: what is known of the same divergence stays. */
function keptAdoption(before: Row | undefined, finding: Finding): unknown {
  return before !== undefined && before.resolvedAt === null && !hasOtherWords(before, finding) ? before.adoption : null;
}

function readsDifferently(before: Row, finding: Finding): boolean {
  if (hasOtherWords(before, finding)) return true;
  return finding.adoption !== undefined && !isDeepStrictEqual(before.adoption, finding.adoption); // jsonb keeps no order of keys
}

function hasOtherWords(before: Row, finding: Finding): boolean {
  const was = fromRow(before);
  const told = (of: Finding): string =>
    toJsonText([of.kind, of.severity, of.summary, of.effect.verdict, of.effect.opened, of.effect.closed, of.who]);
  return (
    told(was) !==
    told({ ...finding, summary: toText(finding.summary), who: finding.who === undefined ? undefined : toText(finding.who, 200) })
  );
}

async function writeOutbox(
  tx: Db,
  changed: FindingsChange,
  { channels, now }: Pick<FindingsUpdate, "channels" | "now">,
): Promise<void> {
  const later = [...changed.updated, ...changed.resolved];
  const heard = await outletsOf(
    tx,
    later.map(({ fingerprint }) => fingerprint),
  );
  const rows = [
    ...changed.opened.map((finding) => ["opened", finding, channels] as const),
    // Who heard of it hears on, whatever is listed now: what was told as open must not stay open for ever.
    ...changed.updated.map((finding) => ["updated", finding, [...channels, ...(heard.get(finding.fingerprint) ?? [])]] as const),
    ...changed.resolved.map((finding) => ["resolved", finding, [...channels, ...(heard.get(finding.fingerprint) ?? [])]] as const),
  ].flatMap(([event, finding, outlets]) => [...new Set(outlets)].map((channel) => outboxRow(event, finding, channel, now)));
  if (rows.length === 0) return;
  for (let start = 0; start < rows.length; start += 500) {
    await tx
      .insertInto("firebreak.deliveries")
      .values(rows.slice(start, start + 500))
      .execute();
  }
  await notifyWithin(tx, "deliveries");
}

function outboxRow(event: DeliveryEvent, finding: StoredFinding, channel: string, now: number) {
  const payload = toJson<unknown>(finding);
  return { fingerprint: finding.fingerprint, channel, event, payload, createdAt: now, nextAttemptAt: now };
}

/** Where findings are told as open, or are about to be. */
async function outletsOf(tx: Db, fingerprints: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  if (fingerprints.length === 0) return new Map();
  const told = await tx
    .selectFrom("firebreak.noticeMembers")
    .select(["fingerprint", "channel"])
    .where("fingerprint", "in", [...fingerprints])
    .where("toldEnded", "=", false)
    .execute();
  const waiting = await tx
    .selectFrom("firebreak.deliveries")
    .select(["fingerprint", "channel"])
    .where("fingerprint", "in", [...fingerprints])
    .where("deliveredAt", "is", null)
    .execute();
  const outlets = told.map(({ fingerprint, channel }) => ({ fingerprint, channel: channel === ISSUES ? "issue" : "alert" }));
  const byFinding = Map.groupBy([...outlets, ...waiting], ({ fingerprint }) => fingerprint);
  return new Map([...byFinding].map(([fingerprint, rows]) => [fingerprint, rows.map(({ channel }) => channel)]));
}

/**
 * Ends the open findings of a target that is forgotten, for everybody who heard of them: nothing will ever look at it again.
 *
 * To be called in the transaction that forgets it.
 */
export async function endFindings(tx: Db, target: TargetId, now: number, entriesOf: EntriesOf): Promise<void> {
  const open = await tx
    .selectFrom("firebreak.findings")
    .selectAll()
    .where("target", "=", target)
    .where("resolvedAt", "is", null)
    .execute();
  const resolved = open.map((row) => fromRow({ ...row, resolvedAt: now }));
  await tx.deleteFrom("firebreak.findings").where("target", "=", target).execute();
  const change = { opened: [], updated: [], resolved };
  await writeOutbox(tx, change, { channels: [], now });
  await insertPendingWithin(tx, entriesOf(change), now);
}

function rowOf(db: Db, fingerprint: string, lock = false): Promise<Row | undefined> {
  const query = db.selectFrom("firebreak.findings").selectAll().where("fingerprint", "=", fingerprint);
  return (lock ? query.forUpdate() : query).executeTakeFirst();
}

async function change(tx: Db, fingerprint: string, values: Updateable<FindingTable>): Promise<StoredFinding> {
  const row = await tx
    .updateTable("firebreak.findings")
    .set(values)
    .where("fingerprint", "=", fingerprint)
    .returningAll()
    .executeTakeFirstOrThrow();
  return fromRow(row);
}

/** The casts: these columns are only ever written from values of these types, above. */
function fromRow(row: Row): StoredFinding {
  return {
    fingerprint: row.fingerprint,
    kind: row.kind as FindingKind,
    target: row.target,
    subject: row.subject,
    severity: row.severity as Severity,
    summary: row.summary,
    effect: row.effect as FindingEffect,
    who: row.who ?? undefined,
    at: (row.at as Position | null) ?? undefined,
    healable: row.healable,
    widens: row.widens,
    foreign: row.foreignObject,
    ...(row.adoption === null ? {} : { adoption: row.adoption as Adoption }),
    firstSeen: row.firstSeen,
    lastSeen: row.lastSeen,
    resolvedAt: row.resolvedAt ?? undefined,
    openedCount: row.openedCount,
    healTimes: row.healTimes,
    stopped: row.stopped,
  };
}
