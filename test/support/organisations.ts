import fc from "fast-check";
import type { OperatorInputs, TargetInputs } from "../../core/compile/inputs.ts";
import { compileTarget } from "../../core/compile/inputs.ts";
import { clusterStructure } from "../../core/compile/structure.ts";
import { computeMembership } from "../../core/membership/compute.ts";
import type { ClusterInventory, Namespace, Pod, Service, WebhookBackend } from "../../core/membership/inventory.ts";
import type { Membership } from "../../core/membership/membership.ts";
import { relevantMemberships } from "../../core/membership/parts.ts";
import type { Definitions, TargetId } from "../../core/model/kinds.ts";
import { clusterTargetId, listTargets } from "../../core/model/target.ts";
import type { Target } from "../../core/model/target.ts";
import type { CompiledWant } from "../../core/plan/equivalence.ts";
import { inventory, namespace, pod, prefix } from "./definitions.ts";
import { documents } from "./organisation-documents.ts";
import { repaired } from "./organisation-repair.ts";

/** Definitions that the parser takes, and everything that a plan rests on besides them. */
export interface Organisation {
  readonly definitions: Definitions;
  /** What is known of each cluster; one may never have fed. */
  readonly inventories: ReadonlyMap<TargetId, ClusterInventory>;
  /** What was found enforcing in each cluster. */
  readonly enforcers: ReadonlyMap<TargetId, string>;
  readonly operator: OperatorInputs;
  readonly resolvers: readonly string[];
  readonly timeServers: readonly string[];
}

const NOW = Date.parse("2026-11-21T00:00:00Z");

const ports = fc.constantFrom<Pod["ports"]>(
  undefined,
  [{ name: "http", protocol: "tcp", port: 8080 }],
  [{ name: "http", protocol: "tcp", port: 8081 }, { name: "dns", protocol: "udp", port: 5353 }],
  [{ name: "http", protocol: "udp", port: 9090 }],
);

function podArbitrary(range: string, index: number): fc.Arbitrary<Pod> {
  return fc
    .record({
      place: fc.constantFrom("shop", "shop", "lab", "kube-system", "ops"),
      app: fc.constantFrom(undefined, "a", "b", "c"),
      color: fc.constantFrom(undefined, "blue", "red"),
      addresses: fc.constantFrom("v4", "v4", "v4", "v6", "both", "none", "public"),
      node: fc.constantFrom("node-1", "node-1", "node-2", undefined),
      hostNetwork: fc.constantFrom(false, false, false, false, true),
      ports,
    })
    .map(({ place, app, color, addresses, node, hostNetwork, ports: named }) => {
      const labels = { ...(app === undefined ? {} : { app }), ...(color === undefined ? {} : { color }) };
      const [v4, v6] = [`10.${range}.0.${index + 1}`, `2001:db8:${range}::${index + 1}`];
      const own = { v4: [v4], v6: [v6], both: [v4, v6], none: [], public: [`5.5.${range}.${index + 1}`] }[addresses];
      return pod(`${place}/p${index}`, labels, undefined, { addresses: own, node, hostNetwork, ...(named === undefined ? {} : { ports: named }) });
    });
}

const tcp = (port: number, targetPort?: number | string) => ({ protocol: "TCP", port, targetPort });

const service = (path: string, over: Partial<Service>): Service => {
  const [inNamespace = "", name = ""] = path.split("/");
  return { namespace: inNamespace, name, selector: {}, clusterIps: [], ports: [], ...over };
};

function servicesOf(range: string): fc.Arbitrary<readonly Service[]> {
  const all: readonly Service[] = [
    service("kube-system/kube-dns", { selector: { app: "b" }, ports: [{ protocol: "UDP", port: 53, targetPort: 5353 }, tcp(53, "dns-tcp")] }),
    service("default/kubernetes", {
      clusterIps: ["10.96.0.1"],
      ports: [tcp(443, 6443)],
      endpoints: [{ address: `192.168.${range}.9`, ports: [{ protocol: "TCP", port: 6443 }] }],
    }),
    service("shop/web", { selector: { app: "a" }, ports: [tcp(80, "http")] }),
    service("shop/hook", { selector: { app: "c" }, ports: [tcp(443, 8443), tcp(444, "http")] }),
    service("shop/raw", {
      endpoints: [
        { address: `10.${range}.0.1`, pod: "p0", ports: [] },
        { address: "10.77.0.1", ports: [] },
      ],
      ports: [tcp(80)],
    }),
    service("ops/ingress", { selector: { "app.kubernetes.io/name": "traefik", app: "c" }, loadBalancer: ["10.88.0.1"], ports: [tcp(443, 8443)] }),
    service("openshift-dns/dns-default", { selector: { app: "c" }, ports: [{ protocol: "UDP", port: 53, targetPort: "dns" }] }),
  ];
  return fc.subarray([...all]);
}

