import { describe, expect, test } from "vitest";
import { compileCluster } from "../../../core/compile/cluster.ts";
import { compareCluster } from "../../../core/drift/cluster.ts";
import type { ClusterComparison } from "../../../core/drift/cluster.ts";
import { fingerprintOf } from "../../../core/finding/fingerprint.ts";
import { renderNetworkPolicies } from "../../../core/render/networkpolicy.ts";
import type { NetworkPolicy, NetworkPolicySpec } from "../../../core/render/networkpolicy-types.ts";
import { KUBE_NETWORK_POLICIES } from "../../../core/verdict/profile.ts";
import {
  addressesMember,
  app,
  cluster,
  definitions,
  inventory,
  namespace,
  pod,
  policy,
  rule,
  segment,
} from "../../support/definitions.ts";

const eu = cluster("eu");
const defs = definitions({
  clusters: [eu],
  segments: [
    segment("web", [app("web")], "enforce"),
    segment("db", [app("db")], "enforce"),
    segment("legacy", [addressesMember("10.9.0.0/24")]),
  ],
  policies: [policy("p", rule("web", "db", "5432/tcp"), rule("legacy", "db", "5432/tcp"))],
});
const world = inventory("eu", {
  namespaces: [namespace("shop"), namespace("kube-system")],
  pods: [
    pod("shop/web-1", { app: "web" }, "10.1.0.1"),
    pod("shop/db-1", { app: "db" }, "10.1.0.2"),
    pod("shop/job-1", { app: "job" }, "10.1.0.3"),
  ],
  nodes: [{ name: "node-1", addresses: ["192.168.0.1"] }],
});
const { want } = compileCluster({
  definitions: defs,
  cluster: eu,
  namespaces: world.namespaces,
  services: [],
  memberships: new Map(),
});
const expected = renderNetworkPolicies(want, { instance: "i-1", sequence: 1, digest: "0".repeat(16) });
const web = named("fb-web");
const db = named("fb-db");

function named(start: string): NetworkPolicy {
  const found = expected.find(({ metadata }) => metadata.name.startsWith(start));
  if (found === undefined) throw new Error(start);
  return found;
}

function compare(
  live: readonly NetworkPolicy[],
  over: Partial<ClusterComparison> = {},
  completeness: "complete" | "partial" | "failed" = "complete",
) {
  const policies = live.map((object) => ({ object, manager: "kubectl-edit", managedAt: undefined }));
  return compareCluster({
    expected,
    observation: { kind: "cluster", target: "cluster/eu", completeness, uid: "uid", policies, at: 0 },
    governed: want.governed,
    inventory: world,
    cluster: eu,
    instance: "i-1",
    profile: KUBE_NETWORK_POLICIES,
    definitions: defs,
    ...over,
  });
}

function edit(object: NetworkPolicy, spec: Partial<NetworkPolicySpec>): NetworkPolicy {
  return { ...object, spec: { ...object.spec, ...spec } };
}

function foreign(spec: NetworkPolicySpec, name = "team", annotations: Readonly<Record<string, string>> = {}): NetworkPolicy {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name, namespace: "shop", annotations }, spec };
}

const openAll: NetworkPolicySpec = { podSelector: {}, policyTypes: ["Ingress"], ingress: [{}] };

describe("no finding", () => {
  // would catch: a finding for every object, because the API server drops empty lists and orders nothing
  test("as expected, as the API server stores it, and in another order", () => {
    const { ingress: _, ...bare } = web.spec;
    const turned = edit(db, {
      ingress: (db.spec.ingress ?? []).map((one) => ({ ...one, from: (one.from ?? []).toReversed() })).toReversed(),
    });
    expect(compare(expected)).toEqual([]);
    expect(compare([{ ...web, spec: bare }, turned])).toEqual([]);
  });

  test("foreign objects in namespaces that are not governed", () => {
    const elsewhere = { ...foreign(openAll), metadata: { name: "team", namespace: "kube-system" } };
    expect(compare([...expected, elsewhere])).toEqual([]);
  });

  // would catch: an outage of the API server told as the deletion of everything
  test("nothing is called deleted on a partial observation, and nothing at all is said on a failed one", () => {
    expect(compare([web], {}, "partial")).toEqual([]);
    expect(compare([], {}, "failed")).toEqual([]);
  });
});

