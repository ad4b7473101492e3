/** Whatever tenants and roots of hosts have there, and however much was merged, planning and releasing a target leaves the thread its turns. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ClusterObservation, HostObservation } from "../../../core/observed/observation.ts";
import type { ReleaseQuestion } from "../../../core/plan/release.ts";
import { renderRuleset } from "../../../core/render/nft.ts";
import type { NetworkPolicy, NetworkPolicySpec } from "../../../core/render/networkpolicy-types.ts";
import { profileOf } from "../../../core/verdict/profile.ts";
import type { SyncerContext } from "../../../services/syncer/context.ts";
import { workOutRelease } from "../../../services/syncer/work-out.ts";
import { openWorkers, type Workers } from "../../../services/workers/open.ts";
import { hostWant } from "../../support/host-wants.ts";
import { inventory, namespace } from "../../support/definitions.ts";
import { longestBlock, MOST_MS } from "../../support/longest-block.ts";

const { signal } = new AbortController();
let workers: Workers;
let context: SyncerContext;

beforeAll(async () => {
  workers = openWorkers();
  context = { workers, signal } as unknown as SyncerContext; // all that working out asks of it
  await workOutRelease(context, hostRelease(3_000)); // the process starts, and code is loaded: that is not what is measured
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
