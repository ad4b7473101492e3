import type { Selectable } from "kysely";
import { sql } from "kysely";
import { formatPrefix, fromPrefixes, parsePrefix, toPrefixes } from "../../core/address/index.ts";
import type { AddressSet, Prefix } from "../../core/address/index.ts";
import type { Membership, Memberships } from "../../core/membership/membership.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { toJson } from "./json.ts";
import { notifyWithin } from "./notify.ts";
import { run, transact } from "./session.ts";
import type { Store } from "./session.ts";
import type { MembershipTable } from "./tables.ts";

/** By this much the clocks of processes and of the database may differ. */
const CLOCKS_DIFFER_MS = 60_000;

/** Memberships as of a version; compare versions to know whether anything changed. */
export interface VersionedMemberships {
  readonly version: number;
  readonly memberships: Memberships;
}

/**
 * Publishes one target's membership to every process. An older one never replaces a newer one (by `observedAt`); returns whether
 * it was stored. One from the future is no newer one: it was observed by a clock that has gone back since, and no set may stay as it
 * was until that time comes. Whether an incomplete one may replace a complete one is the caller's judgement: it must not have shrunk.
 */
export function publishMembership(store: Store, membership: Membership): Promise<boolean> {
  return transact(store, `publish the membership of ${membership.target}`, async (tx) => {
    const counter = await tx
      .updateTable("firebreak.counters")
      .set({ value: sql<number>`value + 1` })
      .where("name", "=", "membership")
      .returning("value")
      .executeTakeFirstOrThrow();
    const row = {
      target: membership.target,
      segments: toJson(toTexts(membership.segments)),
      complete: membership.complete,
      observedAt: membership.observedAt,
      digest: membership.digest,
      version: counter.value,
    };
    const written = await tx
      .insertInto("firebreak.memberships")
      .values(row)
      .onConflict((conflict) =>
        conflict
          .column("target")
          .doUpdateSet(row)
          .where(
            sql<boolean>`(memberships.observed_at <= ${membership.observedAt}
              OR memberships.observed_at > extract(epoch FROM clock_timestamp()) * 1000 + ${CLOCKS_DIFFER_MS}::float8)`,
          ),
      )
      .executeTakeFirst();
    if (written.numInsertedOrUpdatedRows === 0n) return false;
    await notifyWithin(tx, "memberships", membership.target);
    return true;
  });
}

/** All memberships and their version, read together. */
export function readMemberships(store: Store): Promise<VersionedMemberships> {
  return transact(store, "read memberships", async (tx) => {
    // The version first: a membership published in between is then read again, never missed.
    const { value } = await tx
      .selectFrom("firebreak.counters")
      .select("value")
      .where("name", "=", "membership")
      .executeTakeFirstOrThrow();
    const rows = await tx.selectFrom("firebreak.memberships").selectAll().orderBy("target").execute();
    return { version: value, memberships: new Map(rows.map((row) => [row.target, fromRow(row)])) };
  });
}

/** Changes with every publication; cheap to poll. */
export function membershipsVersion(store: Store): Promise<number> {
  return run(store, "read the version of memberships", async (db) => {
    const { value } = await db
      .selectFrom("firebreak.counters")
      .select("value")
      .where("name", "=", "membership")
      .executeTakeFirstOrThrow();
    return value;
  });
}

function toTexts(segments: ReadonlyMap<string, AddressSet>): Record<string, readonly string[]> {
  return Object.fromEntries([...segments].map(([segment, set]) => [segment, toPrefixes(set).map(formatPrefix)]));
}

function fromRow(row: Selectable<MembershipTable>): Membership {
  return {
    target: row.target,
    segments: new Map(Object.entries(row.segments).map(([segment, texts]) => [segment, fromPrefixes(texts.map(toPrefix))])),
    complete: row.complete,
    observedAt: row.observedAt,
    digest: row.digest,
  };
}

/** A prefix that was written by us and cannot be read is damage: failing is closed, leaving it out would shrink a set. */
function toPrefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if ("ok" in parsed) return parsed.ok;
  throw new FirebreakError("STORE_UNAVAILABLE", `membership holds ${text}, which is no address block`);
}
