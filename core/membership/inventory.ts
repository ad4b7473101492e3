import type { Labels } from "../selector/index.ts";
import type { TargetId } from "../model/kinds.ts";

export interface Namespace {
  readonly name: string;
  readonly labels: Labels;
  /** Being deleted: its pods still are members, nothing can be created there, and its policies vanish without anybody's doing. */
  readonly terminating?: true;
}

/** A pod as trimmed on arrival; Succeeded and Failed pods are not in an inventory, Terminating ones are. */
export interface Pod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  /** Both families; empty while Pending. */
  readonly addresses: readonly string[];
  readonly node: string | undefined;
  readonly hostNetwork: boolean;
  /** `Kind/name` of its controller, when it has one. */
  readonly owner: string | undefined;
}

export interface Node {
  readonly name: string;
  readonly addresses: readonly string[];
}

/** A service port set that essentials need: selector and resolved target. */
export interface Service {
  readonly namespace: string;
  readonly name: string;
  readonly selector: Labels;
  readonly clusterIps: readonly string[];
  readonly ports: readonly { readonly protocol: string; readonly port: number; readonly targetPort: number | string | undefined }[];
}

/**
 * The workloads a cluster has now. `complete` is false from the moment any of its watches is not known to be current;
 * the contents are then the last known ones: stale is not empty.
 */
export interface ClusterInventory {
  readonly kind: "cluster";
  readonly target: TargetId;
  /** The UID of namespace kube-system: the cluster's own identity. */
  readonly uid: string;
  readonly complete: boolean;
  readonly namespaces: readonly Namespace[];
  readonly pods: readonly Pod[];
  readonly nodes: readonly Node[];
  /** Only the services that essentials need (kube-system/kube-dns, openshift-dns/dns-default, default/kubernetes). */
  readonly services: readonly Service[];
}

/** Namespaces that are there to stay. */
export function livingNamespaces(namespaces: readonly Namespace[]): readonly Namespace[] {
  return namespaces.filter(({ terminating }) => terminating !== true);
}
