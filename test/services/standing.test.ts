/** Conditions that stand, on a real store: what tenants and nodes say, and what of it is believed. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  acquireLease,
  forgetTarget,
  listFindings,
  listTargetRows,
  openStore,
  recordApplied,
  recordCandidate,
  recordIdentity,
  recordProcess,
  recordTargets,
  releaseLease,
  type Store,
} from "../../adapters/store/index.ts";
import { LogFacts } from "../../core/audit/log-facts.ts";
import { compileTarget } from "../../core/compile/inputs.ts";
import { clusterStructure } from "../../core/compile/structure.ts";
import type { ClusterInventory } from "../../core/membership/inventory.ts";
import type { Definitions } from "../../core/model/kinds.ts";
import { clusterTargetId, findTarget, hostTargetId, listTargets } from "../../core/model/target.ts";
import { judgeNodeClaim } from "../../core/plan/node-claim.ts";
import type { HostObservation } from "../../core/observed/observation.ts";
import type { DriftContext } from "../../services/drift/context.ts";
import { SeenTargets } from "../../services/drift/seen.ts";
import { lookAtStanding } from "../../services/drift/standing.ts";
import { Gaps } from "../../services/syncer/ahead.ts";
import type { SyncerContext } from "../../services/syncer/context.ts";
import { makePlan } from "../../services/syncer/planning.ts";
import { ForeignUpdates } from "../../services/foreign-updates.ts";
import {
  app,
  boundaryMember,
  cluster,
  definitions,
  fleet,
  hostsMember,
  inventory,
  namespace,
  pod,
  policy,
  prefix,
  rule,
  segment,
} from "../support/definitions.ts";

const EU = clusterTargetId("eu");
const HOST = hostTargetId("db", "one");
const ADDRESS = "10.20.0.11";
const OPERATOR = { floor: { from: [], ports: [] }, ownPaths: [] };

const folder = mkdtempSync(join(tmpdir(), "fb-standing-"));
let store: Store;

beforeAll(async () => {
  store = await openStore({ kind: "embedded", folder: join(folder, "store") }, { signal: AbortSignal.timeout(60_000) });
});

afterAll(async () => {
  await store?.close();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  for (const { id } of await listTargetRows(store)) await forgetTarget(store, id, Date.now(), () => []);
});

const SETTINGS = { channels: {}, forge: undefined, stateFolder: folder };

/** A detector that sees this. The casts: nothing else of a service is asked for here. */
async function begin(named: Definitions, seen: ClusterInventory): Promise<DriftContext> {
  const targets = listTargets(named).map(({ id, mode, labels }) => ({ id, mode, labels }));
  await recordTargets(store, targets, 1, Date.now());
  return {
    store,
    settings: SETTINGS,
    inForce: { sequence: 1, commit: "c", definitions: named },
    clusters: connected(seen),
    failures: new Map(),
    seen: new SeenTargets(),
    askedAt: new Map(),
    foreignUpdates: new ForeignUpdates(),
    lookAgain: new Map(),
    elapsed: () => performance.now(),
    now: Date.now,
  } as unknown as DriftContext;
}

function connected(seen: ClusterInventory) {
  const connection = {
    inventory: () => seen,
    services: () => ({ services: seen.services }),
    health: () => ({ everSynced: true }),
  };
  return { connections: () => new Map([[EU, connection]]), connection: () => connection };
}

/** Open findings, as `kind target`, with their words. */
async function told(context: DriftContext): Promise<readonly (readonly [string, string])[]> {
  await lookAtStanding(context);
  const found = await listFindings(store, { open: true });
  return found.map(({ kind, target, summary }) => [`${kind} ${target}`, summary] as const);
}

describe("a commit that is refused", () => {
  // Bug: what people merged is not in force, and `findings` is empty; a refusal of a moment makes an issue.
  it("is one finding until it is over, and none in its first seconds", async () => {
    const named = definitions({ clusters: [cluster("eu")] });
    const context = await begin(named, inventory("eu", { namespaces: [], pods: [] }));
    const refused = { commit: "61f21d0bcb".padEnd(40, "0"), code: "REVISION_UNAPPROVED", message: "it has no approval", notes: [] };
    await recordCandidate(store, { ...refused, at: Date.now() });
    expect(await told(context)).toEqual([]);
    await recordCandidate(store, { ...refused, at: Date.now() - 60_000 });
    expect(await told(context)).toEqual([
      [
        `revision-refused ${EU}`,
        "commit 61f21d0bcb of the branch is refused (REVISION_UNAPPROVED), so revision 1 stays in force: it has no approval",
      ],
    ]);
    await recordCandidate(store, null);
    expect(await told(context)).toEqual([]);
  });
});

