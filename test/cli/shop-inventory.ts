import { join } from "node:path";
import { readDefinitionFolder } from "../../cli/source.ts";
import type { InventoryFile } from "../../core/observed/inventory-file.ts";
import type { ClusterInventory, Pod } from "../../core/membership/inventory.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import { parseDefinitions } from "../../core/model/parse.ts";
import type { HostObservation, LivePolicy } from "../../core/observed/observation.ts";
import { compileOffline, targetsAsked, type OfflineWorld } from "../../core/plan/offline.ts";
import { wantDigest } from "../../core/render/digest.ts";
import { renderNetworkPolicies } from "../../core/render/networkpolicy.ts";
import type { NetworkPolicy } from "../../core/render/networkpolicy-types.ts";
import { renderRuleset, type NftRuleset } from "../../core/render/nft.ts";

/** The folder of the sample organisation. */
export const EXAMPLE = join(import.meta.dirname, "../../policies/example");

const SAVED_AT = "2026-11-21T08:00:00.000Z";
const INSTANCE = "test-instance";

const NAMESPACES = { shop: "shop", geo: "geo", credit: "credit", monitoring: "platform" };

/** app, namespace, directory it asks. */
const PODS = [
  ["orderInput", "shop", "red"],
  ["custRecord", "shop", undefined],
  ["geoLocation", "geo", undefined],
  ["geoConfirm", "geo", undefined],
  ["ipMap", "geo", undefined],
  ["creditCheck", "credit", "blue"],
  ["creditStatus", "credit", undefined],
  ["prometheus", "monitoring", undefined],
] as const;

/**
 * What was seen of the sample organisation:
 *   cluster/shop-eu             applied, then `cust-record` opened by hand, one policy deleted, one added by a stranger
 *   cluster/shop-us             never written to
 *   host/directory/ldap-blue-1  never written to
 *   host/directory/ldap-blue-2  applied
 *   host/directory/ldap-red-1   applied, then an accept rule put in front
 *   host/directory/ldap-red-2   could not be seen: left out
 */
export async function shopInventory(): Promise<InventoryFile> {
  const { definitions } = parseDefinitions(await readDefinitionFolder(EXAMPLE));
  if (definitions === undefined) throw new Error("the example does not validate");
  const bare: InventoryFile = {
    version: 1,
    savedAt: SAVED_AT,
    instance: INSTANCE,
    clusters: {
      "cluster/shop-eu": { inventory: clusterInventory("cluster/shop-eu", "10.244"), policies: [] },
      "cluster/shop-us": { inventory: clusterInventory("cluster/shop-us", "10.245"), policies: [] },
    },
    hosts: Object.fromEntries(
      ["ldap-blue-1", "ldap-blue-2", "ldap-red-1"].map((name, index) => {
        const target = `host/directory/${name}`;
        return [target, hostObservation(target, `10.20.0.${[11, 12, 21][index] ?? 0}`, [])];
      }),
    ),
  };
  const world: OfflineWorld = { definitions, seen: bare, operator: { floor: { from: [], ports: [] }, ownPaths: [] } };
  const eu = bare.clusters["cluster/shop-eu"];
  if (eu === undefined) throw new Error("no shop-eu");
  return {
    ...bare,
    clusters: { ...bare.clusters, "cluster/shop-eu": { ...eu, policies: tamper(appliedPolicies(world, "cluster/shop-eu")) } },
    hosts: {
      ...bare.hosts,
      "host/directory/ldap-blue-2": hostObservation(
        "host/directory/ldap-blue-2",
        "10.20.0.12",
        appliedRuleset(world, "host/directory/ldap-blue-2"),
      ),
      "host/directory/ldap-red-1": hostObservation(
        "host/directory/ldap-red-1",
        "10.20.0.21",
        [...appliedRuleset(world, "host/directory/ldap-red-1")].flatMap(acceptInFront),
      ),
    },
  };
}