describe("ours", () => {
  // would catch: the hole that a three-way merge cannot see (measured with kubectl and Argo CD)
  test("a default deny opened with ingress: [{}] is critical and says who may come in now", () => {
    const [finding, ...rest] = compare([edit(web, { ingress: [{}] }), db]);
    expect(rest).toEqual([]);
    expect(finding).toMatchObject({
      kind: "modified",
      severity: "critical",
      widens: true,
      healable: true,
      foreign: false,
      who: "kubectl-edit",
    });
    expect(finding?.effect.verdict).toBe("opens");
    expect(finding?.effect.opened[0]).toMatch(/→ shop\/web-1.*any/);
    expect(finding?.summary).toContain("was changed (last written by kubectl-edit): opens ");
    expect(finding?.at).toBe(defs.segments.get("web")?.at);
  });

  test("a rule taken away closes", () => {
    const [finding] = compare([web, edit(db, { ingress: [] })]);
    expect(finding).toMatchObject({ kind: "modified", severity: "medium", widens: false, effect: { verdict: "closes" } });
  });

  // would catch: an alarm for a text that means the same, or silence about it
  test("another text with the same effect is low", () => {
    const inert = edit(db, { egress: [{}] }); // policyTypes says Ingress only
    expect(compare([web, inert])).toMatchObject([
      { kind: "modified", severity: "low", widens: false, effect: { verdict: "equivalent" } },
    ]);
  });

  // would catch: a hole for pods that do not exist yet, which `respond: [alert]` would leave open until they do
  test("what opens to nobody today widens all the same", () => {
    const future = { podSelector: { matchLabels: { app: "soon" } }, namespaceSelector: {} };
    const [quiet] = compare([web, edit(db, { ingress: [...(db.spec.ingress ?? []), { from: [future] }] })]);
    expect(quiet).toMatchObject({ kind: "modified", widens: true, effect: { verdict: "equivalent" } });
    const [traded] = compare([web, edit(db, { ingress: [{ from: [future] }] })]);
    expect(traded).toMatchObject({ kind: "modified", widens: true, effect: { verdict: "closes" } });
    const nobody = inventory("eu", { namespaces: [namespace("shop"), namespace("kube-system")] });
    expect(compare([db], { inventory: nobody })).toMatchObject([{ kind: "deleted", widens: true }]);
  });

  test("a deleted default deny opens", () => {
    const [finding] = compare([db]);
    expect(finding).toMatchObject({
      kind: "deleted",
      severity: "critical",
      widens: true,
      healable: true,
      effect: { verdict: "opens" },
    });
  });

  // would catch: two tampered objects hiding each other, so that neither is healed
  test("two objects opened together each open", () => {
    const all = [edit(web, { podSelector: {}, ingress: [{}] }), edit(db, { podSelector: {}, ingress: [{}] })];
    expect(compare(all).map(({ kind, widens }) => [kind, widens])).toEqual([
      ["modified", true],
      ["modified", true],
    ]);
  });

  test("an address that nobody published", () => {
    const rules = (db.spec.ingress ?? []).map((one) => ({
      ...one,
      from: [...(one.from ?? []), { ipBlock: { cidr: "203.0.113.7/32" } }],
    }));
    const [finding] = compare([web, edit(db, { ingress: rules })]);
    expect(finding).toMatchObject({ kind: "unpublished-element", widens: true });
    expect(finding?.effect.opened[0]).toContain("203.0.113.7");
  });

  test("an object with our name and without our mark is a conflict and not healable", () => {
    const theirs = { ...web, metadata: { name: web.metadata.name, namespace: "shop" } };
    expect(compare([theirs, db])).toMatchObject([{ kind: "conflict", healable: false, foreign: true }]);
    const remove = { cluster: cluster("eu", { foreign: "remove" }) };
    expect(compare([theirs, db], remove)).toMatchObject([{ kind: "conflict", healable: false, widens: false }]);
    const opened = compare([edit(theirs, { ingress: [{}] }), db], remove);
    expect(opened).toMatchObject([{ kind: "conflict", healable: true, foreign: true, widens: true }]);
  });
});

