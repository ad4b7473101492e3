import type { Labels } from "../selector/index.ts";
import type { TargetId } from "../model/kinds.ts";

export interface Namespace {
  readonly name: string;
  /** Of a made-up one: the name that selectors see, where several stand for what one namespace may be. */
  readonly shownAs?: string;
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
  /** Its named container ports; absent: none. */
  readonly ports?: readonly PodPort[];
  /** It has more labels than are kept: none of them are here, nor its addresses, so it is in no set. */
  readonly notUnderstood?: true;
}

/** A container port with a name. */
export interface PodPort {
  readonly name: string;
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly port: number;
}

export interface Node {
  readonly name: string;
  readonly addresses: readonly string[];
}

/** A Service: selector, ports, and what stands behind and before it. */
export interface Service {
  readonly namespace: string;
  readonly name: string;
  /** Empty: it has none, and its EndpointSlices say what stands behind it. */
  readonly selector: Labels;
  readonly clusterIps: readonly string[];
  /** Addresses and ports of its EndpointSlices, kept only for services without a selector. `pod`: the pod that an address is. */
  readonly endpoints?: readonly ServiceEndpoint[];
  /** Addresses of `status.loadBalancer.ingress`, which controllers write. Never `spec.externalIPs`: whoever owns the namespace does. */
  readonly loadBalancer?: readonly string[];
  readonly ports: readonly { readonly protocol: string; readonly port: number; readonly targetPort: number | string | undefined }[];
}

/** One address behind a service without a selector. */
export interface ServiceEndpoint {
  readonly address: string;
  readonly pod?: string;
  readonly ports: readonly { readonly protocol: string; readonly port: number }[];
}

/** An admission webhook or an aggregated API: the API server calls the pods behind its service. */
export interface WebhookBackend {
  readonly kind: "validating" | "mutating" | "apiService";
  readonly name: string;
  readonly service: { readonly namespace: string; readonly name: string; readonly port: number };
  /** True: while it cannot be reached, writes to the cluster fail. */
  readonly failsClosed: boolean;
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
  readonly services: readonly Service[];
  /** Absent: not asked for yet, as in the inventory of an older store. */
  readonly webhooks?: readonly WebhookBackend[];
  /** What the cluster is besides a Kubernetes, told by the API groups that it serves. Absent: nothing else, or not known. */
  readonly platform?: Platform;
}

/** Only its administrators make a cluster serve `config.openshift.io` or `route.openshift.io`; anybody may call a namespace `openshift-dns`. */
export type Platform = "openshift";

/** Namespaces that are there to stay. */
export function livingNamespaces(namespaces: readonly Namespace[]): readonly Namespace[] {
  return namespaces.filter(({ terminating }) => terminating !== true);
}
