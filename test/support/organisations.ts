import fc from "fast-check";
import type { ClusterInventory, Namespace, Pod, Service, WebhookBackend } from "../../core/membership/inventory.ts";
import { findTarget } from "../../core/model/target.ts";
import type { Organisation } from "./compile-organisation.ts";
import { addresses, inventory, namespace, pod, port, prefix } from "./definitions.ts";
import { documents } from "./organisation-documents.ts";
import { repaired } from "./organisation-repair.ts";

const ports = fc.constantFrom<Pod["ports"]>(
  undefined,
  [{ name: "http", protocol: "tcp", port: 8080 }],
  [
    { name: "http", protocol: "tcp", port: 8081 },
    { name: "dns", protocol: "udp", port: 5353 },
  ],
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
      return pod(`${place}/p${index}`, labels, undefined, {
        addresses: own,
        node,
        hostNetwork,
        ...(named === undefined ? {} : { ports: named }),
      });
    });
}

const tcp = (port: number, targetPort?: number | string) => ({ protocol: "TCP", port, targetPort });

const service = (path: string, over: Partial<Service>): Service => {
  const [inNamespace = "", name = ""] = path.split("/");
  return { namespace: inNamespace, name, selector: {}, clusterIps: [], ports: [], ...over };
};

function servicesOf(range: string): fc.Arbitrary<readonly Service[]> {
  const all: readonly Service[] = [
    service("kube-system/kube-dns", {
      selector: { app: "b" },
      ports: [{ protocol: "UDP", port: 53, targetPort: 5353 }, tcp(53, "dns-tcp"), tcp(53, 4444)],
    }),
    service("ops/names", { selector: { app: "a" }, ports: [tcp(53, 9053)] }),
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
    service("ops/ingress", {
      selector: { "app.kubernetes.io/name": "traefik", app: "c" },
      loadBalancer: ["10.88.0.1"],
      ports: [tcp(443, 8443)],
    }),
    service("openshift-dns/dns-default", { selector: { app: "c" }, ports: [{ protocol: "UDP", port: 53, targetPort: "dns" }] }),
  ];
  return fc.subarray([...all]);
}

const webhooks = fc.subarray<WebhookBackend>([
  { kind: "validating", name: "one", service: { namespace: "shop", name: "hook", port: 443 }, failsClosed: true },
  { kind: "mutating", name: "two", service: { namespace: "shop", name: "hook", port: 444 }, failsClosed: false },
  { kind: "apiService", name: "three", service: { namespace: "lab", name: "absent", port: 443 }, failsClosed: true },
]);

const allNamespaces: fc.Arbitrary<readonly Namespace[]> = fc
  .constantFrom(false, false, false, true)
  .map((isGoing) => [
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
      platform: fc.constantFrom(undefined, "openshift" as const),
    })
    .map(({ pods, platform, ...parts }) => {
      const addresses = new Map([
        ["node-1", [`192.168.${nodes}.1`, `2001:db8:192:${nodes}::1`]],
        ["node-2", [`192.168.${nodes}.2`]],
      ]);
      const placed = pods.map((one) => (one.hostNetwork ? { ...one, addresses: addresses.get(one.node ?? "") ?? [] } : one));
      return inventory(name, {
        ...parts,
        ...(platform === undefined ? {} : { platform }),
        pods: placed,
        nodes: [...addresses].map(([node, list]) => ({ name: node, addresses: list })),
      });
    });
}

/** A random organisation at one moment; some of what is known of its other cluster may be of an earlier one. */
export const organisations: fc.Arbitrary<Organisation> = fc
  .record({
    documents,
    eu: inventoryOf("eu", "1", "1"),
    us: fc.oneof({ weight: 3, arbitrary: inventoryOf("us", "2", "2") }, { weight: 1, arbitrary: inventoryOf("us", "1", "2") }),
    before: fc.option(inventoryOf("us", "2", "2"), { freq: 5 }),
    state: fc.constantFrom("fed", "fed", "fed", "fed", "never", "stale"),
    isOrphan: fc.constantFrom(false, false, false, false, true),
    found: fc.constantFrom(undefined, "calico", "cilium", "ovn-kubernetes", "none"),
    floor: fc.constantFrom([], ["10.0.0.0/24"]),
    facts: fc.constantFrom([], ["127.0.0.53"], ["10.20.0.13", "2001:db8:53::53", "time.example"]),
  })
  .map(({ documents: list, eu, us, before, state, isOrphan, found, floor, facts }): Organisation | undefined => {
    const { definitions } = repaired(list);
    // Two clusters may both have an address only where neither shows it outside.
    const taken = new Set(eu.pods.flatMap((one) => (one.hostNetwork ? [] : one.addresses)));
    const isShared = us.pods.some((one) => !one.hostNetwork && one.addresses.some((address) => taken.has(address)));
    const routed = [...definitions.clusters.values()].filter(({ podNetwork }) => podNetwork === "routed");
    if (isShared && routed.length === 2) return undefined;
    const other = { ...us, complete: state !== "stale" };
    const known = [eu, ...(state === "never" ? [] : [other])];
    const orphan = isOrphan ? findTarget(definitions, us.target) : undefined;
    return {
      definitions:
        orphan === undefined
          ? definitions
          : { ...definitions, clusters: new Map([...definitions.clusters].filter(([name]) => name === "eu")) },
      inventories: known,
      fed: [eu, ...(state === "never" ? [] : [before ?? other])],
      enforcers: new Map(found === undefined ? [] : known.map((one) => [one.target, found])),
      operator: {
        floor: { from: floor.map(prefix), ports: floor.length === 0 ? [] : [port("22/tcp")] },
        ownPaths: [{ addresses: addresses("10.50.0.1/32"), ports: [port("6443/tcp")] }],
      },
      resolvers: facts.filter((text) => !text.endsWith("example")),
      timeServers: facts,
      orphans: orphan === undefined ? [] : [orphan],
    };
  })
  .filter((one) => one !== undefined);
