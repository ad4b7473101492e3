import type { Definitions, Segment, TargetId } from "../model/kinds.ts";
import { listTargets, type Target } from "../model/target.ts";
import { choosesCluster, flatMembers, isHostIn } from "./resolve.ts";

/**
 * For each segment, the targets whose rendering rests on its addresses: those that enforce an end opposite to it.
 *
 * A change of a segment's addresses is work for these and no others. Both directions of a rule count, whatever is isolated now:
 * a few targets too many cost a plan without steps, one too few would leave a set behind.
 */
export function consumersBySegment(definitions: Definitions): ReadonlyMap<string, ReadonlySet<TargetId>> {
  const targets = listTargets(definitions);
  const homes = new Map<string, readonly TargetId[]>();
  for (const segment of definitions.segments.values()) {
    homes.set(
      segment.name,
      targets.filter((target) => canHold(definitions, segment, target)).map(({ id }) => id),
    );
  }
  const everywhere = targets.map(({ id }) => id);
  const consumers = new Map<string, Set<TargetId>>();
  for (const policy of definitions.policies.values()) {
    for (const rule of policy.rules) {
      connect(rule.from, rule.to);
      connect(rule.to, rule.from);
    }
  }
  return consumers;

  function connect(peers: readonly string[], subjects: readonly string[]): void {
    for (const peer of peers) {
      const set = consumers.get(peer) ?? new Set<TargetId>();
      consumers.set(peer, set);
      for (const subject of subjects) for (const id of homes.get(subject) ?? everywhere) set.add(id);
    }
  }
}

/** True when a workload of this target could be in the segment, now or later. */
export function canHold(definitions: Definitions, segment: Segment, target: Target): boolean {
  if (target.kind === "host") return isHostIn(definitions, segment, target.fleet, target.host);
  return flatMembers(definitions, segment.members).some(
    (member) => (member.kind === "pods" || member.kind === "service") && choosesCluster(member.clusters, target.cluster),
  );
}
