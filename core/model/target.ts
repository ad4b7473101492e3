import type { Labels } from "../selector/index.ts";
import type { Cluster, Definitions, Host, HostFleet, TargetId, TargetMode } from "./kinds.ts";

/** A place that enforces, with what the definitions say of it. */
export type Target =
  | {
      readonly kind: "cluster";
      readonly id: TargetId;
      readonly labels: Labels;
      readonly mode: TargetMode;
      readonly cluster: Cluster;
    }
  | {
      readonly kind: "host";
      readonly id: TargetId;
      readonly labels: Labels;
      readonly mode: TargetMode;
      readonly fleet: HostFleet;
      readonly host: Host;
    };

/** `cluster/NAME`. */
export function clusterTargetId(name: string): TargetId {
  return `cluster/${name}`;
}

/** `host/FLEET/NAME`. */
export function hostTargetId(fleet: string, host: string): TargetId {
  return `host/${fleet}/${host}`;
}

/** Every target of the definitions, sorted by id. */
export function listTargets(definitions: Definitions): readonly Target[] {
  const targets: Target[] = [];
  for (const cluster of definitions.clusters.values()) {
    targets.push({ kind: "cluster", id: clusterTargetId(cluster.name), labels: cluster.labels, mode: cluster.mode, cluster });
  }
  for (const fleet of definitions.fleets.values()) {
    for (const host of fleet.hosts) {
      targets.push({ kind: "host", id: hostTargetId(fleet.name, host.name), labels: host.labels, mode: fleet.mode, fleet, host });
    }
  }
  return targets.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** The target with this id, or undefined when the definitions do not name it. */
export function findTarget(definitions: Definitions, id: TargetId): Target | undefined {
  return listTargets(definitions).find((target) => target.id === id);
}
