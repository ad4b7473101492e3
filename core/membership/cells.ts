import { BUILT_IN_SEGMENTS, type Definitions } from "../model/kinds.ts";
import type { Labels } from "../selector/index.ts";
import type { Pod } from "./inventory.ts";
import { sortedTexts } from "./order.ts";

/**
 * Cells: the parts of a segment whose workloads agree on some labels. A rule with `same` counts only between equal cells of its two
 * ends, so memberships hold addresses per cell, and a cluster needs to know which values there are.
 */

/** For each segment at an end of a rule with `same`, the sorted lists of label keys that such rules compare. */
export function cellsBySegment(definitions: Definitions): ReadonlyMap<string, readonly (readonly string[])[]> {
  const cells = new Map<string, Map<string, readonly string[]>>();
  for (const policy of definitions.policies.values()) {
    for (const { from, to, same } of policy.rules) {
      if (same.length === 0) continue;
      const keys = sortedTexts(same);
      for (const name of [...from, ...to]) {
        if (BUILT_IN.has(name)) continue;
        const known = cells.get(name) ?? new Map<string, readonly string[]>();
        cells.set(name, known.set(keys.join("\n"), keys));
      }
    }
  }
  return new Map([...cells].map(([name, lists]) => [name, [...lists.values()]]));
}

/** The label keys that rules compare, sorted. */
export function sameKeys(definitions: Definitions): readonly string[] {
  return sortedTexts([...definitions.policies.values()].flatMap(({ rules }) => rules.flatMap(({ same }) => same)));
}

/**
 * For each label key that rules compare, the values present on pods of a cluster, sorted; pods on the host network are neither
 * subject nor peer and do not count. What a cluster's rendering of `same` rests on: a new value is a plan.
 */
export function sameValuesIn(definitions: Definitions, pods: readonly Pod[]): ReadonlyMap<string, readonly string[]> {
  const keys = sameKeys(definitions);
  return new Map(
    keys.map((key) => [key, sortedTexts(pods.flatMap((pod) => (pod.hostNetwork ? [] : (labelOf(pod.labels, key) ?? []))))]),
  );
}

/** The values of these labels, or undefined when one is missing: a missing label equals nothing. */
export function cellValues(keys: readonly string[], labels: Labels): Labels | undefined {
  const values: Record<string, string> = {};
  for (const key of keys) {
    const value = labelOf(labels, key);
    if (value === undefined) return undefined;
    values[key] = value;
  }
  return values;
}

function labelOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

const BUILT_IN: ReadonlySet<string> = new Set(BUILT_IN_SEGMENTS);
