import type { ClusterInventory, Pod } from "../membership/inventory.ts";
import { subjectsIn } from "../membership/resolve.ts";
import { namespaceLabels } from "../membership/select.ts";
import type { Subject } from "../membership/subject.ts";
import type { Cluster, Definitions, Segment } from "../model/kinds.ts";
import type { Note } from "../model/note.ts";
import { matches } from "../selector/index.ts";
import type { LabelSelector } from "../selector/index.ts";
import type { Profile } from "../verdict/profile.ts";

/**
 * Pods on the host network that a segment's labels match: they are their node, neither subject nor peer. An enforcer that knows them
 * by their namespace lets them in with a selector for all of its pods, which is told as widened.
 */
export function noteHostNetwork(
  definitions: Definitions,
  cluster: Cluster,
  { pods, namespaces, services }: ClusterInventory,
  profile: Profile,
): readonly Note[] {
  const onHost = pods.filter(({ hostNetwork }) => hostNetwork);
  if (onHost.length === 0) return [];
  const labels = new Map(namespaces.map((one) => [one.name, namespaceLabels(one)]));
  const isIn = ({ namespace, labels: own }: Pod, subject: Subject): boolean =>
    matches(subject.namespaces, labels.get(namespace) ?? namespaceLabels({ name: namespace, labels: {} })) &&
    matches(subject.pods, own);
  return [...definitions.segments.values()].flatMap((segment): readonly Note[] => {
    const subjects = subjectsIn(definitions, segment, cluster, services);
    const found = onHost.filter((pod) => subjects.some((subject) => isIn(pod, subject)));
    if (found.length === 0) return [];
    const everybody = subjects.filter((subject) => isEverything(subject.pods));
    const letIn = profile.hostNetworkPeers === "namespace" ? found.filter((pod) => everybody.some((one) => isIn(pod, one))) : [];
    return [noteOf(segment, cluster, found, letIn)];
  });
}

function noteOf(segment: Segment, cluster: Cluster, found: readonly Pod[], letIn: readonly Pod[]): Note {
  const at = segment.members[0]?.at ?? segment.at;
  const where = `segment ${segment.name} in cluster ${cluster.name}`;
  if (letIn.length > 0) {
    return {
      severity: "info",
      code: "widened-here",
      at,
      summary: `${where}: where it is a peer, ${named(letIn)} on the host network are let in with it (widened here)`,
      detail: "This enforcer knows pods on the host network by their namespace, and the segment is all pods of it.",
    };
  }
  return {
    severity: "warning",
    code: "host-network-pod",
    at,
    summary: `${where}: ${named(found)} on the host network can be neither isolated nor allowed by label`,
    detail: "Such a pod is its node. Add the node's address to a segment (addresses, or hosts) if it is meant.",
  };
}

/** Up to five names, and how many more. */
function named(pods: readonly Pod[]): string {
  const names = pods.map(({ namespace, name }) => `${namespace}/${name}`).sort();
  const shown = names.slice(0, 5).join(", ");
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}

function isEverything({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean {
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
}