function clusterInventory(target: TargetId, range: string): ClusterInventory {
  const pods: readonly Pod[] = PODS.map(([app, namespace, ldap], index) => ({
    uid: `${target}/${app}`,
    namespace,
    name: `${app.toLowerCase()}-0`,
    labels: { app, ...(ldap === undefined ? {} : { ldap }) },
    addresses: [`${range}.1.${index + 10}`],
    node: "node-1",
    hostNetwork: false,
    owner: `ReplicaSet/${app.toLowerCase()}`,
  }));
  const dns: Pod = {
    uid: `${target}/dns`,
    namespace: "kube-system",
    name: "coredns-0",
    labels: { "k8s-app": "kube-dns" },
    addresses: [`${range}.1.2`],
    node: "node-1",
    hostNetwork: false,
    owner: "ReplicaSet/coredns",
  };
  const named = (name: string) => ({ "kubernetes.io/metadata.name": name });
  return {
    kind: "cluster",
    target,
    uid: `uid-of-${target.replace("/", "-")}`,
    complete: true,
    namespaces: [
      { name: "kube-system", labels: named("kube-system") },
      ...Object.entries(NAMESPACES).map(([name, team]) => ({ name, labels: { ...named(name), team } })),
    ],
    pods: [dns, ...pods],
    nodes: [{ name: "node-1", addresses: ["172.18.0.2"] }],
    services: [
      {
        namespace: "kube-system",
        name: "kube-dns",
        selector: { "k8s-app": "kube-dns" },
        clusterIps: ["10.96.0.10"],
        ports: [{ protocol: "UDP", port: 53, targetPort: 53 }],
      },
    ],
  };
}

function hostObservation(target: TargetId, address: string, ruleset: readonly unknown[]): HostObservation {
  return {
    kind: "host",
    target,
    completeness: "complete",
    identity: `ssh-ed25519 key-of-${target}`,
    ruleset,
    legacyTables: [],
    addresses: [address],
    resolvers: ["10.20.0.2"],
    timeServers: [],
    at: Date.parse(SAVED_AT),
  };
}

function wantOf(world: OfflineWorld, id: TargetId) {
  const [target] = targetsAsked(world.definitions, id);
  if (target === undefined) throw new Error(id);
  const { want } = compileOffline(world, target);
  return { want, mark: { instance: INSTANCE, sequence: 3, digest: wantDigest(want) } };
}

function appliedPolicies(world: OfflineWorld, id: TargetId): readonly NetworkPolicy[] {
  const { want, mark } = wantOf(world, id);
  if (want.kind !== "cluster") throw new Error(id);
  return renderNetworkPolicies(want, mark);
}

function appliedRuleset(world: OfflineWorld, id: TargetId): NftRuleset {
  const { want, mark } = wantOf(world, id);
  if (want.kind !== "host") throw new Error(id);
  return renderRuleset(want, mark, { generation: 7, phase: "final" });
}

function tamper(policies: readonly NetworkPolicy[]): readonly LivePolicy[] {
  const live = policies.flatMap((object, index): readonly LivePolicy[] => {
    const { name, namespace } = object.metadata;
    const stored = { ...object, metadata: { ...object.metadata, uid: `uid-${index}`, resourceVersion: String(100 + index) } };
    if (namespace === "geo" && object.spec.podSelector?.matchLabels?.["app"] === "ipMap" && object.spec.ingress !== undefined)
      return [];
    const isOpened = namespace === "shop" && name.includes("cust-record") && object.spec.ingress !== undefined;
    const shown = isOpened ? { ...stored, spec: { ...stored.spec, ingress: [{}] } } : stored;
    return [{ object: shown, manager: isOpened ? "kubectl-edit" : "firebreak", managedAt: SAVED_AT }];
  });
  const stranger: NetworkPolicy = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "let-me-in", namespace: "credit", uid: "uid-stranger", resourceVersion: "900" },
    spec: { podSelector: {}, policyTypes: ["Ingress"], ingress: [{}] },
  };
  return [...live, { object: stranger, manager: "kubectl-create", managedAt: SAVED_AT }];
}

/** Before the first rule of the ingress chain, so that everything is accepted. */
function acceptInFront(object: unknown): readonly unknown[] {
  const { chain } = object as { readonly chain?: { readonly name: string; readonly hook?: string } };
  if (chain?.hook !== "input") return [object];
  return [object, { rule: { family: "inet", table: "firebreak", chain: chain.name, expr: [{ accept: null }] } }];
}
