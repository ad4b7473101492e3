/** A context that leads to another cluster: on a real store, with clusters that the test makes up. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import {
  addWork,
  forgetTarget,
  listTargetRows,
  openStore,
  readMemberships,
  recordIdentity,
  recordTargets,
  targetRow,
  type Store,
} from "../../adapters/store/index.ts";
import type { EntryInput } from "../../core/audit/entry.ts";
import { LogFacts } from "../../core/audit/log-facts.ts";
import { clusterTargetId } from "../../core/model/target.ts";
import { acceptReplaced } from "../../services/syncer/accept-replaced.ts";
import { Gaps } from "../../services/syncer/ahead.ts";
import type { SyncerContext } from "../../services/syncer/context.ts";
import { MembershipFeed } from "../../services/syncer/memberships.ts";
import { reconcile } from "../../services/syncer/reconcile.ts";
import { takeOver } from "../../services/syncer/takeover.ts";
import { refuseReplaced } from "../../services/replaced.ts";
import { app, cluster, definitions, inventory, namespace, pod, segment } from "../support/definitions.ts";

const EU = clusterTargetId("eu");
const SEEN = inventory("eu", { namespaces: [namespace("shop")], pods: [pod("shop/web-1", { app: "web" }, "10.2.0.9")] });

const folder = mkdtempSync(join(tmpdir(), "fb-replaced-"));
let store: Store;
let live: string;
let looks: string[];
let entries: EntryInput[];
let facts: LogFacts;
let context: SyncerContext;

beforeAll(async () => {
  store = await openStore({ kind: "embedded", folder: join(folder, "store") }, { signal: AbortSignal.timeout(60_000) });
});

afterAll(async () => {
  await store?.close();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  for (const { id } of await listTargetRows(store)) await forgetTarget(store, id, Date.now(), () => []);
  await recordTargets(store, [{ id: EU, mode: "apply", labels: {} }], 1, 1);
  [live, looks, entries, facts] = ["uid-a", [], [], new LogFacts()];
  const connection = {
    readObservation: async () =>
      await Promise.resolve({ kind: "cluster", target: EU, completeness: "complete", uid: live, policies: [], at: 1 }),
    // Whoever waits for the workloads goes on to plan.
    synced: async () => {
      looks.push("plans");
      return await Promise.reject(new Error("the test ends here"));
    },
    health: () => ({ everSynced: true, isCurrent: true, confirmedAt: Date.now() }),
    uid: () => live,
    inventory: () => ({ ...SEEN, uid: live }),
    services: () => ({ services: [] }),
    namespaces: () => SEEN.namespaces,
    isInventoryCurrent: () => true,
  };
  const { signal } = new AbortController();
  const append = async (more: readonly EntryInput[]): Promise<void> => {
    entries.push(...more);
    for (const entry of more) facts.add({ type: entry.type, time: "", fields: { ...entry } });
    await Promise.resolve();
  };
  const named = definitions({ clusters: [cluster("eu")], segments: [segment("web", [app("web")])] });
  // The cast: nothing else of a syncer is asked for here.
  context = {
    store,
    settings: { stateFolder: folder },
    operator: { floor: { from: [], ports: [] }, ownPaths: [] },
    instance: "us",
    start: "start",
    holder: "h ",
    unreleased: new Set(),
    openIntents: async () => await Promise.resolve([]),
    now: Date.now,
    elapsed: () => performance.now(),
    random: () => 0.5,
    signal,
    only: { signal: () => signal, whyNot: () => undefined },
    inForce: { sequence: 1, commit: "c", definitions: named },
    clusters: { connection: () => connection, connections: () => new Map([[EU, connection]]) },
    trail: { append },
    facts,
    gaps: new Gaps(),
    lastApply: async () => await Promise.resolve({ applied: undefined, begun: undefined }),
    memberships: { known: () => new Map(), forget: () => undefined },
    queue: { enqueue: async () => await Promise.resolve() },
    log: { warn: () => undefined, debug: () => undefined, info: () => undefined },
    onStep: () => undefined,
  } as unknown as SyncerContext;
});

async function runOnce() {
  await addWork(store, [{ target: EU, kind: "person", key: `${Math.random()}`, detail: {} }], Date.now());
  await reconcile(context, EU, new AbortController().signal);
  return await targetRow(store, EU);
}

// Would catch: two contexts are swapped in Git or in the kubeconfig, and what is new is enforced in the wrong cluster (M8).
it("is not planned, whoever asks; the message names both UIDs and the way out, and the known one stays", async () => {
  await recordIdentity(store, EU, { identity: "uid-a" });
  live = "uid-b";
  const row = await runOnce();
  expect(row?.lastError).toMatchObject({
    code: "TARGET_REPLACED",
    message: expect.stringMatching(/uid-b.*uid-a.*reconcile cluster\/eu --replaced uid-b/s) as string,
  });
  expect([row?.identity, looks]).toEqual(["uid-a", []]);
  live = "uid-a";
  await runOnce();
  expect(looks).toEqual(["plans"]);
});

// Would catch: the store is lost, or its column is emptied, and the first cluster that answers is believed.
it("is not planned either when only the log knows who it was, and has no membership", async () => {
  await context.trail.append([{ id: "i", type: "target.identified", target: { kind: "cluster", id: EU, uid: "uid-a" } }]);
  live = "uid-b";
  expect((await runOnce())?.lastError).toMatchObject({ code: "TARGET_REPLACED" });
  const feed = new MembershipFeed(context);
  await feed.publish([EU]);
  expect([looks, feed.known().size]).toEqual([[], 0]);
  await acceptReplaced(context, EU, "uid-b", "api-token");
  expect(entries.at(-1)).toMatchObject({ type: "target.replaced", detail: { before: "uid-a", after: "uid-b" } });
  await runOnce();
  expect(looks).toEqual(["plans"]);
});

// Would catch: the pods of the wrong cluster become addresses in the sets of hosts and other clusters.
it("has no membership: the last one of the right cluster stays", async () => {
  const feed = new MembershipFeed(context);
  await recordIdentity(store, EU, { identity: "uid-a" });
  live = "uid-b";
  await feed.publish([EU]);
  expect((await readMemberships(store)).memberships.size).toBe(0);
  live = "uid-a";
  await feed.publish([EU]);
  expect((await readMemberships(store)).memberships.size).toBe(1);
});

it("is taken up when a person names exactly its UID: in the log, and as if never applied", async () => {
  await recordIdentity(store, EU, { identity: "uid-a", enforcer: "calico" });
  live = "uid-b";
  await runOnce();
  await expect(acceptReplaced(context, EU, "uid-c", "api-token")).rejects.toMatchObject({ code: "USAGE" });
  expect([entries, (await targetRow(store, EU))?.identity]).toEqual([[], "uid-a"]);
  await acceptReplaced(context, EU, "uid-b", "api-token");
  expect(entries).toMatchObject([
    {
      type: "target.replaced",
      target: { id: EU, uid: "uid-b" },
      actor: { kind: "token", id: "api-token" },
      detail: { before: "uid-a" },
    },
  ]);
  expect(await targetRow(store, EU)).toMatchObject({ identity: "uid-b", enforcer: null, appliedSequence: null, lastError: null });
  await runOnce();
  expect(looks).toEqual(["plans"]);
});

// Would catch: a cluster that got another name waits for a person.
it("is none when a new name proves to be an orphan: it takes over", async () => {
  await recordIdentity(store, EU, { identity: "uid-a" });
  const renamed = clusterTargetId("europe");
  await recordTargets(store, [{ id: renamed, mode: "apply", labels: {} }], 2, 2);
  expect(() => refuseReplaced(renamed, null, "uid-a")).not.toThrow();
  // Would catch: one UPDATE of the store makes an orphan pass for this cluster, and it is let go.
  await takeOver(context, renamed, "uid-a");
  expect(await listTargetRows(store)).toHaveLength(2);
  await context.trail.append([{ id: "i", type: "target.identified", target: { kind: "cluster", id: EU, uid: "uid-a" } }]);
  await takeOver(context, renamed, "uid-a");
  expect((await listTargetRows(store)).map(({ id }) => id)).toEqual([renamed]);
});
