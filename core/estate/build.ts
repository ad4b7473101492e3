import { emptySet, fromAddressTexts, unionAll } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import type { ClusterInventory, Pod, PodPort } from "../membership/inventory.ts";
import { overlayOrphans } from "../membership/orphans.ts";
import { compareText } from "../membership/order.ts";
import { podAddresses } from "../membership/pod-addresses.ts";
import { namespaceLabels } from "../membership/select.ts";
import type { Cluster, Definitions, External, TargetId } from "../model/kinds.ts";
import { clusterTargetId, hostTargetId, type Target } from "../model/target.ts";
import type { Labels } from "../selector/index.ts";
import type { Estate, Workload } from "./estate.ts";

/**
 * All workloads: the pods of all inventories, the hosts and externals of the definitions, sorted by id.
 *
 * @param inventories what is known of each cluster; one without has no pods here and is listed as stale
 * @param orphans targets gone from Git that are still enforced: their workloads are there as before
 */
export function estateOf(
  definitions: Definitions,
  inventories: ReadonlyMap<TargetId, ClusterInventory>,
  orphans: readonly Target[] = [],
): Estate {
  const world = overlayOrphans(definitions, orphans);
  const clusters = new Map(
    [...world.clusters.values()].map((cluster) => {
      const id = clusterTargetId(cluster.name);
      return [id, { cluster, inventory: inventories.get(id) }] as const;
    }),
  );
  const workloads: Workload[] = [...hostWorkloads(world), ...[...world.externals.values()].map(externalWorkload)];
  for (const { cluster, inventory } of clusters.values()) {
    if (inventory === undefined) continue;
    for (const pod of podWorkloads(cluster, inventory)) workloads.push(pod);
  }
  return {
    workloads: workloads.sort((a, b) => compareText(a.id, b.id)),
    clusters,
    stale: [...clusters]
      .filter(([, { inventory }]) => inventory?.complete !== true)
      .map(([id]) => id)
      .sort(compareText),
  };
}

function hostWorkloads(definitions: Definitions): readonly Workload[] {
  return [...definitions.fleets.values()].flatMap((fleet) =>
    fleet.hosts.map((host): Workload => {
      const addresses = fromAddressTexts(host.addresses).set;
      const id = hostTargetId(fleet.name, host.name);
      return {
        ...BARE,
        id,
        kind: "host",
        target: id,
        name: `${fleet.name}/${host.name}`,
        labels: host.labels,
        addresses,
        shown: addresses,
      };
    }),
  );
}

function externalWorkload({ name, labels, addresses }: External): Workload {
  return { ...BARE, id: `external/${name}`, kind: "external", target: undefined, name, labels, addresses, shown: addresses };
}

/** What only pods have. */
const BARE = { namespace: undefined, namespaceLabels: {}, node: undefined, hostNetwork: false, ports: [] } as const;
const NO_PORTS: readonly PodPort[] = [];

function podWorkloads(cluster: Cluster, inventory: ClusterInventory): readonly Workload[] {
  const target = clusterTargetId(cluster.name);
  const labelsOf = labelsByNamespace(inventory);
  const nodes = new Map(inventory.nodes.map((node) => [node.name, fromAddressTexts(node.addresses).set]));
  return inventory.pods.map((pod): Workload => {
    const addresses = fromAddressTexts(podAddresses(cluster, pod)).set;
    return {
      id: `${target}/${pod.namespace}/${pod.name}`,
      kind: "pod",
      target,
      name: `${cluster.name} ${pod.namespace}/${controllerOf(pod)}`,
      labels: pod.labels,
      namespace: pod.namespace,
      namespaceLabels: labelsOf(pod.namespace),
      addresses,
      shown: shownBy(cluster, pod, addresses, nodes),
      node: pod.node,
      hostNetwork: pod.hostNetwork,
      ports: pod.ports ?? NO_PORTS,
    };
  });
}

/** Masqueraded, a pod shows its node's addresses; on the host network it has no others anyway. */
function shownBy(cluster: Cluster, pod: Pod, own: AddressSet, nodes: ReadonlyMap<string, AddressSet>): AddressSet {
  const ofNode = pod.node === undefined ? undefined : nodes.get(pod.node);
  if (pod.hostNetwork) return unionAll([own, ofNode ?? emptySet]);
  return cluster.podNetwork === "routed" ? own : (ofNode ?? emptySet);
}

function labelsByNamespace(inventory: ClusterInventory): (name: string) => Labels {
  const known = new Map(inventory.namespaces.map((namespace) => [namespace.name, namespaceLabels(namespace)]));
  return (name) => {
    const labels = known.get(name) ?? namespaceLabels({ name, labels: {} });
    known.set(name, labels);
    return labels;
  };
}

/** `web[Deployment]`: the ReplicaSet of a Deployment ends in the hash that its pods carry as a label. */
export function controllerOf(pod: Pod): string {
  if (pod.owner === undefined) return `${pod.name}[Pod]`;
  const [kind = "", name = ""] = pod.owner.split("/", 2);
  const hash = pod.labels["pod-template-hash"];
  const isOfDeployment = kind === "ReplicaSet" && hash !== undefined && name.endsWith(`-${hash}`);
  return isOfDeployment ? `${name.slice(0, -hash.length - 1)}[Deployment]` : `${name}[${kind}]`;
}
