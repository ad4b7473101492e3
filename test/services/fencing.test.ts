/** An older run never writes after a newer one: on a real store, with a clock that the test holds. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, it } from "vitest";
import { acquireLease, addWork, openStore, recordTargets, type Lease, type Store } from "../../adapters/store/index.ts";
import { run } from "../../adapters/store/session.ts";
import type { ClusterPlan } from "../../core/plan/plan.ts";
import { applyPlan } from "../../services/syncer/apply.ts";
import type { SyncerContext } from "../../services/syncer/context.ts";
import { giveBackLeases, HeldLease } from "../../services/syncer/held-lease.ts";
import { closeOpenIntents } from "../../services/syncer/recover.ts";
import { reconcile } from "../../services/syncer/reconcile.ts";

const TARGET = "cluster/eu";
const TTL_MS = 30_000;
const folder = mkdtempSync(join(tmpdir(), "fb-fencing-"));
let store: Store;

beforeAll(async () => {
  store = await openStore({ kind: "embedded", folder }, { signal: AbortSignal.timeout(60_000) });
  await recordTargets(store, [{ id: TARGET, mode: "apply", labels: {} }], 1, 1);
});

afterAll(async () => {
  await store?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function take(owner: string): Promise<Lease> {
  const lease = await acquireLease(store, TARGET, owner, TTL_MS);
  if (lease === undefined) throw new Error("the lease cannot be had");
  return lease;
}

/** As if so much time had gone by that every lease ran out. */
async function runOut(): Promise<void> {
  await run(
    store,
    "time goes by",
    async (db) => await sql`UPDATE firebreak.targets SET lease_until = clock_timestamp() - interval '1 second'`.execute(db),
  );
}

// Would catch: a process that was stopped in the middle of a plan for ten minutes creates, once it goes on, what a newer revision took away.
it("a run that was stopped and taken over sends not one step more", async () => {
  let clock = 0;
  const held = new HeldLease(store, await take("old"), TTL_MS, () => clock);
  const sent: string[] = [];
  const step = (name: string) => ({ kind: "create", object: { metadata: { namespace: name, name } } });
  const plan = { kind: "cluster", target: TARGET, steps: ["a", "b", "c"].map(step) } as unknown as ClusterPlan;
  const connection = {
    apply: async ({ object }: { object: { metadata: { name: string } } }) => void sent.push(object.metadata.name),
  };
  // The cast: nothing else of it is asked for.
  const context = {
    clusters: { connection: () => connection },
    onStep: async () => {
      if (sent.length !== 2) return;
      clock += 600_000;
      await runOut();
      await take("new");
    },
  } as unknown as SyncerContext;
  const applying = applyPlan(context, undefined as never, plan, new AbortController().signal, async () => await held.prove());
  await expect(applying).rejects.toMatchObject({ code: "TARGET_LOCKED" });
  expect(sent).toEqual(["a", "b"]);
});

it("a lease that is proven again and again is kept, and asked for only when the proof is old", async () => {
  await runOut();
  let clock = 0;
  const held = new HeldLease(store, await take("one"), TTL_MS, () => clock);
  for (let step = 0; step < 5; step += 1) {
    clock += 1_500;
    await held.prove();
  }
  expect(await acquireLease(store, TARGET, "two", TTL_MS)).toBeUndefined();
});

// Would catch: PostgreSQL restarts during an apply, and the host that was being written stays as it is, tampered with or not, for 30 s more.
it("a lease that could not be given back is given back when the store answers, and never one that somebody else took since", async () => {
  await runOut();
  const lease = await take("ended");
  const unreleased = new Set([lease]);
  const away = openStore({ kind: "embedded", folder: join(folder, "away") }, { signal: AbortSignal.timeout(60_000) });
  await (await away).close();
  await expect(giveBackLeases({ store: await away, unreleased })).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect(unreleased.size).toBe(1);

  await giveBackLeases({ store, unreleased });
  expect(unreleased.size).toBe(0);
  await take("next");
  await giveBackLeases({ store, unreleased: new Set([lease]) });
  expect(await acquireLease(store, TARGET, "third", TTL_MS)).toBeUndefined();
});

// Would catch: a queue that comes back from a backup runs yesterday's jobs, or one job twice at once.
it("a job without open work, and a second one of a target that is being written, do nothing", async () => {
  await runOut();
  const steps: string[] = [];
  // The cast: a run that goes on asks for more, and fails the test.
  const context = {
    store,
    holder: "h ",
    now: Date.now,
    signal: new AbortController().signal,
    unreleased: new Set(),
    only: { signal: () => new AbortController().signal, whyNot: () => undefined },
    onStep: (step: string) => void steps.push(step),
  } as unknown as SyncerContext;
  await reconcile(context, TARGET, new AbortController().signal);
  expect(steps).toEqual(["leased"]);
  await take("busy");
  await reconcile(context, TARGET, new AbortController().signal);
  expect(steps).toEqual(["leased"]);
});

// Would catch: a full disk at the end of an apply leaves an intent that is open until the next start.
it("an intent whose outcome the log did not take is closed as unknown, one whose run is under way is not", async () => {
  const intents = [1, 2].map((seq) => ({
    seq,
    id: `intent-${seq}`,
    type: "apply.intent",
    plan: "p",
    target: { kind: "cluster", id: TARGET },
  }));
  const appended: unknown[] = [];
  // The cast: nothing else of it is asked for.
  const context = {
    flying: new Set(["intent-2"]),
    openIntents: async () => await Promise.resolve(intents),
    lastApply: async () => await Promise.resolve({ applied: undefined, begun: undefined }),
    savedMemberships: new Map(),
    trail: { append: async (entries: readonly unknown[]) => void appended.push(...entries) },
    log: { warn: () => undefined },
  } as unknown as SyncerContext;
  const outcome = { type: "apply.outcome", outcome: "unknown", recovered: true, causedBy: 1 };
  // Would catch: a run that ends while the log is read (a slow disk) gets a second outcome.
  const read = context.openIntents;
  const ending = async (): ReturnType<typeof read> => {
    const open = await read();
    context.flying.clear();
    return open;
  };
  await closeOpenIntents({ ...context, openIntents: ending });
  expect(appended).toMatchObject([outcome]);
  context.flying.add("intent-2");

  // Nor is it waited for: the next run of any target closes it before it begins (would catch: Firebreak is stopped before the sweep comes by).
  await runOut();
  await addWork(store, [{ target: TARGET, kind: "person", detail: {} }], 1);
  const only = { signal: () => new AbortController().signal, whyNot: () => undefined };
  const more = { store, holder: "h ", unreleased: new Set(), only, now: Date.now, random: () => 0.5, onStep: () => undefined };
  // The cast: the run fails where it asks for more, which is after that.
  const running = { ...context, ...more, signal: new AbortController().signal } as unknown as SyncerContext;
  await reconcile(running, TARGET, new AbortController().signal);
  expect(appended).toMatchObject([outcome, outcome]);
});
