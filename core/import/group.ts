import { NAMESPACE_NAME_LABEL } from "../membership/select.ts";
import { conjunction, isImplied, isUnsatisfiable, matches, selectorKey, type LabelSelector } from "../selector/index.ts";
import { livePods, namespaceLabels, type World, type WorldPod } from "../verdict/world.ts";

/** Pods as a NetworkPolicy chooses them: by labels, in namespaces by labels. */
export interface Group {
  readonly namespaces: LabelSelector;
  readonly pods: LabelSelector;
}

/** Equal for groups that choose the same pods by the same labels. */
export function groupKey({ namespaces, pods }: Group): string {
  return `${selectorKey(namespaces)} ${selectorKey(pods)}`;
}

/** The pods of one namespace that a selector matches. */
export function inNamespace(name: string, pods: LabelSelector): Group {
  return { namespaces: { matchLabels: { [NAMESPACE_NAME_LABEL]: name } }, pods };
}

/** Items by the pods of their groups. */
export interface MeetingIndex<Item> {
  readonly items: readonly Item[];
  readonly groupOf: (item: Item) => Group;
  readonly byPod: ReadonlyMap<WorldPod, readonly Item[]>;
  /** Those whose groups have no pod yet: their selectors are asked. */
  readonly withoutPods: readonly Item[];
  readonly order: (item: Item) => number;
}

/** Answers about groups on the pods of one cluster. */
export class Pods {
  readonly #pods: readonly WorldPod[];
  readonly #byNamespace: ReadonlyMap<string, readonly WorldPod[]>;
  readonly #labels: ReturnType<typeof namespaceLabels>;
  readonly #members = new Map<string, ReadonlySet<WorldPod>>();

  constructor(world: World) {
    // Policies neither select nor see pods of the host's network.
    this.#pods = livePods(world.pods).filter(({ hostNetwork }) => hostNetwork !== true);
    this.#byNamespace = Map.groupBy(this.#pods, ({ namespace }) => namespace);
    this.#labels = namespaceLabels(world);
  }

  /** The pods of a group that are there now. */
  of(group: Group): ReadonlySet<WorldPod> {
    const key = groupKey(group);
    const known = this.#members.get(key);
    if (known !== undefined) return known;
    const name = group.namespaces.matchLabels?.[NAMESPACE_NAME_LABEL];
    const asked = name === undefined ? this.#pods : (this.#byNamespace.get(name) ?? []);
    const members = new Set(
      asked.filter(
        ({ namespace, labels }) => matches(group.pods, labels) && matches(group.namespaces, this.#labels.get(namespace) ?? {}),
      ),
    );
    this.#members.set(key, members);
    return members;
  }

  /** Those of the items whose groups a group may meet, in their order: by the pods that are there, so that not all are asked. */
  meeting<Item>(group: Group, index: MeetingIndex<Item>): readonly Item[] {
    const members = this.of(group);
    if (members.size === 0) return index.items.filter((item) => this.meet(group, index.groupOf(item)));
    const met = new Set(index.withoutPods.filter((item) => this.meet(group, index.groupOf(item))));
    for (const pod of members) for (const item of index.byPod.get(pod) ?? []) met.add(item);
    return [...met].toSorted((a, b) => index.order(a) - index.order(b));
  }

  /** An index of items by the pods of their groups. */
  index<Item>(items: readonly Item[], groupOf: (item: Item) => Group): MeetingIndex<Item> {
    const byPod = new Map<WorldPod, Item[]>();
    const withoutPods: Item[] = [];
    for (const item of items) {
      const members = this.of(groupOf(item));
      if (members.size === 0) withoutPods.push(item);
      for (const pod of members) {
        const known = byPod.get(pod);
        if (known === undefined) byPod.set(pod, [item]);
        else known.push(item);
      }
    }
    const places = new Map(items.map((item, place) => [item, place]));
    return { items, groupOf, byPod, withoutPods, order: (item) => places.get(item) ?? 0 };
  }

  /** True when a pod is in both; where one of them has no pod yet, when a pod could be. */
  meet(a: Group, b: Group): boolean {
    const [first, second] = [this.of(a), this.of(b)];
    if (first.size > 0 && second.size > 0) return [...first].some((pod) => second.has(pod));
    return both(a, b) !== undefined;
  }

  /** What is in both: the narrower one where its selectors hold the other's, else the labels of both together. */
  intersect(a: Group, b: Group): Group | undefined {
    if (!this.meet(a, b)) return undefined;
    if (isWithin(a, b)) return a;
    return isWithin(b, a) ? b : both(a, b);
  }
}

/** True when every pod that the first can ever choose is one of the other: by the selectors, not by the pods of today. */
export function isWithin(group: Group, other: Group): boolean {
  return isImplied(group.namespaces, other.namespaces) && isImplied(group.pods, other.pods);
}

/** The group whose pods are in both; undefined when no labels can be in both. */
function both(a: Group, b: Group): Group | undefined {
  const [namespaces, pods] = [conjunction(a.namespaces, b.namespaces), conjunction(a.pods, b.pods)];
  return namespaces === "none" || pods === "none" ? undefined : { namespaces, pods };
}

/** True for a group that no pod can be in. */
export function isNobody({ namespaces, pods }: Group): boolean {
  return isUnsatisfiable(namespaces) || isUnsatisfiable(pods);
}
