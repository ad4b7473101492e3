import { canonicalSelector, conjunction, MATCHES_NOTHING, selectorKey } from "./canonical.ts";
import type { LabelSelector, SelectorRequirement } from "./selector.ts";

/**
 * Selectors of which at least one matches exactly when `selector` does not: one for each of its requirements, turned around. The
 * empty selector has none, for it matches everything.
 *
 * An object without the key: `k=v` does not match it, so `k NotIn (v)` does (docs/design/networkpolicy.md 4).
 */
export function negations(selector: LabelSelector): readonly LabelSelector[] {
  const canonical = canonicalSelector(selector);
  const equalities = Object.entries(canonical.matchLabels ?? {}).map(([key, value]): SelectorRequirement => ({
    key,
    operator: "NotIn",
    values: [value],
  }));
  return [...equalities, ...(canonical.matchExpressions ?? []).map(turned)].map((requirement) => ({
    matchExpressions: [requirement],
  }));
}

/** True when everything that `narrow` matches, `wide` matches too. */
export function isImplied(narrow: LabelSelector, wide: LabelSelector): boolean {
  const both = conjunction(narrow, wide);
  return selectorKey(both === "none" ? MATCHES_NOTHING : both) === selectorKey(narrow);
}

function turned({ key, operator, values }: SelectorRequirement): SelectorRequirement {
  switch (operator) {
    case "In":
      return { key, operator: "NotIn", ...(values === undefined ? {} : { values }) };
    case "NotIn":
      return { key, operator: "In", ...(values === undefined ? {} : { values }) };
    case "Exists":
      return { key, operator: "DoesNotExist" };
    case "DoesNotExist":
      return { key, operator: "Exists" };
    default:
      return operator satisfies never;
  }
}
