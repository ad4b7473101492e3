import type { Cluster, Definitions } from "../model/kinds.ts";
import { cellList, cellsBySegment, cellText, cellValues, fairCells, type PresentCells, type PresentCellsByList } from "./cells.ts";
import { podsBySegment } from "./compute.ts";
import type { ClusterInventory } from "./inventory.ts";

/**
 * For each segment at an end of a rule with `same` and each list of labels that such rules compare, the cells that its pods are in.
 * Pods in no such segment do not count, whatever labels they have; nor do those on the host network, which are neither subject nor
 * peer. Pending ones do: they are allowed from birth.
 */
export function presentCells(definitions: Definitions, cluster: Cluster, inventory: ClusterInventory): PresentCellsByList {
  const compared = cellsBySegment(definitions);
  if (compared.size === 0) return {};
  const lists: (readonly [string, PresentCells])[] = [];
  for (const [segment, pods] of podsBySegment(definitions, cluster, inventory, [...compared.keys()])) {
    for (const keys of compared.get(segment) ?? []) {
      const byNamespace = new Map<string, Set<string>>();
      for (const pod of pods) {
        const values = pod.hostNetwork ? undefined : cellValues(keys, pod.labels);
        if (values === undefined) continue;
        const texts = byNamespace.get(pod.namespace) ?? new Set();
        byNamespace.set(pod.namespace, texts.add(cellText(keys, values)));
      }
      if (byNamespace.size > 0) lists.push([cellList(segment, keys), fairCells(byNamespace.values())]);
    }
  }
  return Object.fromEntries(lists.sort(([a], [b]) => (a < b ? -1 : 1)));
}
