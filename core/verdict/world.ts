import { parseAddress } from "../address/index.ts";
import type { Address, AddressSet } from "../address/index.ts";
import type { Labels } from "../selector/index.ts";

/** What the engine needs of a namespace. */
export interface WorldNamespace {
  readonly name: string;
  readonly labels: Labels;
}

/** A declared container port; only named ones matter to policies. `protocol` defaults to TCP. */
export interface WorldContainerPort {
  readonly name?: string | undefined;
  readonly containerPort: number;
  readonly protocol?: string | undefined;
  /** The port of its node that leads to it. */
  readonly hostPort?: number | undefined;
}

/** What the engine needs of a pod; an inventory pod and a Kubernetes object read by a manifest reader both fit. */
export interface WorldPod {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  /** Up to one per family; empty while Pending: then only labels can match it. */
  readonly addresses: readonly string[];
  readonly node?: string | undefined;
  /** The address of its node, where the pod's own status says it. */
  readonly nodeAddress?: string | undefined;
  readonly hostNetwork?: boolean | undefined;
  readonly ports?: readonly WorldContainerPort[] | undefined;
  /** `status.phase`; Succeeded and Failed pods are left out, their address may be somebody else's. */
  readonly phase?: string | undefined;
  /** `Kind/name` of the controller, for the words people read. */
  readonly owner?: string | undefined;
  /** What nobody knows of a pod that is not there yet. Absent: all is known, and no address means none. */
  readonly unknown?: UnknownFacts | undefined;
}

/** Facts that only a running pod has. */
export interface UnknownFacts {
  /** Labels that it will have, with values that nobody knows: hashes, uids. They are not among its labels. */
  readonly labels: readonly string[];
  /** Where its address will lie; undefined when its addresses are known. */
  readonly addresses: AddressSet | undefined;
}

/** What the engine needs of a node: which addresses are its own, and by which labels cluster-wide policies select it. */
export interface WorldNode {
  readonly name: string;
  readonly labels?: Labels | undefined;
  readonly addresses: readonly string[];
}

/** A port of a Service, and where it leads in the pods: a number, or the name of a container port. */
export interface WorldServicePort {
  readonly name?: string | undefined;
  readonly port: number;
  /** `TCP`, `UDP` or `SCTP`. */
  readonly protocol: string;
  readonly targetPort: number | string;
  /** The port of every node that leads to it. */
  readonly nodePort?: number | undefined;
}

/** What the engine needs of a Service: policies never see it, only the pods behind it. */
export interface WorldService {
  readonly namespace: string;
  readonly name: string;
  /** Cluster, external and load balancer addresses. */
  readonly addresses: readonly string[];
  /** Those of them that are reached from outside: what comes that way, from pods too, may show a node's address as its source. */
  readonly outside?: readonly string[] | undefined;
  /** Undefined: its pods are not known here. */
  readonly selector: Labels | undefined;
  readonly ports: readonly WorldServicePort[];
  /** `externalTrafficPolicy: Local`: traffic from outside keeps its source address. */
  readonly keepsSource: boolean;
  /** Where its ports lead, for one without a selector: Endpoints and EndpointSlices of its name. */
  readonly endpoints?: readonly ServiceEndpoint[] | undefined;
}

/** An address behind a Service, and the port there. */
export interface ServiceEndpoint {
  readonly address: string;
  /** Name of the Service's port; empty for the only one. */
  readonly portName: string;
  readonly port: number;
  readonly protocol: string;
}

/** A policy as the API serves it; `spec` is read defensively (see `compile.ts`). */
export interface PolicyObject {
  readonly kind?: string | undefined;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string | undefined;
    readonly labels?: Labels | undefined;
    readonly annotations?: Readonly<Record<string, string>> | undefined;
  };
  readonly spec?: unknown;
}

/** One cluster's workloads and policies at one moment; never changed after it was handed to the engine. */
export interface World {
  readonly namespaces: readonly WorldNamespace[];
  readonly pods: readonly WorldPod[];
  readonly policies: readonly PolicyObject[];
  readonly nodes?: readonly WorldNode[] | undefined;
  /** Without them an address of a Service is an address like any other. */
  readonly services?: readonly WorldService[] | undefined;
}

/** One end of a connection: a pod of the world, or an address (which is that pod, if a pod of the world has it). */
export type Endpoint =
  | { readonly kind: "pod"; readonly namespace: string; readonly name: string }
  | { readonly kind: "address"; readonly address: string };

/** Namespace label that the API server itself sets: nobody else can. */
const NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name";

/** `namespace/name`. */
export function podId(pod: { readonly namespace: string; readonly name: string }): string {
  return `${pod.namespace}/${pod.name}`;
}

/** Pods that policies see: finished ones are not there any more, terminating ones are. */
export function livePods(pods: readonly WorldPod[]): readonly WorldPod[] {
  return pods.filter((pod) => pod.phase !== "Succeeded" && pod.phase !== "Failed");
}

/** Labels per namespace, the unforgeable name label included; namespaces only known from a pod have just that one. */
export function namespaceLabels(world: World): ReadonlyMap<string, Labels> {
  const labels = new Map<string, Labels>();
  for (const namespace of world.namespaces) {
    labels.set(namespace.name, { ...namespace.labels, [NAMESPACE_NAME_LABEL]: namespace.name });
  }
  for (const pod of world.pods) {
    if (!labels.has(pod.namespace)) labels.set(pod.namespace, { [NAMESPACE_NAME_LABEL]: pod.namespace });
  }
  return labels;
}

/** The addresses that parse (an IPv4-mapped one as its IPv4 address). */
export function parsedAddresses(texts: readonly string[]): readonly Address[] {
  return texts.flatMap((text) => {
    const parsed = parseAddress(text);
    if ("ok" in parsed) return [parsed.ok];
    return parsed.corrected === undefined ? [] : [parsed.corrected];
  });
}