describe("not ours", () => {
  test("an extra policy that widens is told with what it opens, and healable only with foreign: remove", () => {
    const [finding] = compare([...expected, foreign(openAll)]);
    expect(finding).toMatchObject({ kind: "foreign", severity: "high", foreign: true, widens: true, healable: false });
    expect(compare([...expected, foreign(openAll)], { cluster: cluster("eu", { foreign: "remove" }) })[0]?.healable).toBe(true);
  });

  // would catch: two foreign policies that open the same, each blamed on the other
  test("two that open the same are both told", () => {
    expect(compare([...expected, foreign(openAll), foreign(openAll, "team-2")]).map(({ severity }) => severity)).toEqual([
      "high",
      "high",
    ]);
  });

  test("one that only restricts is info", () => {
    const [finding] = compare([...expected, foreign({ podSelector: { matchLabels: { app: "job" } }, policyTypes: ["Ingress"] })]);
    expect(finding).toMatchObject({ kind: "foreign", severity: "info", widens: false, effect: { verdict: "closes" } });
  });

  // would catch: somebody hiding an open policy behind our own annotations
  test("one that carries our mark and that nobody asks for is found, and goes with the next apply", () => {
    const [finding] = compare([...expected, foreign(openAll, "fb-x", web.metadata.annotations)]);
    expect(finding).toMatchObject({ kind: "foreign", widens: true, healable: true, foreign: false });
  });

  // would catch: `foreign: remove` that spares an opening policy, because its author copied our mark and lets it isolate somebody, too
  test("one that carries our mark, opens and isolates goes where foreign ones do", () => {
    const both: NetworkPolicySpec = { podSelector: {}, policyTypes: ["Ingress", "Egress"], ingress: [{}], egress: [] };
    const copied = foreign(both, "fb-x", web.metadata.annotations);
    expect(compare([...expected, copied])).toMatchObject([{ kind: "would-un-isolate", healable: false }]);
    const removing = { cluster: { ...eu, foreign: "remove" as const } };
    expect(compare([...expected, copied], removing)).toMatchObject([
      { kind: "foreign", foreign: true, widens: true, healable: true, severity: "critical" },
    ]);
    const closing: NetworkPolicySpec = { podSelector: { matchLabels: { app: "job" } }, policyTypes: ["Ingress"], ingress: [] };
    expect(compare([...expected, foreign(closing, "fb-x", web.metadata.annotations)], removing)).toMatchObject([
      { kind: "would-un-isolate", healable: false },
    ]);
  });

  test("another installation's objects are foreign", () => {
    const other = { ...web.metadata.annotations, "firebreak.dev/instance": "i-2" };
    expect(compare([...expected, foreign(openAll, "fb-x", other)])).toMatchObject([{ kind: "foreign", foreign: true }]);
  });

  test("ours that is wanted no more and isolates stays, and that is told", () => {
    const old = {
      ...web,
      metadata: { ...web.metadata, name: "fb-job-i-1" },
      spec: { ...web.spec, podSelector: { matchLabels: { app: "job" } } },
    };
    expect(compare([...expected, old])).toMatchObject([{ kind: "would-un-isolate", healable: false, widens: false }]);
  });
});

// would catch: a fingerprint that changes with a release, so that every issue is opened again
test("fingerprints are stable for ever", () => {
  expect(fingerprintOf("modified", "cluster/eu", "networkpolicy shop/fb-web-i-00000000")).toBe("2ef7b596c17c8e58");
});
