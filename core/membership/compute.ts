import { emptySet, fromAddressTexts, isEmpty } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import type { Cluster, Definitions, Direction, Member, Segment } from "../model/kinds.ts";
import type { Note, Position } from "../model/note.ts";
import { clusterTargetId } from "../model/target.ts";
import { formatSelector, matches } from "../selector/index.ts";
import { boundaryAddresses, noteBoundary } from "./boundary.ts";
import { cellsBySegment, cellValues } from "./cells.ts";
import { membershipDigest } from "./digest.ts";
import { endpointPods, isEndpointIn, namedEndpoints, rawEndpoints } from "./endpoints.ts";
import type { ClusterInventory, Namespace, Pod, Service } from "./inventory.ts";
import { boundaryKey, endpointsKey, type Membership } from "./membership.ts";
import { compareText } from "./order.ts";
import { addressesOutside, podAddresses } from "./pod-addresses.ts";
import { cellKey, choosesCluster, flatMembers, noteProblem, plainSubjects, resolveSubjects, subjectsIn } from "./resolve.ts";
import { groupPods, namespaceLabels } from "./select.ts";
import type { PodGroup } from "./select.ts";
import { findService, hasSelector, serviceKey } from "./services.ts";
import type { Subject } from "./subject.ts";

/** A membership, and what its author should know about it. */
export interface ComputedMembership {
  readonly membership: Membership;
  readonly notes: readonly Note[];
}

/**
 * The addresses that one cluster shows to the outside: its pods per segment and cell, its boundary, and the endpoints that are no pods;
 * see `Membership.segments` for the keys.
 *
 * Routed pod network: the pods' own addresses, both families. Masqueraded: the addresses of the nodes that run them, because
 * nothing else is seen outside ("widened here": everything on those nodes is let in with them). A hostNetwork pod is neither
 * subject nor peer (docs/design/networkpolicy.md 15); a note names it. Terminating pods count, Pending ones have no address yet.
 *
 * This is the whole answer from scratch; `ClusterEngine` keeps the same answer current.
 *
 * @param observedAt when the inventory was last known to be current, ms since the epoch
 */
export function computeMembership(
  definitions: Definitions,
  cluster: Cluster,
  inventory: ClusterInventory,
  observedAt: number,
): ComputedMembership {
  const world = lookAt(definitions, cluster, inventory);
  const segments = new Map<string, AddressSet>();
  const notes: Note[] = [];
  const cells = cellsBySegment(definitions);
  for (const segment of [...definitions.segments.values()].sort((a, b) => compareText(a.name, b.name))) {
    if (!canHoldPods(definitions, segment, cluster)) continue;
    const pods = podsOf(world, segment);
    const { set, refused } = addressesShown(world, pods);
    segments.set(segment.name, set);
    for (const keys of cells.get(segment.name) ?? [])
      for (const [key, cell] of cellsOf(world, segment.name, keys, pods)) segments.set(key, cell);
    notes.push(...noteSegment(world, segment, pods), ...noteAddresses(cluster, segment, pods, refused));
  }
  for (const side of boundarySides(definitions, cluster)) {
    segments.set(boundaryKey(side), boundaryAddresses(cluster, inventory, side));
    if (side === "ingress") notes.push(...noteBoundary(cluster, inventory.services));
  }
  for (const service of namedEndpoints(definitions, cluster, inventory.services))
    segments.set(endpointsKey(service), rawEndpoints(service));
  notes.push(...noteOutside(cluster, inventory.pods));
  const target = clusterTargetId(cluster.name);
  return {
    membership: { target, segments, complete: inventory.complete, observedAt, digest: membershipDigest(segments) },
    notes,
  };
}

/** True when a member of the segment, nested ones included, can select pods of this cluster. */
export function canHoldPods(definitions: Definitions, segment: Segment, cluster: Cluster): boolean {
  return flatMembers(definitions, segment.members).some(
    (member) => (member.kind === "pods" || member.kind === "service") && choosesCluster(member.clusters, cluster),
  );
}

/** Sides of a cluster's boundary that any segment asks for, be it to leave them out. */
export function boundarySides(definitions: Definitions, cluster: Cluster): readonly Direction[] {
  const sides = new Set<Direction>();
  for (const segment of definitions.segments.values()) {
    for (const member of flatMembers(definitions, [...segment.members, ...segment.not]))
      if (member.kind === "boundary" && choosesCluster(member.clusters, cluster)) sides.add(member.side);
  }
  return [...sides].sort();
}

