import type { Labels, LabelSelector } from "../selector/index.ts";

/**
 * Which of some labelled things a selector can match at all, without asking each.
 *
 * Every `matchLabels` entry, `In` and `Exists` names things by a posting list; the shortest list is returned, to be checked in full.
 */
export interface LabelIndex {
  /** Positions that may match, ascending; every position when the selector demands no label. */
  readonly candidates: (selector: LabelSelector) => readonly number[];
}

/** An index over labels by position; an undefined entry is never a candidate. */
export function indexLabels(labels: readonly (Labels | undefined)[]): LabelIndex {
  const all: number[] = [];
  const byKey = new Map<string, number[]>();
  const byPair = new Map<string, number[]>();
  for (const [position, entry] of labels.entries()) {
    if (entry === undefined) continue;
    all.push(position);
    for (const key of Object.keys(entry)) {
      append(byKey, key, position);
      append(byPair, pairKey(key, entry[key] ?? ""), position);
    }
  }
  const lists = (selector: LabelSelector): readonly (readonly number[])[] => {
    const found: (readonly number[])[] = [];
    for (const [key, value] of Object.entries(selector.matchLabels ?? {})) found.push(byPair.get(pairKey(key, value)) ?? []);
    for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
      if (operator === "Exists") found.push(byKey.get(key) ?? []);
      if (operator === "In") found.push([...new Set(values)].flatMap((value) => byPair.get(pairKey(key, value)) ?? []));
    }
    return found;
  };
  return {
    candidates: (selector) => lists(selector).reduce((best, list) => (list.length < best.length ? list : best), all),
  };
}

function pairKey(key: string, value: string): string {
  return `${key}\u0000${value}`;
}

function append(lists: Map<string, number[]>, key: string, position: number): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [position]);
  else list.push(position);
}
