import { sortedTexts } from "../membership/order.ts";
import type { Rule } from "../model/kinds.ts";
import type { Note } from "../model/note.ts";
import type { Labels } from "../selector/index.ts";

/** Workloads with the same values of the labels that a rule compares. */
export interface Cell {
  /** Empty for a rule without `same`: everybody. */
  readonly values: Labels;
  /** `color=blue, site=a`; empty likewise. */
  readonly text: string;
}

/** More combinations of label values than this are refused: each is one object in every namespace. */
const MAX_CELLS = 512;

const EVERYBODY: Cell = { values: {}, text: "" };

/** One cell per combination of values that pods of the target have; none where a label is on no pod. */
export function cellsOf(
  rule: Rule,
  sameValues: ReadonlyMap<string, readonly string[]>,
  target: string,
): { readonly cells: readonly Cell[]; readonly problem: Note | undefined } {
  if (rule.same.length === 0) return { cells: [EVERYBODY], problem: undefined };
  const keys = sortedTexts(rule.same);
  const absent = keys.filter((key) => (sameValues.get(key) ?? []).length === 0);
  if (absent.length > 0) return { cells: [], problem: absentNote(rule, absent, target) };
  const count = keys.reduce((product, key) => product * (sameValues.get(key)?.length ?? 0), 1);
  if (count > MAX_CELLS) return { cells: [], problem: tooManyNote(rule, count, target) };
  const combinations = keys.reduce<readonly Labels[]>(
    (partial, key) => partial.flatMap((values) => (sameValues.get(key) ?? []).map((value) => ({ ...values, [key]: value }))),
    [{}],
  );
  return { cells: combinations.map((values) => ({ values, text: wordsOf(values) })), problem: undefined };
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
    summary: `rule ${rule.id}: no pod of ${target} has the label ${keys.join(", ")} now`,
    detail: "A missing label equals nothing. The rule is rendered there as soon as a pod has it.",
  };
}

function tooManyNote(rule: Rule, count: number, target: string): Note {
  return {
    severity: "error",
    code: "same-too-many",
    at: rule.at,
    summary: `rule ${rule.id}: the labels it compares have ${count} combinations of values on pods of ${target}, more than ${MAX_CELLS}`,
    detail: "It is left out there, so it allows nothing. Compare fewer labels.",
  };
}
