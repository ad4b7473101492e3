import type { Definitions, HostFleet, TargetId } from "../model/kinds.ts";
import { findTarget, type Target } from "../model/target.ts";

/** A target gone from Git, and the last revision that named it: what it is frozen at. */
export interface Orphan {
  readonly target: TargetId;
  readonly sequence: number;
}

/**
 * Definitions in which orphans are members again, as their last revision described them: gone from Git, a target's workloads keep their
 * place in the segments of others until it is released (docs/design/contracts.md "Absence never opens").
 *
 * For compiling and for memberships only; which targets there are is said by the definitions without them.
 */
export function overlayOrphans(definitions: Definitions, orphans: readonly Target[]): Definitions {
  const gone = orphans.filter(({ id }) => findTarget(definitions, id) === undefined);
  if (gone.length === 0) return definitions;
  const clusters = new Map(definitions.clusters);
  const fleets = new Map(definitions.fleets);
  for (const orphan of gone) {
    if (orphan.kind === "cluster") clusters.set(orphan.cluster.name, orphan.cluster);
    else fleets.set(orphan.fleet.name, withHost(fleets.get(orphan.fleet.name), orphan));
  }
  return { ...definitions, clusters: sortedByName(clusters), fleets: sortedByName(fleets) };
}

function withHost(fleet: HostFleet | undefined, { fleet: frozen, host }: Extract<Target, { kind: "host" }>): HostFleet {
  return fleet === undefined ? { ...frozen, hosts: [host] } : { ...fleet, hosts: [...fleet.hosts, host] };
}

function sortedByName<T>(map: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  return new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}
