import { BUILT_IN_SEGMENTS, type Definitions } from "../model/kinds.ts";
import type { Labels } from "../selector/index.ts";
import { compareText, sortedTexts } from "./order.ts";

/**
 * Cells: the parts of a segment whose workloads agree on some labels. A rule with `same` counts only between equal cells of its two
 * ends, so memberships hold addresses per cell, and a cluster needs to know which cells its pods are in.
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

/** The cells of one segment that pods of a cluster are in, by the labels of one list of keys. Plain JSON. */
export interface PresentCells {
  /** Values in the order of the keys; first those that every namespace may have, see {@link fairCells}. */
  readonly cells: readonly (readonly string[])[];
  /** False: there are more, and these are the first {@link MAX_PRESENT}. */
  readonly isWhole: boolean;
}

/** By {@link cellList}. What a cluster's rendering of `same` rests on: a new cell is a plan. */
export type PresentCellsByList = Readonly<Record<string, PresentCells>>;

/** Cells of one list that are told. A tenant may give each of his pods another label value. */
export const MAX_PRESENT = 2048;

/** The list of cells of a segment by these label keys, sorted. */
export function cellList(segment: string, keys: readonly string[]): string {
  return `${segment}?${keys.map(encodeURIComponent).join("&")}`;
}

/** Values of a cell as one text, and back: what cells are counted and compared by. */
export function cellText(keys: readonly string[], values: Labels): string {
  return JSON.stringify(keys.map((key) => values[key] ?? ""));
}

/**
 * The cells in an order in which no namespace comes before another with all that it has: the first of each, then the second of each.
 * So a namespace with a thousand values takes nothing from one with three, whatever is cut off at the end.
 *
 * @param byNamespace cells as {@link cellText} of the pods of each namespace
 */
export function fairCells(byNamespace: Iterable<Iterable<string>>): PresentCells {
  const ranks = new Map<string, number>();
  for (const texts of byNamespace) {
    for (const [rank, text] of sortedTexts([...texts]).entries()) ranks.set(text, Math.min(rank, ranks.get(text) ?? rank));
  }
  const sorted = [...ranks].sort(([a, rankA], [b, rankB]) => rankA - rankB || compareText(a, b)).map(([text]) => text);
  const cells = sorted.slice(0, MAX_PRESENT).map((text) => JSON.parse(text) as string[]); // written by `cellText`
  return { cells, isWhole: sorted.length <= MAX_PRESENT };
}

function labelOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

const BUILT_IN: ReadonlySet<string> = new Set(BUILT_IN_SEGMENTS);
