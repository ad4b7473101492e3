import { sql } from "kysely";
import type { TargetId } from "../../core/model/kinds.ts";
import { run } from "./session.ts";
import type { Store } from "./session.ts";

/** A right to write to one target, until it runs out. Every taking has a higher fencing number than all before. */
export interface Lease {
  readonly target: TargetId;
  readonly owner: string;
  readonly fencing: number;
}

/** No lease is taken for longer: one that has longer to run was taken before the clock went back, and its holder no longer renews it. */
const LONGEST_LEASE = sql`interval '10 minutes'`;

/**
 * True for a lease that runs. Leases live by the database's clock, the only one that all processes share; when it goes back, a dead
 * process must not hold a target, and hide its drift, for as long as the jump was. The fencing number holds whatever the clock says.
 */
export function leaseRuns() {
  return sql<boolean>`(lease_until > clock_timestamp() AND lease_until <= clock_timestamp() + ${LONGEST_LEASE})`;
}

/**
 * Takes the target for `ttlMs`; undefined when another run has it (or the target is unknown). `owner` is unique per run, so a
 * run never takes over itself by mistake.
 */
export function acquireLease(store: Store, target: TargetId, owner: string, ttlMs: number): Promise<Lease | undefined> {
  return run(store, `take the lease of ${target}`, async (db) => {
    const row = await db
      .updateTable("firebreak.targets")
      .set({ leaseOwner: owner, leaseUntil: until(ttlMs), fencing: sql<number>`fencing + 1` })
      .where("id", "=", target)
      .where(sql<boolean>`(lease_until IS NULL OR NOT ${leaseRuns()})`)
      .returning("fencing")
      .executeTakeFirst();
    return row === undefined ? undefined : { target, owner, fencing: row.fencing };
  });
}

/** Keeps the lease for another `ttlMs`; false when it is gone: stop writing. */
export function renewLease(store: Store, lease: Lease, ttlMs: number): Promise<boolean> {
  return run(store, `renew the lease of ${lease.target}`, async (db) => {
    const changed = await db
      .updateTable("firebreak.targets")
      .set({ leaseUntil: until(ttlMs) })
      .where("id", "=", lease.target)
      .where("fencing", "=", lease.fencing)
      .where("leaseOwner", "=", lease.owner)
      .executeTakeFirst();
    return changed.numUpdatedRows > 0n;
  });
}

/** Gives the lease back; one that is gone already stays gone. */
export function releaseLease(store: Store, lease: Lease): Promise<void> {
  return run(store, `release the lease of ${lease.target}`, async (db) => {
    await db
      .updateTable("firebreak.targets")
      .set({ leaseOwner: null, leaseUntil: null })
      .where("id", "=", lease.target)
      .where("fencing", "=", lease.fencing)
      .where("leaseOwner", "=", lease.owner)
      .execute();
  });
}

/**
 * Gives up every lease whose owner begins like this; returns how many. For a process that knows that nobody else can be alive under
 * that name: what a killed run of its own left must not keep targets waiting until it runs out.
 */
export function releaseLeasesOf(store: Store, ownerPrefix: string): Promise<number> {
  return run(store, `give up the leases of ${ownerPrefix}`, async (db) => {
    const changed = await db
      .updateTable("firebreak.targets")
      .set({ leaseOwner: null, leaseUntil: null })
      .where(sql<boolean>`starts_with(lease_owner, ${ownerPrefix})`)
      .executeTakeFirst();
    return Number(changed.numUpdatedRows);
  });
}

/** Targets with a live lease: an apply is in flight there, so what differs is not drift yet. */
export function targetsInFlight(store: Store): Promise<ReadonlySet<TargetId>> {
  return run(store, "list targets in flight", async (db) => {
    const rows = await db.selectFrom("firebreak.targets").select("id").where(leaseRuns()).execute();
    return new Set(rows.map(({ id }) => id));
  });
}

function until(ttlMs: number) {
  return sql<Date>`clock_timestamp() + ${ttlMs}::float8 * interval '1 millisecond'`;
}
