import type { Namespace } from "../membership/inventory.ts";
import { compareText } from "../membership/order.ts";
import { namespaceLabels } from "../membership/select.ts";
import type { Subject } from "../membership/subject.ts";
import type { Cluster } from "../model/kinds.ts";
import { canonicalSelector, conjunction, matches } from "../selector/index.ts";
import type { Labels, LabelSelector } from "../selector/index.ts";

/** The namespaces of a cluster that we write to, with their labels, sorted by name. */
export interface GovernedNamespace {
  readonly name: string;
  readonly labels: Labels;
}

/** A pod selector in the one form in which equal ones have equal text. */
export interface CanonicalSelector {
  readonly key: string;
  readonly selector: LabelSelector;
}

const canonical = new WeakMap<LabelSelector, CanonicalSelector>();

/** The canonical form of a selector, remembered: every rule that names a segment asks for it. */
export function canonicalOf(selector: LabelSelector): CanonicalSelector {
  const known = canonical.get(selector);
  if (known !== undefined) return known;
  const form = canonicalSelector(selector);
  const made = { key: JSON.stringify(form), selector: form };
  canonical.set(selector, made);
  return made;
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

/** The part of the subjects whose pods have these label values; all of them when there are none. */
export function narrowSubjects(subjects: readonly Subject[], values: Labels): readonly Subject[] {
  if (Object.keys(values).length === 0) return subjects;
  return intersectSubjects(subjects, [{ pods: { matchLabels: values }, namespaces: {} }]);
}

/** A pod selector in one namespace. */
export interface Placement {
  readonly namespace: string;
  readonly pods: LabelSelector;
}

/** Places subjects in the governed namespaces of a cluster. Which of them a selector matches is asked once. */
export class Placer {
  readonly #governed: readonly GovernedNamespace[];
  readonly #matching = new Map<string, readonly GovernedNamespace[]>();

  constructor(governed: readonly GovernedNamespace[]) {
    this.#governed = governed;
  }

  /** Per governed namespace the distinct pod selectors of the subjects that match it; equal selectors of two members are one. */
  place(subjects: readonly Subject[]): readonly Placement[] {
    const [only] = subjects;
    if (only !== undefined && subjects.length === 1) {
      const { selector } = canonicalOf(only.pods);
      return this.#matchedBy(only.namespaces).map(({ name }) => ({ namespace: name, pods: selector }));
    }
    const byNamespace = new Map<string, Map<string, LabelSelector>>();
    for (const { pods, namespaces } of subjects) {
      const { key, selector } = canonicalOf(pods);
      for (const { name } of this.#matchedBy(namespaces)) {
        const distinct = byNamespace.get(name) ?? new Map<string, LabelSelector>();
        byNamespace.set(name, distinct.set(key, selector));
      }
    }
    return [...byNamespace].flatMap(([namespace, distinct]) =>
      [...distinct].sort(([a], [b]) => compareText(a, b)).map(([, pods]) => ({ namespace, pods })),
    );
  }

  #matchedBy(namespaces: LabelSelector): readonly GovernedNamespace[] {
    const { key } = canonicalOf(namespaces);
    const known = this.#matching.get(key);
    if (known !== undefined) return known;
    const matching = this.#governed.filter(({ labels }) => matches(namespaces, labels));
    this.#matching.set(key, matching);
    return matching;
  }
}
