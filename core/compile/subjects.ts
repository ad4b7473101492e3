import type { Namespace } from "../membership/inventory.ts";
import { compareText } from "../membership/order.ts";
import { namespaceLabels } from "../membership/select.ts";
import type { Cluster } from "../model/kinds.ts";
import { canonicalSelector, conjunction, matches, selectorKey } from "../selector/index.ts";
import type { Labels, LabelSelector } from "../selector/index.ts";

/** Pods that one member, or two members at once, select. */
export interface Subject {
  readonly pods: LabelSelector;
  readonly namespaces: LabelSelector;
}

/** The namespaces of a cluster that we write to, with their labels, sorted by name. */
export interface GovernedNamespace {
  readonly name: string;
  readonly labels: Labels;
}

/** The namespaces that the cluster's `governs` selects now, sorted by name. */
export function governedNamespaces(cluster: Cluster, namespaces: readonly Namespace[]): readonly GovernedNamespace[] {
  return namespaces
    .map((namespace) => ({ name: namespace.name, labels: namespaceLabels(namespace) }))
    .filter((namespace) => matches(cluster.governs, namespace.labels))
    .sort((a, b) => compareText(a.name, b.name));
}

/** The subjects in both: every pair's conjunction, without those that provably select nothing. */
export function intersectSubjects(a: readonly Subject[], b: readonly Subject[]): readonly Subject[] {
  const subjects: Subject[] = [];
  for (const one of a) {
    for (const other of b) {
      const pods = conjunction(one.pods, other.pods);
      const namespaces = conjunction(one.namespaces, other.namespaces);
      if (pods !== "none" && namespaces !== "none") subjects.push({ pods, namespaces });
    }
  }
  return subjects;
}

/** Per governed namespace the distinct pod selectors of the subjects that match it; equal selectors of two members are one. */
export function placeSubjects(
  subjects: readonly Subject[],
  governed: readonly GovernedNamespace[],
): readonly { readonly namespace: string; readonly pods: LabelSelector }[] {
  const canonical = subjects.map(({ pods, namespaces }) => ({ key: selectorKey(pods), pods: canonicalSelector(pods), namespaces }));
  return governed.flatMap((namespace) => {
    const distinct = new Map<string, LabelSelector>();
    for (const subject of canonical) if (matches(subject.namespaces, namespace.labels)) distinct.set(subject.key, subject.pods);
    return [...distinct].sort(([a], [b]) => compareText(a, b)).map(([, pods]) => ({ namespace: namespace.name, pods }));
  });
}