describe("a log that takes no entries", () => {
  const full = { code: "AUDIT_UNAVAILABLE", message: "write to the disk of the audit log" };
  const says = async (since: number | undefined, isSlow = false): Promise<void> => {
    const troubles = since === undefined ? [] : [{ need: "log" as const, since, error: full, isSlow }];
    await recordProcess(store, { role: "syncer", start: "s", troubles });
  };

  // Bug: the disk fills at night, nothing is repaired any more, and only who looks at status hears of it.
  it("is told once, to whoever is told of findings, and that it is over; not a moment of it", async () => {
    const named = definitions({ clusters: [cluster("eu"), cluster("us")] });
    const context = await begin(named, inventory("eu", { namespaces: [], pods: [] }));
    await says(Date.now());
    expect(await told(context)).toEqual([]);
    await says(Date.now() - 60_000, true);
    expect(await told(context)).toEqual([]); // a busy machine; told when it lasts
    await says(Date.now() - 600_000, true);
    expect(await told(context)).toHaveLength(1);
    await says(Date.now() - 60_000);
    const [found, ...more] = await told(context);
    expect(found?.[0]).toBe(`log-away ${EU}`);
    expect(found?.[1]).toContain("nothing is applied or repaired anywhere");
    expect(more).toEqual([]);
    await says(undefined);
    expect(await told(context)).toEqual([]);
  });
});

describe("what a tenant says", () => {
  const shop = namespace("shop", { team: "shop" });

  // Bug: an address joins the ingress boundary, and with it sets of hosts, and nobody hears of it.
  it("an address that joined the ingress boundary is told until the definition lists it", async () => {
    const service = {
      namespace: "shop",
      name: "web",
      selector: {},
      clusterIps: [],
      ports: [],
      loadBalancer: ["203.0.113.66"],
    };
    const named = (over: Parameters<typeof cluster>[1]) =>
      definitions({
        clusters: [cluster("eu", over)],
        segments: [segment("web", [app("web")], "enforce"), segment("edge", [boundaryMember("ingress")])],
        policies: [policy("p", rule("edge", "web"))],
      });
    const seen = inventory("eu", { namespaces: [shop], services: [service] });
    expect(await told(await begin(named({}), seen))).toEqual([
      [`boundary-address ${EU}`, expect.stringMatching(/203\.0\.113\.66.*shop\/web.*boundaries\.ingress\.addresses/) as string],
    ]);
    const listed = { boundaries: { ingress: { addresses: [prefix("203.0.113.66/32")], controllers: [] } } };
    expect(await told(await begin(named(listed), seen))).toEqual([]);
  });

  // Bug: a pod says that it has somebody else's address, and it is left out in silence.
  it("addresses outside the pod ranges and labels that are too many are told with their pods", async () => {
    const named = definitions({
      clusters: [cluster("eu", { podRanges: [prefix("10.9.0.0/16")] })],
      segments: [segment("web", [app("web")])],
    });
    const pods = [
      pod("shop/web-1", { app: "web" }, "198.51.100.99"),
      pod("shop/big-1", {}, undefined, { addresses: [], notUnderstood: true as const }),
    ];
    expect(await told(await begin(named, inventory("eu", { namespaces: [shop], pods })))).toEqual(
      expect.arrayContaining([
        [`not-believed ${EU}`, expect.stringContaining("198.51.100.99") as string],
        [`not-believed ${EU}`, expect.stringContaining("shop/big-1") as string],
      ]),
    );
    expect(await told(await begin(named, inventory("eu", { namespaces: [shop], pods: [] })))).toEqual([]);
  });

  // Bug: label values cut a rule of another team short, and only a note in a log says so.
  it("values of `same` that are too many are a finding with the rule's line", async () => {
    const named = definitions({
      clusters: [cluster("eu")],
      segments: [segment("web", [app("web")], "enforce"), segment("db", [app("db")], "enforce")],
      policies: [policy("p", rule("web", "db", "5432/tcp", ["color"]))],
    });
    const pods = Array.from({ length: 600 }, (_, n) => [
      pod(`shop/web-${n}`, { app: "web", color: `c${n}` }, undefined, { addresses: [] }),
      pod(`shop/db-${n}`, { app: "db", color: `c${n}` }, undefined, { addresses: [] }),
    ]).flat();
    const seen = inventory("eu", { namespaces: [shop], pods });
    const target = findTarget(named, EU);
    if (target?.kind !== "cluster") throw new Error("no cluster");
    const structure = clusterStructure(named, target.cluster, seen);
    const inputs = { kind: "cluster" as const, ...structure, memberships: new Map(), orphans: [], now: 0 };
    const { notes } = compileTarget(named, target, inputs, OPERATOR);
    const context = await begin(named, seen);
    // As a run of the syncer does.
    await recordIdentity(store, EU, { notes });
    expect(await told(context)).toEqual([[`unenforceable-here ${EU}`, expect.stringContaining("512 are allowed") as string]]);
    const [finding] = await listFindings(store, { open: true });
    expect(finding?.at).not.toBeNull();
  });
});

