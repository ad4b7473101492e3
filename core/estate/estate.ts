import type { AddressSet } from "../address/index.ts";
import type { PodPort, ClusterInventory } from "../membership/inventory.ts";
import type { Cluster, TargetId } from "../model/kinds.ts";
import type { Labels } from "../selector/index.ts";

/** `cluster/NAME/NAMESPACE/POD`, `host/FLEET/NAME` or `external/NAME`. */
export type WorkloadId = string;

/** Anything with an identity and addresses; nodes are in it only as addresses. */
export interface Workload {
  readonly id: WorkloadId;
  readonly kind: "pod" | "host" | "external";
  /** What enforces at it; undefined for an external, where nothing does. */
  readonly target: TargetId | undefined;
  /** For people: `prod-eu shop/web[Deployment]`, `directory/ldap-blue-1`, `mainframe`. Pods of one controller share it. */
  readonly name: string;
  readonly labels: Labels;
  /** Of a pod; undefined otherwise. */
  readonly namespace: string | undefined;
  /** Of a pod's namespace, the name label included; empty otherwise. */
  readonly namespaceLabels: Labels;
  /** Its own addresses, both families; empty for a Pending pod. */
  readonly addresses: AddressSet;
  /** What other targets see it come from: its own addresses, or those of its node where the pod network is masqueraded. */
  readonly shown: AddressSet;
  /** A pod's node. */
  readonly node: string | undefined;
  readonly hostNetwork: boolean;
  /** Named ports of a pod. */
  readonly ports: readonly PodPort[];
}

/** All workloads that all targets have now, with the externals: what identity means at one moment. Never changed once made. */
export interface Estate {
  /** Sorted by id. */
  readonly workloads: readonly Workload[];
  /** Clusters with what is known of them; without an inventory nothing of it is known, and answers about it are uncertain. */
  readonly clusters: ReadonlyMap<TargetId, { readonly cluster: Cluster; readonly inventory: ClusterInventory | undefined }>;
  /** Targets whose inventory is missing or not complete, sorted: what is said about them is the last known. */
  readonly stale: readonly TargetId[];
}
