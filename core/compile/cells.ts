import { cellList, cellText, type PresentCells, type PresentCellsByList } from "../membership/cells.ts";
import { sortedTexts } from "../membership/order.ts";
import type { Rule } from "../model/kinds.ts";
import type { Note } from "../model/note.ts";
import type { Labels } from "../selector/index.ts";
import type { CutCells } from "./want.ts";

/** Workloads with the same values of the labels that a rule compares. */
export interface Cell {
  /** Empty for a rule without `same`: everybody. */
  readonly values: Labels;
  /** `color=blue, site=a`; empty likewise. */
  readonly text: string;
}

/** A cell that pods at the rule's own end are in. */
export interface SubjectCell extends Cell {
  /** True when pods of the same cluster are in it at the other end, too. */
  readonly isMet: boolean;
}

/** More cells than this are not rendered: each is one object in every namespace. */
export const MAX_CELLS = 512;

const EVERYBODY: SubjectCell = { values: {}, text: "", isMet: true };

/**
 * The cells that pods of these segments are in, those of each namespace early in the list. A value that only pods elsewhere have, in no
 * segment of the rule, makes none.
 */
export function cellsOf(
  rule: Rule,
  present: PresentCellsByList,
  ends: { readonly subjects: readonly string[]; readonly peers: readonly string[] },
  target: string,
): { readonly cells: readonly SubjectCell[]; readonly isWhole: boolean; readonly problem: Note | undefined } {
  if (rule.same.length === 0) return { cells: [EVERYBODY], isWhole: true, problem: undefined };
  const keys = sortedTexts(rule.same);
  const listsOf = (names: readonly string[]): readonly PresentCells[] =>
    names.flatMap((name) => present[cellList(name, keys)] ?? []);
  const [subjects, peers] = [listsOf(ends.subjects), listsOf(ends.peers)];
  const cells = new Map<string, SubjectCell>();
  const met = new Set(peers.flatMap((list) => list.cells.map((values) => JSON.stringify(values))));
  // Place by place over all lists: none of them comes before another with all that it has.
  const longest = Math.max(0, ...subjects.map((list) => list.cells.length));
  for (let place = 0; place < longest; place += 1) {
    for (const list of subjects) {
      const tuple = list.cells[place];
      if (tuple === undefined) continue;
      const values = Object.fromEntries(keys.map((key, index) => [key, tuple[index] ?? ""]));
      cells.set(JSON.stringify(tuple), { values, text: wordsOf(values), isMet: met.has(JSON.stringify(tuple)) });
    }
  }
  const isWhole = [...subjects, ...peers].every((list) => list.isWhole);
  const problem = cells.size === 0 ? absentNote(rule, keys, target) : undefined;
  return { cells: [...cells.values()], isWhole, problem };
}

/** What is left of the cells that somebody is in at both ends, and what that leaves out. */
export function cutCells<Kind extends Cell>(
  rule: Rule,
  cells: readonly Kind[],
  isWhole: boolean,
  target: string,
): { readonly kept: readonly Kind[]; readonly cut: CutCells | undefined; readonly problem: Note | undefined } {
  if (isWhole && cells.length <= MAX_CELLS) return { kept: cells, cut: undefined, problem: undefined };
  const kept = cells.slice(0, MAX_CELLS);
  const keys = sortedTexts(rule.same);
  const cut = { keys, kept: kept.map(({ values }) => cellText(keys, values)) };
  return { kept, cut, problem: tooManyNote(rule, kept.length, target) };
}

function wordsOf(values: Labels): string {
  return Object.entries(values)
    .map(([key, value]) => `${key}=${value}`)
    .join(", ");
}

function absentNote(rule: Rule, keys: readonly string[], target: string): Note {
  return {
    severity: "info",
    code: "matches-nothing",
    at: rule.at,
    summary: `rule ${rule.id}: no pod of ${target} that it is about has the label ${keys.join(", ")} now`,
    detail: "A missing label equals nothing. The rule is rendered there as soon as such a pod has it.",
  };
}

function tooManyNote(rule: Rule, kept: number, target: string): Note {
  return {
    severity: "warning",
    code: "same-too-many",
    at: rule.at,
    summary: `rule ${rule.id}: the labels it compares have too many combinations of values on pods of ${target}; ${kept} are allowed`,
    detail: "The first of every namespace are kept; workloads with other values are allowed nothing by it. Compare fewer labels.",
  };
}