describe("a node that claims the address of a host", () => {
  const named = definitions({
    clusters: [cluster("eu")],
    fleets: [fleet("db", [{ name: "one", addresses: [ADDRESS], labels: {} }])],
    segments: [segment("hosts", [hostsMember({})], "enforce")],
  });
  const seen = inventory("eu", { nodes: [{ name: "rogue", addresses: [ADDRESS] }] });
  const observation = (node: readonly string[] | undefined): HostObservation => ({
    kind: "host",
    target: HOST,
    completeness: "complete",
    identity: "ssh-ed25519 AAAA",
    ruleset: [],
    legacyTables: [],
    addresses: [ADDRESS],
    resolvers: [],
    ...(node === undefined ? {} : { node }),
    at: 1,
  });

  async function markApplied(): Promise<void> {
    const lease = await acquireLease(store, HOST, "test", 30_000);
    if (lease === undefined) throw new Error("no lease");
    const applied = {
      sequence: 1,
      plan: "p",
      generation: 1,
      membershipDigest: "",
      inputs: {},
      observationDigest: "",
      segments: 0,
      rules: 0,
    };
    await recordApplied(store, HOST, lease.fencing, applied, Date.now());
    await releaseLease(store, lease);
  }

  /** What a run would do. */
  async function plan(node: readonly string[] | undefined): Promise<string> {
    const { signal } = new AbortController();
    const context = {
      store,
      settings: SETTINGS,
      operator: OPERATOR,
      instance: "us",
      inForce: { sequence: 1, commit: "c", definitions: named },
      facts: new LogFacts(),
      gaps: new Gaps(),
      lastApply: async () => await Promise.resolve({ applied: undefined, begun: undefined }),
      memberships: { known: () => new Map() },
      clusters: connected(seen),
      hosts: { connection: async () => await Promise.resolve({ observe: async () => await Promise.resolve(observation(node)) }) },
      onStep: () => undefined,
      now: Date.now,
      signal,
    } as unknown as SyncerContext;
    try {
      return `${(await makePlan(context, HOST, signal)).plan.steps.length > 0 ? "writes" : "writes nothing"}`;
    } catch (error) {
      return (error as Error).message;
    }
  }

  // Bug: root of one node silences the healing of any managed host, by one address in a status.
  it("is not believed when the host shows nothing of a node: the host is written, and people are told", async () => {
    const context = await begin(named, seen);
    await markApplied();
    const shown = observation([]);
    context.seen.set(HOST, shown, "d", { node: judgeNodeClaim(shown, true) });
    expect(await plan([])).toBe("writes");
    expect(await told(context)).toEqual([
      [`not-believed ${HOST}`, expect.stringMatching(/cluster\/eu.*10\.20\.0\.11.*not believed/) as string],
    ]);
  });

  it("is believed when it does: the host is not written, and the message says by what", async () => {
    const context = await begin(named, seen);
    await markApplied();
    const shown = observation(["/var/lib/kubelet"]);
    context.seen.set(HOST, shown, "d", { node: judgeNodeClaim(shown, true) });
    expect(await plan(["/var/lib/kubelet"])).toMatch(/is node rogue of cluster\/eu \(it has \/var\/lib\/kubelet\)/);
    expect(await told(context)).toEqual([[`host-is-a-node ${HOST}`, expect.any(String) as string]]);
  });

  it("is believed on doubt: before the first apply, and while the read-back does not tell", async () => {
    const context = await begin(named, seen);
    expect(await plan([])).toContain("is node rogue of cluster/eu");
    await markApplied();
    expect(await plan(undefined)).toContain("is node rogue of cluster/eu");
    expect((await told(context)).map(([what]) => what)).toEqual([`host-is-a-node ${HOST}`]);
  });
});
