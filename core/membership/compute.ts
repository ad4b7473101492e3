import { emptySet, fromAddressTexts } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import type { Cluster, Definitions, Segment } from "../model/kinds.ts";
import type { Note } from "../model/note.ts";
import { clusterTargetId } from "../model/target.ts";
import { formatSelector, matches } from "../selector/index.ts";
import { membershipDigest } from "./digest.ts";
import type { ClusterInventory, Pod } from "./inventory.ts";
import type { Membership } from "./membership.ts";
import { compareText } from "./order.ts";
import { groupPods, namespaceLabels, podsMembersIn } from "./select.ts";
import type { PodGroup, PodsMember } from "./select.ts";

/** A membership, and what its author should know about it. */
export interface ComputedMembership {
  readonly membership: Membership;
  readonly notes: readonly Note[];
}

/**
 * The addresses that the pods of one cluster show to the outside, per segment.
 *
 * Routed pod network: the pods' own addresses, both families. Masqueraded: the addresses of the nodes that run them, because
 * nothing else is seen outside ("widened here": everything on those nodes is let in with them). A hostNetwork pod is neither
 * subject nor peer (kubernetes.md 15); a note names it. Terminating pods count, Pending ones have no address yet.
 *
 * @param observedAt when the inventory was last known to be current, ms since the epoch
 */
export function computeMembership(
  definitions: Definitions,
  cluster: Cluster,
  inventory: ClusterInventory,
  observedAt: number,
): ComputedMembership {
  const groups = Map.groupBy(groupPods(inventory.namespaces, inventory.pods), ({ namespace }) => namespace.name);
  const nodeAddresses = new Map(inventory.nodes.map((node) => [node.name, node.addresses]));
  const segments = new Map<string, AddressSet>();
  const notes: Note[] = [];
  for (const segment of [...definitions.segments.values()].sort((a, b) => compareText(a.name, b.name))) {
    const members = podsMembersIn(segment.members, cluster);
    if (members.length === 0) continue;
    const selected = members.map((member) => selectPods(groups, member));
    const pods = [...new Set(selected.flat())];
    const { set, refused } = addressesShown(cluster, pods, nodeAddresses);
    segments.set(segment.name, set);
    members.forEach((member, index) => notes.push(...noteSelection(cluster, segment, member, selected[index] ?? [])));
    notes.push(...noteAddresses(cluster, segment, members, pods, refused));
  }
  const target = clusterTargetId(cluster.name);
  return {
    membership: { target, segments, complete: inventory.complete, observedAt, digest: membershipDigest(segments) },
    notes,
  };
}

/** By namespace, because most members select few: 1,000 segments each looking at every group of 100,000 pods took seconds. */
function selectPods(groups: ReadonlyMap<string, readonly PodGroup[]>, member: PodsMember): readonly Pod[] {
  const pods: Pod[] = [];
  for (const inNamespace of groups.values()) {
    const [first] = inNamespace;
    if (first === undefined || !matches(member.namespaces, namespaceLabels(first.namespace))) continue;
    for (const group of inNamespace) {
      if (!matches(member.pods, group.labels)) continue;
      for (const pod of group.pods) pods.push(pod);
    }
  }
  return pods;
}

function addressesShown(
  cluster: Cluster,
  pods: readonly Pod[],
  nodeAddresses: ReadonlyMap<string, readonly string[]>,
): { readonly set: AddressSet; readonly refused: readonly string[] } {
  const own = pods.filter((pod) => !pod.hostNetwork);
  if (own.length === 0) return { set: emptySet, refused: [] };
  if (cluster.podNetwork === "routed") return fromAddressTexts(own.flatMap((pod) => pod.addresses));
  const nodes = new Set(own.flatMap((pod) => (pod.node === undefined ? [] : [pod.node])));
  return fromAddressTexts([...nodes].flatMap((node) => nodeAddresses.get(node) ?? []));
}

function noteSelection(cluster: Cluster, segment: Segment, member: PodsMember, pods: readonly Pod[]): readonly Note[] {
  const where = `segment ${segment.name} in cluster ${cluster.name}`;
  if (pods.length === 0) {
    return [
      {
        severity: "info",
        code: "selects-nothing",
        at: member.at,
        summary: `${where}: pods ${formatSelector(member.pods)} in namespaces ${formatSelector(member.namespaces)} selects 0 now`,
        detail:
          "It is rendered and waits, so that the first such pod is isolated and allowed from birth. Remove it if it is not meant.",
      },
    ];
  }
  const onHostNetwork = pods.filter((pod) => pod.hostNetwork).map((pod) => `${pod.namespace}/${pod.name}`);
  if (onHostNetwork.length === 0) return [];
  return [
    {
      severity: "warning",
      code: "host-network-pod",
      at: member.at,
      summary: `${where}: ${listed(onHostNetwork.sort(compareText))} on the host network can be neither isolated nor allowed by label`,
      detail: "Such a pod is its node. Add the node's address to a segment (addresses, or hosts) if it is meant.",
    },
  ];
}

function noteAddresses(
  cluster: Cluster,
  segment: Segment,
  members: readonly PodsMember[],
  pods: readonly Pod[],
  refused: readonly string[],
): readonly Note[] {
  const notes: Note[] = [];
  const at = members[0]?.at ?? segment.at;
  const nodes = new Set(pods.flatMap((pod) => (pod.hostNetwork || pod.node === undefined ? [] : [pod.node])));
  if (cluster.podNetwork === "masqueraded" && nodes.size > 0) {
    notes.push({
      severity: "info",
      code: "widened-here",
      at,
      summary: `segment ${segment.name}: outside cluster ${cluster.name} its pods show the addresses of ${nodes.size} node(s)`,
      detail: "Other targets let in everything on those nodes with them, because the pod network is masqueraded (podNetwork).",
    });
  }
  if (refused.length > 0) {
    notes.push({
      severity: "warning",
      code: "address-unreadable",
      at,
      summary: `segment ${segment.name} in cluster ${cluster.name}: ${listed([...refused].sort(compareText))} left out, no usable address`,
      detail: "What cannot be read joins no set.",
    });
  }
  return notes;
}

/** Up to five names, and how many more. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