/** One cluster's inventory, prepared for many questions. */
interface World {
  readonly definitions: Definitions;
  readonly cluster: Cluster;
  readonly services: readonly Service[];
  readonly groups: ReadonlyMap<string, readonly PodGroup[]>;
  /** By `namespace/name`. */
  readonly pods: ReadonlyMap<string, { readonly pod: Pod; readonly namespace: Namespace }>;
  readonly nodeAddresses: ReadonlyMap<string, readonly string[]>;
}

function lookAt(definitions: Definitions, cluster: Cluster, { namespaces, pods, nodes, services }: ClusterInventory): World {
  const all = groupPods(namespaces, pods);
  return {
    definitions,
    cluster,
    services,
    groups: Map.groupBy(all, ({ namespace }) => namespace.name),
    // Only asked where a service without a selector names pods: most definitions have none.
    pods:
      namedEndpoints(definitions, cluster, services).length === 0
        ? new Map()
        : new Map(
            all.flatMap((group) =>
              group.pods.map((pod) => [`${pod.namespace}/${pod.name}`, { pod, namespace: group.namespace }] as const),
            ),
          ),
    nodeAddresses: new Map(nodes.map((node) => [node.name, node.addresses])),
  };
}

/** The pods of these segments, those that can have any here. */
export function podsBySegment(
  definitions: Definitions,
  cluster: Cluster,
  inventory: ClusterInventory,
  names: readonly string[],
): ReadonlyMap<string, readonly Pod[]> {
  const held = names.flatMap((name) => definitions.segments.get(name) ?? []);
  const possible = held.filter((segment) => canHoldPods(definitions, segment, cluster));
  if (possible.length === 0) return new Map();
  const world = lookAt(definitions, cluster, inventory);
  return new Map(possible.map((segment) => [segment.name, podsOf(world, segment)]));
}

/** The pods of a segment, each once: those its labels select, and those that a service without a selector names. */
function podsOf(world: World, segment: Segment): readonly Pod[] {
  const { definitions, cluster, services } = world;
  const selected = subjectsIn(definitions, segment, cluster, services).flatMap((subject) => selectPods(world.groups, subject));
  const named = [...endpointPods(definitions, segment, cluster, services)].flatMap((key): readonly Pod[] => {
    const found = world.pods.get(key);
    if (found === undefined) return [];
    const seen = { key, labels: found.pod.labels, namespaceLabels: namespaceLabels(found.namespace) };
    return isEndpointIn(definitions, segment, cluster, services, seen) ? [found.pod] : [];
  });
  return [...new Set([...selected, ...named])];
}

/** By namespace, because most members select few: 1,000 segments each looking at every group of 100,000 pods took seconds. */
function selectPods(groups: ReadonlyMap<string, readonly PodGroup[]>, subject: Subject): readonly Pod[] {
  const pods: Pod[] = [];
  for (const inNamespace of groups.values()) {
    const [first] = inNamespace;
    if (first === undefined || !matches(subject.namespaces, namespaceLabels(first.namespace))) continue;
    for (const group of inNamespace) {
      if (!matches(subject.pods, group.labels)) continue;
      for (const pod of group.pods) pods.push(pod);
    }
  }
  return pods;
}

function cellsOf(
  world: World,
  segment: string,
  keys: readonly string[],
  pods: readonly Pod[],
): readonly (readonly [string, AddressSet])[] {
  const byCell = new Map<string, Pod[]>();
  for (const pod of pods) {
    const values = pod.hostNetwork ? undefined : cellValues(keys, pod.labels);
    if (values === undefined) continue;
    const key = cellKey(segment, values);
    const cell = byCell.get(key);
    if (cell === undefined) byCell.set(key, [pod]);
    else cell.push(pod);
  }
  return [...byCell].map(([key, inCell]) => [key, addressesShown(world, inCell).set] as const).filter(([, set]) => !isEmpty(set));
}

