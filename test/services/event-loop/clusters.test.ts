/** Whatever tenants of a cluster write, the thread of the service has its turn: what is not small is compared by a worker. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { compileCluster } from "../../../core/compile/cluster.ts";
import type { ClusterInventory } from "../../../core/membership/inventory.ts";
import { renderNetworkPolicies } from "../../../core/render/networkpolicy.ts";
import type { NetworkPolicy, NetworkPolicySpec } from "../../../core/render/networkpolicy-types.ts";
import type { ClusterObservation } from "../../../core/observed/observation.ts";
import type { Look } from "../../../services/compare.ts";
import { digestInTurns } from "../../../services/digest.ts";
import { findIn } from "../../../services/looks.ts";
import { openWorkers, type Workers } from "../../../services/workers/open.ts";
import { app, cluster, definitions, inventory, namespace, pod, policy, rule, segment } from "../../support/definitions.ts";
import { longestBlock, MOST_MS } from "../../support/longest-block.ts";

const EU = { ...cluster("eu"), foreign: "remove" as const, mode: "apply" as const };
const DEFINITIONS = definitions({
  clusters: [EU],
  segments: [segment("web", [app("web")], "enforce"), segment("db", [app("db")], "enforce")],
  policies: [policy("p", rule("web", "db", "5432/tcp"))],
});
const NAMESPACES = [namespace("shop"), namespace("aaa")];
const MARK = { instance: "i-1", sequence: 1, digest: "0".repeat(16) };

function list<T>(count: number, make: (at: number) => T): T[] {
  return Array.from({ length: count }, (_, at) => make(at));
}

function world(pods: number): ClusterInventory {
  const some = [pod("shop/web-1", { app: "web" }, "10.1.0.1"), pod("shop/db-1", { app: "db" }, "10.1.0.2")];
  const more = list(pods, (at) =>
    pod(`aaa/p-${at}`, { [`k${at % 50}`]: "v", n: `${at}` }, `10.${2 + (at >> 16)}.${(at >> 8) & 255}.${at & 255}`),
  );
  return inventory("eu", { namespaces: NAMESPACES, pods: [...some, ...more], nodes: [] });
}

function networkPolicy(place: string, name: string, spec: NetworkPolicySpec): NetworkPolicy {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { namespace: place, name, labels: {} }, spec };
}

const { want } = compileCluster({
  definitions: DEFINITIONS,
  cluster: EU,
  namespaces: NAMESPACES,
  services: [],
  memberships: new Map(),
});
const EXPECTED = renderNetworkPolicies(want, MARK);
const ingress = (count: number): NetworkPolicySpec => ({
  podSelector: {},
  policyTypes: ["Ingress"],
  ingress: list(count, (at) => ({
    from: [{ ipBlock: { cidr: `11.${(at >> 8) & 255}.${at & 255}.0/24` } }, { podSelector: { matchLabels: { [`k${at}`]: "v" } } }],
    ports: [{ protocol: "TCP", port: 1 + ((at * 7) % 60_000) }],
  })),
});
const opened = { ...(EXPECTED[0] as NetworkPolicy), spec: ingress(4_000) };

const LOOKS: Readonly<Record<string, () => { readonly live: readonly NetworkPolicy[]; readonly pods: number }>> = {
  "a policy of 4,000 rules": () => ({ live: [...EXPECTED, networkPolicy("aaa", "big", ingress(4_000))], pods: 50 }),
  "a policy of 10,000 rules": () => ({ live: [...EXPECTED, networkPolicy("aaa", "big", ingress(10_000))], pods: 50 }),
  "our own policy with 4,000 rules": () => ({ live: [...EXPECTED.slice(1), opened], pods: 50 }),
  "300 policies of 30 rules": () => ({
    live: [...EXPECTED, ...list(300, (at) => networkPolicy("aaa", `n${at}`, ingress(30)))],
    pods: 50,
  }),
  "a policy over 30,000 pods": () => ({
    live: [...EXPECTED, networkPolicy("aaa", "open", { podSelector: {}, ingress: [{}] })],
    pods: 30_000,
  }),
};

const { signal } = new AbortController();
const log = { error: () => undefined } as never; // the only word of it that a look says
let workers: Workers;

beforeAll(async () => {
  workers = openWorkers();
  await lookAt(EXPECTED, world(2_000)); // the process starts, and code is loaded: that is not what is measured
});

afterAll(async () => {
  await workers[Symbol.asyncDispose]();
});

async function lookAt(live: readonly NetworkPolicy[], inventory: ClusterInventory): Promise<readonly string[]> {
  const policies = live.map((object) => ({ object, manager: "kubectl", managedAt: undefined }));
  const observation = { kind: "cluster", target: "cluster/eu", completeness: "complete", uid: "u", policies, at: 0 };
  const target = { kind: "cluster", id: "cluster/eu", mode: "apply", cluster: EU };
  const state = { target, want, mark: MARK, definitions: DEFINITIONS };
  // The cast: what a look takes of a target.
  const look = { kind: "cluster", states: [state], observation, inventory, enforcer: "calico" } as unknown as Look;
  return (await findIn({ workers, signal, log }, look)).findings.map(({ kind }) => kind);
}

// Bug: one tenant's policy decides for how long nobody is looked at, healed or answered.
test.each(Object.entries(LOOKS))("%s: the thread is never held, and it is told", async (_, make) => {
  const { live, pods } = make();
  const inventory = world(pods);
  let told: readonly string[] = [];
  const held = await longestBlock(async () => (told = await lookAt(live, inventory)));
  expect(told).not.toEqual([]);
  expect(held).toBeLessThan(MOST_MS);
});

const except = list(40_000, (at) => `10.${(at >> 8) & 255}.${at & 255}.${(at * 7) % 250}/32`);
const VAST: NetworkPolicySpec = { podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: "0.0.0.0/0", except } }] }] };
const annotations = { "firebreak.dev/instance": "i-1", "firebreak.dev/sequence": "1", "firebreak.dev/digest": MARK.digest };
const marked = (object: NetworkPolicy): NetworkPolicy => ({ ...object, metadata: { ...object.metadata, annotations } });

const DIGESTS: Readonly<Record<string, () => readonly NetworkPolicy[]>> = {
  "20 policies with 40,000 exceptions": () => list(20, (at) => networkPolicy("aaa", `n${at}`, VAST)),
  "20 of them behind our mark": () => list(20, (at) => marked(networkPolicy("aaa", `n${at}`, VAST))),
  "20 policies of 4,000 rules behind our mark": () => list(20, (at) => marked(networkPolicy("aaa", `n${at}`, ingress(4_000)))),
  "5,000 policies": () => list(5_000, (at) => networkPolicy("aaa", `n${at}`, ingress(2))),
};

// Bug: every look at a cluster and every plan of it hold everybody up for a second and more for each such policy.
test.each(Object.entries(DIGESTS))("the digest of %s is made in turns", async (_, make) => {
  const policies = make().map((object) => ({ object, manager: undefined, managedAt: undefined }));
  const observation: ClusterObservation = {
    kind: "cluster",
    target: "cluster/eu",
    completeness: "complete",
    uid: "u",
    policies,
    at: 0,
  };
  let digest = "";
  const held = await longestBlock(async () => void (digest = await digestInTurns(observation)));
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
  expect(held).toBeLessThan(MOST_MS);
});
