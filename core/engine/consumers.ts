import { consumersBySegment } from "../membership/consumers.ts";
import { boundaryKey, endpointsKey, segmentOfKey } from "../membership/membership.ts";
import { choosesCluster, decidingMembers } from "../membership/resolve.ts";
import type { Cluster, Definitions, TargetId } from "../model/kinds.ts";
import { clusterTargetId } from "../model/target.ts";

/** Which targets' address sets rest on one key of one cluster's membership. */
export type ConsumersOf = (key: string) => ReadonlySet<TargetId>;

const NOBODY: ReadonlySet<TargetId> = new Set();

/**
 * The targets that a change of one cluster's membership is work for, by the key that changed: those that enforce an end opposite to a
 * segment that the key is part of. The cluster itself is among them for its boundary only: its own pods it knows by their labels.
 */
export function consumersOfCluster(definitions: Definitions, cluster: Cluster): ConsumersOf {
  const bySegment = consumersBySegment(definitions);
  const self = clusterTargetId(cluster.name);
  const shared = new Map<string, Set<TargetId>>();
  for (const segment of definitions.segments.values()) {
    for (const member of decidingMembers(definitions, segment)) {
      if (member.kind !== "boundary" && member.kind !== "service") continue;
      if (!choosesCluster(member.clusters, cluster)) continue;
      const key = member.kind === "boundary" ? boundaryKey(member.side) : endpointsKey(member.service);
      const targets = shared.get(key) ?? new Set<TargetId>();
      for (const target of bySegment.get(segment.name) ?? []) targets.add(target);
      shared.set(key, targets);
    }
  }
  const others = new Map<string, ReadonlySet<TargetId>>();
  return (key) => {
    const known = shared.get(key) ?? others.get(key);
    if (known !== undefined) return known;
    const targets = new Set(bySegment.get(segmentOfKey(key)) ?? NOBODY);
    targets.delete(self);
    others.set(key, targets);
    return targets;
  };
}
