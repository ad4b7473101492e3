import { describe, expect, test } from "vitest";
import { compileCluster } from "../../../core/compile/cluster.ts";
import { compareCluster } from "../../../core/drift/cluster.ts";
import type { Finding } from "../../../core/finding/finding.ts";
import { decideResponse } from "../../../core/drift/respond.ts";
import type { ClusterInventory } from "../../../core/membership/inventory.ts";
import { defaultWorkspace } from "../../../core/model/parse/normalise.ts";
import type { Target } from "../../../core/model/target.ts";
import type { ClusterObservation } from "../../../core/observed/observation.ts";
import { renderNetworkPolicies } from "../../../core/render/networkpolicy.ts";
import type { NetworkPolicy, NetworkPolicySpec } from "../../../core/render/networkpolicy-types.ts";
import { KUBE_NETWORK_POLICIES } from "../../../core/verdict/profile.ts";
import { app, cluster, definitions, inventory, namespace, pod, policy, rule, segment } from "../../support/definitions.ts";

const EU = { ...cluster("eu"), foreign: "remove" as const, mode: "apply" as const };
const DEFINITIONS = definitions({
  clusters: [EU],
  segments: [segment("web", [app("web")], "enforce"), segment("db", [app("db")], "enforce")],
  policies: [policy("p", rule("web", "db", "5432/tcp"))],
});
const NAMESPACES = [namespace("shop"), namespace("aaa")];
const PODS = [
  pod("shop/web-1", { app: "web" }, "10.1.0.1"),
  pod("shop/db-1", { app: "db" }, "10.1.0.2"),
  pod("shop/job-1", { app: "job" }, "10.1.0.3"),
];
const WORLD = inventory("eu", { namespaces: NAMESPACES, pods: PODS, nodes: [] });
const { want } = compileCluster({
  definitions: DEFINITIONS,
  cluster: EU,
  namespaces: WORLD.namespaces,
  services: [],
  memberships: new Map(),
});
const EXPECTED = renderNetworkPolicies(want, { instance: "i-1", sequence: 1, digest: "0".repeat(16) });

function networkPolicy(place: string, name: string, spec: NetworkPolicySpec): NetworkPolicy {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { namespace: place, name, labels: {} }, spec };
}

function compare(live: readonly NetworkPolicy[], steps?: number, world: ClusterInventory = WORLD): readonly Finding[] {
  const observation = {
    kind: "cluster",
    target: "cluster/eu",
    completeness: "complete",
    uid: "u",
    policies: live.map((object) => ({ object, manager: "kubectl", managedAt: undefined })),
    at: 0,
  } as unknown as ClusterObservation; // only what a comparison reads
  return compareCluster({
    expected: EXPECTED,
    observation,
    governed: want.governed,
    inventory: world,
    cluster: EU,
    instance: "i-1",
    profile: KUBE_NETWORK_POLICIES,
    ...(steps === undefined ? {} : { steps }),
  });
}

const HOLE = networkPolicy("shop", "zz-open", {
  podSelector: { matchLabels: { app: "db" } },
  policyTypes: ["Ingress"],
  ingress: [{}],
});
const harmless = (count: number): readonly NetworkPolicy[] =>
  Array.from({ length: count }, (_, index) =>
    networkPolicy("aaa", `n-${index}`, { podSelector: { matchLabels: { x: `${index}` } }, policyTypes: ["Ingress"], ingress: [] }),
  );
const about = (findings: readonly Finding[], name: string): Finding | undefined =>
  findings.find(({ subject }) => subject.includes(name));

/** What comparing these costs, in steps: the least budget with which nothing is left out, to a tenth. */
function costOf(live: readonly NetworkPolicy[], world: ClusterInventory): number {
  for (let steps = 50_000; ; steps *= 1.1)
    if (!compare(live, steps, world).some(({ kind }) => kind === "not-comparable")) return steps;
}

describe("a tenant's policies do not decide how long a look takes, nor what is seen in it", () => {
  test("300 harmless policies before it do not lower a hole's severity, nor keep it from being removed (bug: the first 100 by name)", () => {
    const found = about(compare([...EXPECTED, ...harmless(300), HOLE]), "zz-open");
    expect(found).toMatchObject({ severity: "high", widens: true, effect: { verdict: "opens" } });
  });

  test("what the budget does not reach is treated as opening: severity, and `foreign: remove` (bug: uncertain counts as fine)", () => {
    const findings = compare([...EXPECTED, ...harmless(50), HOLE], 10);
    const found = about(findings, "zz-open");
    expect(found).toMatchObject({ severity: "high", widens: true, healable: true, effect: { verdict: "uncertain" } });
    const target = { kind: "cluster", id: "cluster/eu", mode: "apply", cluster: EU, labels: {} } as unknown as Target;
    expect(found === undefined ? undefined : decideResponse(found, defaultWorkspace(), target, [], 0)).toMatchObject({
      heal: true,
    });
    expect(findings.find(({ kind }) => kind === "not-comparable")?.severity).toBe("high");
  });

  test("a policy without rules can only close, compared or not: it is never removed on doubt", () => {
    const found = about(compare([...EXPECTED, ...harmless(1)], 10), "n-0");
    expect(found).toMatchObject({ severity: "info", widens: false, healable: false });
  });

  test("our own object changed among many of a tenant is compared first", () => {
    const changed = EXPECTED.map((object) =>
      object.metadata.name.startsWith("fb-db-i") ? { ...object, spec: { ...object.spec, ingress: [{}] } } : object,
    );
    const steps = costOf(changed, WORLD) * 4;
    const findings = compare([...changed, ...harmless(400)], steps);
    expect(findings.find(({ kind, subject }) => kind === "modified" && subject.includes("shop/"))).toMatchObject({
      severity: "critical",
      effect: { verdict: "opens" },
    });
  });

  test("the cost of one policy grows with rules × classes, not with their square (bug: 528 KiB took 23 s)", () => {
    const world = inventory("eu", {
      namespaces: NAMESPACES,
      pods: [
        ...PODS,
        ...Array.from({ length: 4 }, (_, index) => pod(`aaa/p-${index}`, { [`k${index}`]: "v" }, `10.2.0.${index + 1}`)),
      ],
      nodes: [],
    });
    const big = (rules: number): NetworkPolicy =>
      networkPolicy("aaa", "big", {
        podSelector: {},
        policyTypes: ["Ingress"],
        ingress: Array.from({ length: rules }, (_, index) => ({
          from: [
            { ipBlock: { cidr: `11.${(index >> 8) & 255}.${index & 255}.0/24` } },
            { podSelector: { matchLabels: { [`k${index}`]: "v" } } },
          ],
          ports: [{ protocol: "TCP" as const, port: 1 + ((index * 7) % 60_000) }],
        })),
      });
    // Rules and classes both double: four times the work, and not eight.
    expect(costOf([...EXPECTED, big(80)], world) / costOf([...EXPECTED, big(40)], world)).toBeLessThan(5);
  });
});
