/** Whose addresses are whose is the syncer's own memory and a file of its state folder; what the database says of it moves nothing. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openStore, publishMembership, recordTargets, type Store } from "../../adapters/store/index.ts";
import { run } from "../../adapters/store/session.ts";
import { formatSet } from "../../core/address/index.ts";
import { LogFacts } from "../../core/audit/log-facts.ts";
import { membershipDigest } from "../../core/membership/digest.ts";
import { clusterTargetId, hostTargetId, listTargets } from "../../core/model/target.ts";
import type { HostObservation } from "../../core/observed/observation.ts";
import { Gaps } from "../../services/syncer/ahead.ts";
import type { SyncerContext } from "../../services/syncer/context.ts";
import { MembershipFeed } from "../../services/syncer/memberships.ts";
import { makePlan } from "../../services/syncer/planning.ts";
import {
  addresses,
  app,
  cluster,
  definitions,
  fleet,
  hostsMember,
  inventory,
  namespace,
  pod,
  policy,
  rule,
  segment,
} from "../support/definitions.ts";

const EU = clusterTargetId("eu");
const US = clusterTargetId("us");
const HOST = hostTargetId("db", "one");
const routed = { podNetwork: "routed" as const };
const named = definitions({
  clusters: [cluster("eu", routed), cluster("us", routed)],
  fleets: [fleet("db", [{ name: "one", addresses: ["10.20.0.11"], labels: {} }])],
  segments: [segment("web", [app("web")]), segment("db", [hostsMember({})], "enforce")],
  policies: [policy("p", rule("web", "db", "5432/tcp"))],
});
const seen = inventory("eu", { namespaces: [namespace("shop")], pods: [pod("shop/web-1", { app: "web" }, "10.2.0.9")] });

const folder = mkdtempSync(join(tmpdir(), "fb-memberships-"));
let store: Store;

beforeAll(async () => {
  store = await openStore({ kind: "embedded", folder: join(folder, "store") }, { signal: AbortSignal.timeout(60_000) });
  await recordTargets(
    store,
    listTargets(named).map(({ id, mode, labels }) => ({ id, mode, labels })),
    1,
    1,
  );
});

afterAll(async () => {
  await store?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A syncer that just started, and sees these clusters. The cast: nothing else of it is asked for here. */
async function start(isSeen: boolean): Promise<SyncerContext> {
  const { signal } = new AbortController();
  const connection = {
    health: () => ({ everSynced: true, isCurrent: true, confirmedAt: Date.now() }),
    uid: () => "uid",
    inventory: () => ({ ...seen, uid: "uid" }),
    services: () => ({ services: [] }),
    namespaces: () => seen.namespaces,
    isInventoryCurrent: () => true,
  };
  const observation: HostObservation = {
    kind: "host",
    target: HOST,
    completeness: "complete",
    identity: "key",
    ruleset: [],
    legacyTables: [],
    addresses: ["10.20.0.11"],
    resolvers: [],
    node: [],
    at: 1,
  };
  const context = {
    store,
    settings: { stateFolder: folder },
    operator: { floor: { from: [], ports: [] }, ownPaths: [] },
    instance: "us",
    now: Date.now,
    elapsed: () => performance.now(),
    signal,
    inForce: { sequence: 1, commit: "c", definitions: named },
    facts: new LogFacts(),
    gaps: new Gaps(),
    lastApply: async () => await Promise.resolve({ applied: undefined, begun: undefined }),
    clusters: { connection: () => connection, connections: () => new Map(isSeen ? [[EU, connection]] : []) },
    hosts: { connection: async () => await Promise.resolve({ observe: async () => await Promise.resolve(observation) }) },
    queue: { enqueue: async () => await Promise.resolve() },
    log: { info: () => undefined, warn: () => undefined },
    onStep: () => undefined,
  } as unknown as SyncerContext;
  const feed = new MembershipFeed(context);
  Object.assign(context, { memberships: feed });
  await feed.load();
  if (isSeen) await feed.publish([EU]);
  return context;
}

/** What the database is made to say. */
async function forge(target: string, ...texts: string[]): Promise<void> {
  const segments = new Map([["web", addresses(...texts)]]);
  const observedAt = Date.now() + 30_000;
  await publishMembership(store, { target, segments, complete: true, observedAt, digest: membershipDigest(segments) });
}

/** The whole text of what would be written to the host. */
async function written(context: SyncerContext): Promise<string> {
  return JSON.stringify((await makePlan(context, HOST, context.signal)).plan.steps);
}

it("what the database says of memberships puts no address into a set, while the syncer runs and at its next start", async () => {
  const running = await start(true);
  expect(await written(running)).toContain("10.2.0.9");
  await forge(EU, "203.0.113.66");
  expect(await written(running)).not.toContain("203.0.113.66");
  // The cluster is away when the service starts again: the file says what was known.
  const later = await start(false);
  expect([...later.memberships.known()].map(([id, { segments }]) => [id, formatSet(segments.get("web") ?? addresses())])).toEqual([
    [EU, "10.2.0.9"],
  ]);
  const steps = await written(later);
  expect([steps.includes("10.2.0.9"), steps.includes("203.0.113.66")]).toEqual([true, false]);
  // And a row that is gone takes nothing out.
  await run(store, "test", async (db) => await db.deleteFrom("firebreak.memberships").execute());
  expect(await written(later)).toContain("10.2.0.9");
});

// Bug: what is only in the database is left out, and the sets that were made with it shrink.
it("a cluster of which only the database tells is waited for", async () => {
  await forge(US, "198.51.100.7");
  await expect(written(await start(false))).rejects.toMatchObject({
    code: "INVENTORY_INCOMPLETE",
    message: expect.stringContaining("cluster/us") as string,
  });
});
