import type { Cluster, Definitions, Host, HostFleet, Member } from "../model/kinds.ts";
import { matches } from "../selector/index.ts";
import type { Labels } from "../selector/index.ts";
import type { Namespace, Pod } from "./inventory.ts";

/** A member that selects pods. */
export type PodsMember = Extract<Member, { kind: "pods" }>;

/** A member that selects hosts. */
export type HostsMember = Extract<Member, { kind: "hosts" }>;

/** The label that names a namespace; the API server sets it and nobody can forge it (kubernetes.md 3). */
export const NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name";

/** Labels of a namespace, with its name label whatever the object says. */
export function namespaceLabels(namespace: Namespace): Labels {
  return { ...namespace.labels, [NAMESPACE_NAME_LABEL]: namespace.name };
}

/** True when the member can select pods of this cluster; without a cluster selector it is every cluster. */
export function appliesToCluster(member: PodsMember, cluster: Cluster): boolean {
  return member.clusters === undefined || matches(member.clusters, cluster.labels);
}

/** The `pods` members of a segment that can select pods of this cluster, in the order of the definition. */
export function podsMembersIn(members: readonly Member[], cluster: Cluster): readonly PodsMember[] {
  return members.filter((member): member is PodsMember => member.kind === "pods" && appliesToCluster(member, cluster));
}

/** The hosts of all fleets that a member selects. */
export function hostsOf(definitions: Definitions, member: HostsMember): readonly Host[] {
  return [...definitions.fleets.values()].flatMap((fleet) => fleet.hosts.filter((host) => selectsHost(member, fleet, host)));
}

/** True when the member selects this host of this fleet; without a fleet selector it is every fleet. */
export function selectsHost(member: HostsMember, fleet: HostFleet, host: Host): boolean {
  return (member.fleets === undefined || matches(member.fleets, fleet.labels)) && matches(member.hosts, host.labels);
}

/**
 * Pods of one namespace with equal labels: they are in the same segments, so a selector is tried once for all of them. 100,000
 * pods of a few hundred workloads become a few hundred groups.
 */
export interface PodGroup {
  readonly namespace: Namespace;
  readonly labels: Labels;
  readonly pods: readonly Pod[];
}

/** Groups pods by namespace and labels; a pod of a namespace that is not listed is matched with that name as its only label. */
export function groupPods(namespaces: readonly Namespace[], pods: readonly Pod[]): readonly PodGroup[] {
  const byName = new Map(namespaces.map((namespace) => [namespace.name, namespace]));
  const groups = new Map<string, { namespace: Namespace; labels: Labels; pods: Pod[] }>();
  for (const pod of pods) {
    const key = groupKey(pod);
    const group = groups.get(key);
    if (group !== undefined) group.pods.push(pod);
    else {
      const namespace = byName.get(pod.namespace) ?? { name: pod.namespace, labels: {} };
      groups.set(key, { namespace, labels: pod.labels, pods: [pod] });
    }
  }
  return [...groups.values()];
}

function groupKey(pod: Pod): string {
  const entries = Object.entries(pod.labels);
  if (entries.length > 1) entries.sort(([a], [b]) => (a < b ? -1 : 1));
  let key = pod.namespace;
  for (const [name, value] of entries) key += `\n${name}=${value}`;
  return key;
}
