import { FirebreakError } from "../ground/error.ts";
import type { LabelSelector, SelectorRequirement } from "./selector.ts";

/**
 * What a selector asks of one key.
 *
 * `absent`: the key must be missing. `oneOf`: it must have one of these values (null: no such list). `noneOf`: it must not have
 * these. `present`: it must be there. A demand can contradict itself: see `isContradiction`.
 */
interface KeyDemand {
  absent: boolean;
  present: boolean;
  oneOf: ReadonlySet<string> | null;
  readonly noneOf: Set<string>;
}

/**
 * One selector that matches exactly what both match, or "none" when that is provably nothing (one key, two values; Exists and
 * DoesNotExist; an In without a value left). Labels are free text, so any selector without such a contradiction can match
 * something, and "none" is said in exactly those cases. The result is canonical.
 */
export function conjunction(a: LabelSelector, b: LabelSelector): LabelSelector | "none" {
  const demands = demandsOf([a, b]);
  if ([...demands.values()].some(isContradiction)) return "none";
  return writeDemands(demands);
}

/** True when whatever the first matches, the second does, too. Exact: no labels are left out of it. */
export function isWithin(part: LabelSelector, whole: LabelSelector): boolean {
  const both = conjunction(part, whole);
  return both === "none" ? isUnsatisfiable(part) : JSON.stringify(both) === selectorKey(part);
}

/** True when no labels at all can match. */
export function isUnsatisfiable(selector: LabelSelector): boolean {
  return [...demandsOf([selector]).values()].some(isContradiction);
}

/**
 * The one normal form of a selector: sorted, deduplicated, In with one value as matchLabels, redundant requirements dropped.
 *
 * Two selectors match the same objects exactly when their canonical forms have the same JSON text (all that can match nothing
 * share one form: a key that must be both there and missing).
 */
export function canonicalSelector(selector: LabelSelector): LabelSelector {
  const demands = demandsOf([selector]);
  if ([...demands.values()].some(isContradiction)) return MATCHES_NOTHING;
  return writeDemands(demands);
}

/** Canonical text of a selector, for equality, grouping and maps. */
export function selectorKey(selector: LabelSelector): string {
  return JSON.stringify(canonicalSelector(selector));
}

/** The canonical selector that no object matches, in a form the Kubernetes API accepts. */
export const MATCHES_NOTHING: LabelSelector = {
  matchExpressions: [
    { key: "firebreak.dev/nothing", operator: "DoesNotExist" },
    { key: "firebreak.dev/nothing", operator: "Exists" },
  ],
};

/** For people, as kubectl writes it: `app=web, tier in (a, b), !legacy`; `all` for the empty selector. */
export function formatSelector(selector: LabelSelector): string {
  const labels = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const words = [...labels, ...(selector.matchExpressions ?? []).map(formatRequirement)];
  return words.length === 0 ? "all" : words.join(", ");
}

function formatRequirement({ key, operator, values = [] }: SelectorRequirement): string {
  switch (operator) {
    case "In":
      return `${key} in (${values.join(", ")})`;
    case "NotIn":
      return `${key} not in (${values.join(", ")})`;
    case "Exists":
      return key;
    case "DoesNotExist":
      return `!${key}`;
    default:
      return `${key} ${String(operator)}`;
  }
}

function demandsOf(selectors: readonly LabelSelector[]): Map<string, KeyDemand> {
  const demands = new Map<string, KeyDemand>();
  for (const selector of selectors) {
    for (const [key, value] of Object.entries(selector.matchLabels ?? {})) restrict(demandFor(demands, key), [value]);
    for (const requirement of selector.matchExpressions ?? []) addRequirement(demandFor(demands, requirement.key), requirement);
  }
  return demands;
}

function demandFor(demands: Map<string, KeyDemand>, key: string): KeyDemand {
  const known = demands.get(key);
  if (known !== undefined) return known;
  const fresh: KeyDemand = { absent: false, present: false, oneOf: null, noneOf: new Set() };
  demands.set(key, fresh);
  return fresh;
}

function addRequirement(demand: KeyDemand, { operator, values = [] }: SelectorRequirement): void {
  switch (operator) {
    case "In":
      restrict(demand, values);
      return;
    case "NotIn":
      for (const value of values) demand.noneOf.add(value);
      return;
    case "Exists":
      demand.present = true;
      return;
    case "DoesNotExist":
      demand.absent = true;
      return;
    default:
      throw new FirebreakError("DEFINITION_INVALID", `read a selector with the operator ${String(operator)}`);
  }
}

function restrict(demand: KeyDemand, values: readonly string[]): void {
  const given = new Set(values);
  demand.present = true;
  demand.oneOf = demand.oneOf === null ? given : new Set([...demand.oneOf].filter((value) => given.has(value)));
}

function isContradiction(demand: KeyDemand): boolean {
  if (demand.absent && demand.present) return true;
  return demand.oneOf !== null && valuesLeft(demand).length === 0;
}

/** The values of the In list that no NotIn takes away, sorted. */
function valuesLeft(demand: KeyDemand): string[] {
  return [...(demand.oneOf ?? [])].filter((value) => !demand.noneOf.has(value)).sort(compareText);
}

function writeDemands(demands: ReadonlyMap<string, KeyDemand>): LabelSelector {
  const matchLabels: [string, string][] = [];
  const matchExpressions: SelectorRequirement[] = [];
  for (const [key, demand] of [...demands].sort(([a], [b]) => compareText(a, b))) {
    const [only, ...more] = valuesLeft(demand);
    const noneOf = [...demand.noneOf].sort(compareText);
    if (only !== undefined && more.length === 0) matchLabels.push([key, only]);
    else if (only !== undefined) matchExpressions.push({ key, operator: "In", values: [only, ...more] });
    else if (demand.absent) matchExpressions.push({ key, operator: "DoesNotExist" });
    else {
      if (demand.present) matchExpressions.push({ key, operator: "Exists" });
      if (noneOf.length > 0) matchExpressions.push({ key, operator: "NotIn", values: noneOf });
    }
  }
  return {
    ...(matchLabels.length > 0 ? { matchLabels: Object.fromEntries(matchLabels) } : {}),
    ...(matchExpressions.length > 0 ? { matchExpressions } : {}),
  };
}

/** By UTF-16 code unit: the same on every machine, unlike a locale. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
