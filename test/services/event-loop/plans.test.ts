/** Whatever tenants and roots of hosts have there, and however much was merged, planning and releasing a target leaves the thread its turns. */
import { createSecretKey } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ClusterObservation, HostObservation } from "../../../core/observed/observation.ts";
import { clusterTargetId } from "../../../core/model/target.ts";
import type { ReleaseQuestion } from "../../../core/plan/release.ts";
import type { Plan } from "../../../core/plan/plan.ts";
import type { ClusterRun, RunKept } from "../../../core/plan/run.ts";
import { renderRuleset } from "../../../core/render/nft.ts";
import type { NetworkPolicy, NetworkPolicySpec } from "../../../core/render/networkpolicy-types.ts";
import { profileOf } from "../../../core/verdict/profile.ts";
import type { SyncerContext } from "../../../services/syncer/context.ts";
import { workOut, workOutRelease } from "../../../services/syncer/work-out.ts";
import { digestInTurns } from "../../../services/digest.ts";
import { sealSteps, type SealParts } from "../../../services/syncer/seals.ts";
import { openWorkers, type Workers } from "../../../services/workers/open.ts";
import { hostWant } from "../../support/host-wants.ts";
import { app, cluster, definitions, inventory, namespace, pod, policy, rule, segment } from "../../support/definitions.ts";
import { longestBlock, MOST_MS } from "../../support/longest-block.ts";

const { signal } = new AbortController();
const SEALS = { instance: "i-1", sealKey: createSecretKey(Buffer.alloc(32)), isLogNew: false } as unknown as SealParts; // all that sealing asks of it
let workers: Workers;
let context: SyncerContext;

beforeAll(async () => {
  workers = openWorkers();
  context = { workers, signal } as unknown as SyncerContext; // all that working out asks of it
  await workOutRelease(context, hostRelease(3_000)); // the process starts, and code is loaded: that is not what is measured
  await workOut(context, runOf(keptOf(600, 1), [], ""));
}, 120_000);

afterAll(async () => {
  await workers[Symbol.asyncDispose]();
});

function list<T>(count: number, make: (at: number) => T): T[] {
  return Array.from({ length: count }, (_, at) => make(at));
}

const ANNOTATIONS = { "firebreak.dev/instance": "i-1", "firebreak.dev/sequence": "1", "firebreak.dev/digest": "0".repeat(16) };

/** A tenant's, with our mark or without: who writes a policy may write that, too. */
function tenants(name: string, spec: NetworkPolicySpec, isMarked = false): NetworkPolicy {
  const metadata = { namespace: "shop", name, labels: {}, ...(isMarked ? { annotations: ANNOTATIONS } : {}), resourceVersion: "1" };
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec };
}

const except = list(40_000, (at) => `10.${(at >> 8) & 255}.${at & 255}.${(at * 7) % 250}/32`);
const MANY_EXCEPTIONS: NetworkPolicySpec = { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: "0.0.0.0/0", except } }] }] };

function observationOf(objects: readonly NetworkPolicy[]): ClusterObservation {
  const policies = objects.map((object) => ({ object, manager: "kubectl", managedAt: undefined }));
  return { kind: "cluster", target: "cluster/eu", completeness: "complete", uid: "u", policies, at: 0 };
}

/** A host with our table, and as many rules of its own. */
function hostWith(rules: number): HostObservation {
  const base = { type: "filter", hook: "input", prio: 10, policy: "drop" };
  const accept = (port: number): unknown => {
    const match = { op: "==", left: { payload: { protocol: "tcp", field: "dport" } }, right: port };
    return { rule: { family: "inet", table: "x", chain: "i", expr: [{ match }, { accept: null }] } };
  };
  const others = [
    { table: { family: "inet", name: "x" } },
    { chain: { family: "inet", table: "x", name: "i", ...base } },
    ...list(rules, accept),
  ];
  const mark = { instance: "i-1", sequence: 1, digest: "0".repeat(16) };
  const ruleset = [
    ...renderRuleset(hostWant({ ingress: { mode: "enforce", allows: [] } }), mark, { generation: 1, phase: "final" }),
    ...others,
  ];
  // The cast: what a plan and a release ask of an observation.
  return {
    kind: "host",
    target: "host/f/a",
    completeness: "complete",
    ruleset,
    addresses: [],
    resolvers: [],
    at: 0,
  } as unknown as HostObservation;
}

function hostRelease(rules: number): ReleaseQuestion {
  return { kind: "host", observation: hostWith(rules), instance: "i-1" };
}

// Bug: whoever has many rules on a host that is let go holds up the whole service while that is worked out.
test("a host with 20,000 rules of its own that is let go: the thread is never held, and it is told", async () => {
  const asked = hostRelease(20_000);
  let told: Awaited<ReturnType<typeof workOutRelease>> | undefined;
  const held = await longestBlock(async () => (told = await workOutRelease(context, asked)));
  expect(told?.transaction?.kind).toBe("release");
  expect(told?.effect.finding.verdict).not.toBe("equivalent");
  expect(held).toBeLessThan(MOST_MS);
}, 120_000);

