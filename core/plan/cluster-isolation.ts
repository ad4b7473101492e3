import type { Pod } from "../membership/inventory.ts";
import { groupPods } from "../membership/select.ts";
import type { Direction } from "../model/kinds.ts";
import type { NetworkPolicy } from "../render/networkpolicy-types.ts";
import { matches } from "../selector/index.ts";
import type { Labels } from "../selector/index.ts";
import { isolatedDirections } from "./defaulting.ts";

/** Pods that no policy can tell apart as subjects: one namespace, equal labels. `id` is its index. */
interface SubjectGroup {
  readonly id: number;
  readonly labels: Labels;
}

/** Answers which pods policies select, for the transition from one set of objects to another. */
export interface Isolation {
  /** Ids of the pod groups that an object selects, whatever its direction. Remembered per object. */
  groupsOf(object: NetworkPolicy): ReadonlySet<number>;
  /** Ids of all groups that one of the objects isolates in the direction. */
  isolated(objects: Iterable<NetworkPolicy>, direction: Direction): ReadonlySet<number>;
  /** Number of pods in the groups. */
  countPods(groups: Iterable<number>): number;
}

/** hostNetwork pods are left out: no policy selects them. Nothing is grouped before the first question, which most plans do not ask. */
export function isolationOf(pods: readonly Pod[]): Isolation {
  let known: Subjects | undefined;
  const subjects = (): Subjects => (known ??= groupSubjects(pods));
  const cache = new Map<NetworkPolicy, ReadonlySet<number>>();
  const groupsOf = (object: NetworkPolicy): ReadonlySet<number> => {
    const answer = cache.get(object);
    if (answer !== undefined) return answer;
    const selector = object.spec.podSelector ?? {};
    const groups = (subjects().byNamespace.get(object.metadata.namespace) ?? []).filter((group) => matches(selector, group.labels));
    const ids = new Set(groups.map(({ id }) => id));
    cache.set(object, ids);
    return ids;
  };
  return {
    groupsOf,
    isolated(objects, direction) {
      const ids = new Set<number>();
      for (const object of objects) {
        if (!isolatedDirections(object.spec).includes(direction)) continue;
        for (const id of groupsOf(object)) ids.add(id);
      }
      return ids;
    },
    countPods(groups) {
      let total = 0;
      for (const id of groups) total += subjects().sizes[id] ?? 0;
      return total;
    },
  };
}

interface Subjects {
  readonly byNamespace: ReadonlyMap<string, readonly SubjectGroup[]>;
  readonly sizes: readonly number[];
}

function groupSubjects(pods: readonly Pod[]): Subjects {
  const byNamespace = new Map<string, SubjectGroup[]>();
  const sizes: number[] = [];
  const subjects = pods.filter((pod) => !pod.hostNetwork);
  groupPods([], subjects).forEach((group, id) => {
    const list = byNamespace.get(group.namespace.name) ?? [];
    byNamespace.set(group.namespace.name, list);
    list.push({ id, labels: group.labels });
    sizes.push(group.pods.length);
  });
  return { byNamespace, sizes };
}
