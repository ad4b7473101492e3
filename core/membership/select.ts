import type { Labels } from "../selector/index.ts";
import type { Namespace, Pod } from "./inventory.ts";

/** The label that names a namespace; the API server sets it and nobody can forge it (docs/design/networkpolicy.md 3). */
export const NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name";

/** Labels of a namespace, with its name label whatever the object says. */
export function namespaceLabels(namespace: Namespace): Labels {
  return { ...namespace.labels, [NAMESPACE_NAME_LABEL]: namespace.shownAs ?? namespace.name };
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