function addressesShown(
  { cluster, nodeAddresses }: World,
  pods: readonly Pod[],
): { readonly set: AddressSet; readonly refused: readonly string[] } {
  const own = pods.filter((pod) => !pod.hostNetwork);
  if (own.length === 0) return { set: emptySet, refused: [] };
  if (cluster.podNetwork === "routed") return fromAddressTexts(own.flatMap((pod) => podAddresses(cluster, pod)));
  const nodes = new Set(own.flatMap((pod) => (pod.node === undefined ? [] : [pod.node])));
  return fromAddressTexts([...nodes].flatMap((node) => nodeAddresses.get(node) ?? []));
}

/** What the author should know of who is in the segment here: members without pods, pods that no label can isolate, what cannot be said. */
function noteSegment(world: World, segment: Segment, pods: readonly Pod[]): readonly Note[] {
  const { definitions, cluster, services } = world;
  const where = `segment ${segment.name} in cluster ${cluster.name}`;
  const notes: Note[] = segment.members.flatMap((member) => noteMember(world, where, member));
  const { problem } = resolveSubjects(definitions, segment, cluster, services);
  if (problem !== undefined) notes.push(noteProblem(where, segment, problem));
  const onHostNetwork = pods.filter((pod) => pod.hostNetwork).map((pod) => `${pod.namespace}/${pod.name}`);
  if (onHostNetwork.length > 0) {
    notes.push({
      severity: "warning",
      code: "host-network-pod",
      at: segment.members[0]?.at ?? segment.at,
      summary: `${where}: ${listed(onHostNetwork.sort(compareText))} on the host network can be neither isolated nor allowed by label`,
      detail: "Such a pod is its node. Add the node's address to a segment (addresses, or hosts) if it is meant.",
    });
  }
  return notes;
}

/** The nested segments of a member have notes of their own. */
function noteMember({ cluster, services, groups }: World, where: string, member: Member): readonly Note[] {
  if (member.kind !== "pods" && member.kind !== "service") return [];
  if (!choosesCluster(member.clusters, cluster)) return [];
  const service = member.kind === "service" ? findService(services, member.service.namespace, member.service.name) : undefined;
  if (service !== undefined && !hasSelector(service)) return [noteSelectorless(where, member.at, service)];
  const subjects = plainSubjects(member, cluster, services) ?? [];
  if (subjects.some((subject) => selectPods(groups, subject).length > 0)) return [];
  const what =
    member.kind === "service"
      ? `service ${serviceKey(member.service)}`
      : `pods ${formatSelector(member.pods)} in namespaces ${formatSelector(member.namespaces)}`;
  return [
    {
      severity: "info",
      code: "selects-nothing",
      at: member.at,
      summary: `${where}: ${what} selects 0 now`,
      detail:
        member.kind === "service" && service === undefined
          ? "There is no such service. Nothing is isolated or allowed for it until there is one."
          : "It is rendered and waits, so that the first such pod is isolated and allowed from birth. Remove it if it is not meant.",
    },
  ];
}

/** A member that is a service without a selector. `where`: the segment and the cluster. */
export function noteSelectorless(where: string, at: Position, service: Service): Note {
  return {
    severity: "warning",
    code: "unenforceable-here",
    at,
    summary: `${where}: service ${serviceKey(service)} has no selector: what stands behind it is a peer by address and cannot be isolated`,
    detail: "Select its pods by labels (pods and namespaces) if they shall be isolated.",
  };
}

function noteAddresses(cluster: Cluster, segment: Segment, pods: readonly Pod[], refused: readonly string[]): readonly Note[] {
  const notes: Note[] = [];
  const at = segment.members[0]?.at ?? segment.at;
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

function noteOutside(cluster: Cluster, pods: readonly Pod[]): readonly Note[] {
  const outside = addressesOutside(cluster, pods);
  if (outside.count === 0) return [];
  return [
    {
      severity: "warning",
      code: "address-outside-ranges",
      at: cluster.at,
      summary: outsideWords(cluster, outside),
      detail: "Add the block to podRanges of the Cluster if the network gives out such addresses; otherwise ask who wrote them.",
    },
  ];
}

/** One line about pods whose addresses are not believed. */
export function outsideWords({ name }: Cluster, { named, count }: ReturnType<typeof addressesOutside>): string {
  const more = count > named.length ? ` and ${count - named.length} more` : "";
  return `cluster ${name}: ${named.join(", ")}${more}: outside its podRanges, so such an address joins no set`;
}

/** Up to five names, and how many more. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
