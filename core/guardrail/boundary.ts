import { emptySet, fromAddressTexts, fromPrefixes, unionAll } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import type { Estate } from "../estate/estate.ts";
import { boundariesIn } from "../membership/resolve.ts";
import type { Cluster, Definitions, Direction, Segment } from "../model/kinds.ts";
import type { ClusterInventory } from "../membership/inventory.ts";

/** Addresses of the cluster boundaries that a segment holds. */
export function boundaryAddresses(definitions: Definitions, estate: Estate, segment: Segment): AddressSet {
  const sets = [...estate.clusters.values()].flatMap(({ cluster, inventory }) =>
    inventory === undefined ? [] : boundariesIn(definitions, segment, cluster).map((side) => addressesOf(cluster, inventory, side)),
  );
  return sets.length === 0 ? emptySet : unionAll(sets);
}

/** ingress: nodes and load balancers · egress: what the pods show outside. */
function addressesOf(cluster: Cluster, { nodes, services }: ClusterInventory, side: Direction): AddressSet {
  const ofNodes = fromAddressTexts(nodes.flatMap(({ addresses }) => addresses)).set;
  if (side === "egress") return cluster.podNetwork === "routed" ? fromPrefixes(cluster.podRanges) : ofNodes;
  return unionAll([ofNodes, fromAddressTexts(services.flatMap(({ loadBalancer }) => loadBalancer ?? [])).set]);
}
