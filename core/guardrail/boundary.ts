import { emptySet, unionAll } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import type { Estate } from "../estate/estate.ts";
import { wholeBoundary } from "../membership/boundary.ts";
import { rawEndpoints } from "../membership/endpoints.ts";
import { boundariesIn, choosesCluster, flatMembers } from "../membership/resolve.ts";
import { findService, hasSelector } from "../membership/services.ts";
import type { Definitions, Segment } from "../model/kinds.ts";

/** Addresses of a segment that only clusters know: their boundaries, and what stands behind services without a selector. */
export function clusterAddresses(definitions: Definitions, { clusters }: Estate, segment: Segment): AddressSet {
  const members = flatMembers(definitions, segment.members);
  const sets: AddressSet[] = [];
  for (const { cluster, inventory } of clusters.values()) {
    if (inventory === undefined) continue;
    for (const side of boundariesIn(definitions, segment, cluster)) sets.push(wholeBoundary(cluster, inventory, side));
    for (const member of members) {
      if (member.kind !== "service" || !choosesCluster(member.clusters, cluster)) continue;
      const service = findService(inventory.services, member.service.namespace, member.service.name);
      if (service !== undefined && !hasSelector(service)) sets.push(rawEndpoints(service));
    }
  }
  return sets.length === 0 ? emptySet : unionAll(sets);
}