const webhooks = fc.subarray<WebhookBackend>([
  { kind: "validating", name: "one", service: { namespace: "shop", name: "hook", port: 443 }, failsClosed: true },
  { kind: "mutating", name: "two", service: { namespace: "shop", name: "hook", port: 444 }, failsClosed: false },
  { kind: "apiService", name: "three", service: { namespace: "lab", name: "absent", port: 443 }, failsClosed: true },
]);

const allNamespaces: fc.Arbitrary<readonly Namespace[]> = fc.constantFrom(false, false, false, true).map((isGoing) => [
  namespace("shop", { team: "x" }),
  { ...namespace("lab", { team: "y" }), ...(isGoing ? { terminating: true as const } : {}) },
  namespace("ops", { "policy-group.network.openshift.io/ingress": "", team: "x" }),
  namespace("kube-system"),
]);

/** `range`: the second number of its pods' addresses; two masqueraded clusters often have the same. */
function inventoryOf(name: string, range: string, nodes: string): fc.Arbitrary<ClusterInventory> {
  return fc
    .record({
      pods: fc.tuple(...Array.from({ length: 6 }, (_, index) => podArbitrary(range, index))),
      services: servicesOf(nodes),
      webhooks,
      namespaces: allNamespaces,
    })
    .map(({ pods, ...parts }) => {
      const addresses = new Map([
        ["node-1", [`192.168.${nodes}.1`, `2001:db8:192:${nodes}::1`]],
        ["node-2", [`192.168.${nodes}.2`]],
      ]);
      const placed = pods.map((one) => (one.hostNetwork ? { ...one, addresses: addresses.get(one.node ?? "") ?? [] } : one));
      return inventory(name, { ...parts, pods: placed, nodes: [...addresses].map(([node, list]) => ({ name: node, addresses: list })) });
    });
}

/** A random organisation at one moment. */
export const organisations: fc.Arbitrary<Organisation> = fc
  .record({
    documents,
    eu: inventoryOf("eu", "1", "1"),
    us: fc.oneof({ weight: 3, arbitrary: inventoryOf("us", "2", "2") }, { weight: 1, arbitrary: inventoryOf("us", "1", "2") }),
    fed: fc.constantFrom(true, true, true, true, true, false),
    found: fc.constantFrom(undefined, "calico", "cilium", "ovn-kubernetes", "none"),
    floor: fc.constantFrom([], ["10.0.0.0/24"]),
    facts: fc.constantFrom([], ["127.0.0.53"], ["10.20.0.13", "2001:db8:53::53"]),
  })
  .map(({ documents: list, eu, us, fed, found, floor, facts }): Organisation | undefined => {
    const { definitions } = repaired(list);
    // Two clusters may both have an address only where neither shows it outside.
    const isShared = eu.pods.some((one) => us.pods.some((other) => one.addresses.some((address) => !one.hostNetwork && !other.hostNetwork && other.addresses.includes(address))));
    const routed = [...definitions.clusters.values()].filter(({ podNetwork }) => podNetwork === "routed");
    if (isShared && routed.length === 2) return undefined;
    const known = [eu, ...(fed ? [us] : [])];
    return {
      definitions,
      inventories: new Map(known.map((one) => [one.target, one])),
      enforcers: new Map(found === undefined ? [] : known.map((one) => [one.target, found])),
      operator: {
        floor: { from: floor.map(prefix), ports: floor.length === 0 ? [] : [{ kind: "range", protocol: "tcp", from: 22, to: 22 }] },
        ownPaths: [],
      },
      resolvers: facts,
      timeServers: facts,
    };
  })
  .filter((one): one is Organisation => one !== undefined);

/** Every target of an organisation, compiled as the service does. */
export function compileOrganisation({ definitions, inventories, enforcers, operator, resolvers, timeServers }: Organisation): readonly CompiledWant[] {
  const memberships = new Map(
    [...definitions.clusters.values()].flatMap((cluster): readonly (readonly [TargetId, Membership])[] => {
      const known = inventories.get(clusterTargetId(cluster.name));
      return known === undefined ? [] : [[known.target, computeMembership(definitions, cluster, known, 0).membership]];
    }),
  );
  return listTargets(definitions).flatMap((target): readonly CompiledWant[] => {
    const common = { memberships: relevantMemberships(definitions, target, memberships), orphans: [], now: NOW };
    const facts = factsOf(target, definitions, inventories, { resolvers, timeServers });
    if (facts === undefined) return [];
    const inputs: TargetInputs = { ...facts, ...common };
    const { want } = compileTarget(definitions, target, inputs, operator);
    return [{ definitions, target, want, inputs, operator, inventories, enforcer: enforcers.get(target.id) }];
  });
}

function factsOf(target: Target, definitions: Definitions, inventories: Organisation["inventories"], host: { readonly resolvers: readonly string[]; readonly timeServers: readonly string[] }) {
  if (target.kind === "host") return { kind: "host" as const, ...host };
  const known = inventories.get(target.id);
  return known === undefined ? undefined : { kind: "cluster" as const, ...clusterStructure(definitions, target.cluster, known) };
}