// Bug: the same for a cluster that is let go; or a tenant whose objects behind our mark take so long that nothing can be let go.
test.each([
  ["five policies of 40,000 exceptions", list(5, (at) => tenants(`n${at}`, MANY_EXCEPTIONS))],
  ["five of them behind our mark", list(5, (at) => tenants(`n${at}`, MANY_EXCEPTIONS, true))],
])(
  "a cluster with %s that is let go: the thread is never held",
  async (_, more) => {
    const observation = observationOf([...more, tenants("ours", { podSelector: {} }, true)]);
    const seen = inventory("eu", { namespaces: [namespace("shop")], pods: [], nodes: [] });
    const asked = { kind: "cluster", observation, inventory: seen, profile: profileOf("calico"), instance: "i-1" } as const;
    let told: Awaited<ReturnType<typeof workOutRelease>> | undefined;
    const held = await longestBlock(async () => (told = await workOutRelease(context, asked)));
    expect(told?.steps.map((step) => step.kind === "delete" && step.name)).toContain("ours");
    expect(held).toBeLessThan(MOST_MS);
  },
  120_000,
);

const EU = { ...cluster("eu"), mode: "apply" as const };

/** What was merged: so many segments, each of which may reach the next. */
function keptOf(segments: number, pods: number): RunKept {
  const defined = definitions({
    clusters: [EU],
    segments: list(segments, (at) => segment(`s${at}`, [app(`a${at}`)], "enforce")),
    policies: [policy("p", ...list(segments - 1, (at) => rule(`s${at}`, `s${at + 1}`, "5432/tcp")))],
  });
  const some = list(pods, (at) =>
    pod(`shop/a-${at}`, { app: `a${at % segments}` }, `10.${1 + (at >> 16)}.${(at >> 8) & 255}.${at & 255}`),
  );
  return { definitions: defined, "cluster/eu": inventory("eu", { namespaces: [namespace("shop")], pods: some, nodes: [] }) };
}

function runOf(kept: RunKept, live: readonly NetworkPolicy[], observationDigest: string): ClusterRun {
  return {
    kind: "cluster",
    kept,
    target: { kind: "cluster", id: clusterTargetId("eu"), mode: "apply", labels: {}, cluster: EU },
    operator: { floor: { from: [], ports: [] }, ownPaths: [] },
    instance: "i-1",
    sequence: 1,
    memberships: new Map(),
    orphans: [],
    now: 0,
    fixed: undefined,
    checked: undefined,
    observation: observationOf(live),
    observationDigest,
    removeForeign: new Set(),
    keepAddresses: false,
    enforcer: "calico",
  };
}

const PLANS: Readonly<Record<string, () => { readonly kept: RunKept; readonly live: readonly NetworkPolicy[] }>> = {
  "five policies of 40,000 exceptions": () => ({ kept: keptOf(2, 1), live: list(5, (at) => tenants(`n${at}`, MANY_EXCEPTIONS)) }),
  "five of them behind our mark": () => ({ kept: keptOf(2, 1), live: list(5, (at) => tenants(`n${at}`, MANY_EXCEPTIONS, true)) }),
  "3,000 policies": () => ({
    kept: keptOf(2, 1),
    live: list(3_000, (at) => tenants(`n${at}`, { podSelector: { matchLabels: { n: `${at}` } }, ingress: [{}] })),
  }),
  "3,000 segments": () => ({ kept: keptOf(3_000, 1), live: [] }),
  "30,000 pods": () => ({ kept: keptOf(20, 30_000), live: [] }),
};

// Bug: what a tenant writes, and what somebody merged, decides for how long nothing else is healed or answered, with every plan of every target.
test.each(Object.entries(PLANS))(
  "a plan with %s: the thread is never held, and it is made",
  async (_, make) => {
    const { kept, live } = make();
    let plan: Plan | undefined;
    const held = await longestBlock(async () => {
      const digest = await digestInTurns(observationOf(live));
      const worked = await workOut(context, runOf(kept, live, digest));
      if (worked.plan.kind === "cluster") plan = await sealSteps(SEALS, worked.plan);
    });
    expect(plan?.steps.filter(({ kind }) => kind === "create")).not.toEqual([]);
    expect(held).toBeLessThan(MOST_MS);
  },
  120_000,
);

// Bug: what cannot be planned within its budget is planned from a part, or is called done.
test("a plan that takes more than its budget is none, and says so", async () => {
  const pool = { run: async () => await Promise.resolve({ kind: "timed-out", afterMs: 20_000 }) };
  const poor = { ...context, workers: pool } as unknown as SyncerContext;
  await expect(workOut(poor, runOf(keptOf(3_000, 1), [], ""))).rejects.toMatchObject({
    code: "LIMIT_EXCEEDED",
    message: expect.stringContaining("cluster/eu cannot be planned") as unknown,
  });
});
