import type { Namespace, Node, Pod, PodPort } from "../../core/membership/inventory.ts";
import type { LivePolicy } from "../../core/observed/observation.ts";
import type { NetworkPolicy, NetworkPolicySpec } from "../../core/render/networkpolicy-types.ts";
import type { Labels } from "../../core/selector/index.ts";

/**
 * What is kept of each object on arrival. 100,000 pods take 68 MB this way instead of 559 MB (docs/design/contracts.md "Clusters").
 * The inputs are JSON of an API server, whose schema holds; fields are still read defensively where they are optional.
 */

interface Meta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly labels?: Labels;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly resourceVersion?: string;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly ownerReferences?: readonly { readonly kind: string; readonly name: string; readonly controller?: boolean }[];
  readonly managedFields?: readonly { readonly manager?: string; readonly time?: string; readonly subresource?: string }[];
}

const NO_LABELS: Labels = {};

export function trimNamespace(object: unknown): Namespace {
  const { metadata } = object as { metadata: Meta };
  const { name, labels = NO_LABELS } = metadata;
  return metadata.deletionTimestamp === undefined ? { name, labels } : { name, labels, terminating: true };
}

interface RawContainer {
  readonly restartPolicy?: string;
  readonly ports?: readonly { readonly name?: string; readonly protocol?: string; readonly containerPort: number }[];
}

interface RawPod {
  readonly metadata: Meta;
  readonly spec?: {
    readonly nodeName?: string;
    readonly hostNetwork?: boolean;
    readonly containers?: readonly RawContainer[];
    readonly initContainers?: readonly RawContainer[];
  };
  readonly status?: { readonly phase?: string; readonly podIP?: string; readonly podIPs?: readonly { readonly ip: string }[] };
}

/** More text of labels than this on one pod, and it is not understood: a thousand pods with a megabyte each are a gigabyte here. */
const MAX_LABEL_TEXT = 16_384;
/** Named ports of one pod that are kept; a name beyond them is on no pod, so a rule with it opens nothing. */
const MAX_NAMED_PORTS = 256;

/** Succeeded and Failed pods keep an address that is recycled: they are no members (docs/design/networkpolicy.md 22). */
export function trimPod(object: unknown): Pod | undefined {
  const { metadata, spec, status } = object as RawPod;
  if (status?.phase === "Succeeded" || status?.phase === "Failed") return undefined;
  const owner = metadata.ownerReferences?.find((reference) => reference.controller === true);
  const ports = namedPorts(spec).slice(0, MAX_NAMED_PORTS);
  const { labels = NO_LABELS } = metadata;
  // Without its labels nobody knows in which segments it is, and whom `not` leaves out: it has no address, so it joins none.
  const isUnderstood = textOf(labels) <= MAX_LABEL_TEXT;
  return {
    uid: metadata.uid ?? "",
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    labels: isUnderstood ? labels : NO_LABELS,
    addresses: isUnderstood ? (status?.podIPs?.map(({ ip }) => ip) ?? (status?.podIP === undefined ? [] : [status.podIP])) : [],
    node: spec?.nodeName,
    hostNetwork: spec?.hostNetwork === true,
    owner: owner === undefined ? undefined : `${owner.kind}/${owner.name}`,
    ...(ports.length === 0 ? {} : { ports }),
    ...(isUnderstood ? {} : { notUnderstood: true as const }),
  };
}

/** Characters of all keys and values. */
function textOf(labels: Labels): number {
  let length = 0;
  for (const key in labels) length += key.length + (labels[key]?.length ?? 0);
  return length;
}

/** Only ports with a name: a number needs no pod to be known. Sidecars, which are init containers that go on, have theirs too. */
function namedPorts(spec: RawPod["spec"]): readonly PodPort[] {
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  return [...(spec?.containers ?? []), ...sidecars].flatMap(({ ports = [] }) =>
    ports.flatMap(({ name, protocol = "TCP", containerPort }): readonly PodPort[] => {
      const transport = protocol.toLowerCase();
      if (name === undefined || (transport !== "tcp" && transport !== "udp" && transport !== "sctp")) return [];
      return [{ name, protocol: transport, port: containerPort }];
    }),
  );
}

export function trimNode(object: unknown): Node {
  const { metadata, status } = object as {
    metadata: Meta;
    status?: { addresses?: readonly { readonly type: string; readonly address: string }[] };
  };
  const addresses = (status?.addresses ?? [])
    .filter(({ type }) => type === "InternalIP" || type === "ExternalIP")
    .map(({ address }) => address);
  return { name: metadata.name, addresses };
}

/** The whole spec stays; of managedFields only who wrote last. */
export function trimPolicy(object: unknown): LivePolicy {
  const { metadata, spec } = object as { metadata: Meta; spec?: NetworkPolicySpec };
  const writers = (metadata.managedFields ?? []).filter(({ subresource }) => subresource === undefined || subresource === "");
  const last = writers.reduce<(typeof writers)[number] | undefined>(
    (newest, entry) => (newest === undefined || (entry.time ?? "") >= (newest.time ?? "") ? entry : newest),
    undefined,
  );
  const kept: NetworkPolicy = {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: {
      name: metadata.name,
      namespace: metadata.namespace ?? "",
      ...(metadata.labels === undefined ? {} : { labels: metadata.labels }),
      ...(metadata.annotations === undefined ? {} : { annotations: metadata.annotations }),
      ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
      ...(metadata.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion }),
      ...(metadata.creationTimestamp === undefined ? {} : { creationTimestamp: metadata.creationTimestamp }),
    },
    spec: spec ?? {},
  };
  return { object: kept, manager: last?.manager, managedAt: last?.time };
}
