import type { Definitions, Member } from "../model/kinds.ts";
import { canonicalSelector, isUnsatisfiable, matches, type LabelSelector, type Labels } from "../selector/index.ts";

/** More variants of one member than this are not made up. */
const MAX_VARIANTS = 16;
/** Values that are made up for a label that nothing says any value of. */
const MADE_UP = ["one", "two"] as const;

/** One selector for each value of a key that lists several, the others at their first: each variant chooses less, all lie in the selector. */
export function variantsOf(selector: LabelSelector): readonly LabelSelector[] {
  return labelVariants(selector, [], new Map()).map((labels) => ({
    ...selector,
    matchLabels: labels,
  }));
}

/**
 * Sets of labels that the selector matches: the simplest one, then one for each other value of a key that lists several, and for each
 * key of `same` that it leaves open one for each known value. Empty when nothing can match.
 */
export function labelVariants(
  selector: LabelSelector,
  sameKeys: readonly string[],
  values: ReadonlyMap<string, readonly string[]>,
): readonly Labels[] {
  if (isUnsatisfiable(selector)) return [];
  const { matchLabels = {}, matchExpressions = [] } = canonicalSelector(selector);
  const base: Record<string, string> = { ...matchLabels };
  const choices = new Map<string, readonly string[]>();
  for (const { key, operator, values: listed = [] } of matchExpressions) {
    if (operator === "In") choices.set(key, listed);
    if (operator === "Exists") choices.set(key, values.get(key) ?? MADE_UP.slice(0, 1));
  }
  for (const [key, listed] of choices) base[key] = firstMatching(selector, base, key, listed);
  for (const key of sameKeys) if (!Object.hasOwn(base, key)) choices.set(key, values.get(key) ?? MADE_UP);
  const variants = [...choices].flatMap(([key, listed]) => listed.map((value): Labels => ({ ...base, [key]: value })));
  const distinct = new Map(
    [base, ...variants].map((labels) => [
      JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))),
      labels,
    ]),
  );
  return [...distinct.values()].filter((labels) => matches(selector, labels)).slice(0, MAX_VARIANTS);
}

/** The first of the values that the selector takes, made up when none of the known ones will do. */
function firstMatching(selector: LabelSelector, labels: Labels, key: string, values: readonly string[]): string {
  const only = (selector.matchExpressions ?? []).filter((requirement) => requirement.key === key);
  const candidates = [...values, ...MADE_UP, "three", "four"];
  return candidates.find((value) => matches({ matchExpressions: only }, { ...labels, [key]: value })) ?? MADE_UP[0];
}

/** Keys of `same`, of rules and guardrails, sorted. */
export function sameKeysOf({ policies, guardrails }: Definitions): readonly string[] {
  const rules = [
    ...[...policies.values()].flatMap(({ rules: list }) => list),
    ...[...guardrails.values()].flatMap(({ rules: list }) => list),
  ];
  return [...new Set(rules.flatMap(({ same }) => same))].sort();
}

/** Values that selectors and hosts give to labels, by key, sorted. */
export function valuesOf({ segments, fleets }: Definitions): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, Set<string>>();
  const note = (key: string, value: string): void => {
    values.set(key, (values.get(key) ?? new Set()).add(value));
  };
  for (const { members, not } of segments.values()) {
    for (const selector of [...members, ...not].flatMap(selectorsOf)) {
      for (const [key, value] of Object.entries(selector.matchLabels ?? {})) note(key, value);
      for (const { key, operator, values: listed = [] } of selector.matchExpressions ?? [])
        if (operator === "In") for (const value of listed) note(key, value);
    }
  }
  for (const { hosts } of fleets.values())
    for (const { labels } of hosts) for (const [key, value] of Object.entries(labels)) note(key, value);
  return new Map([...values].map(([key, set]) => [key, [...set].sort().slice(0, MAX_VARIANTS)]));
}

function selectorsOf(member: Member): readonly LabelSelector[] {
  switch (member.kind) {
    case "pods":
      return [member.pods];
    case "hosts":
      return [member.hosts];
    default:
      return [];
  }
}
