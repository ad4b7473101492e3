import { FirebreakError } from "../ground/error.ts";

/** Labels of an object: key to value. */
export type Labels = Readonly<Record<string, string>>;

/** The four operators of Kubernetes. */
export type SelectorOperator = "In" | "NotIn" | "Exists" | "DoesNotExist";

/** One requirement; `values` only with In and NotIn. */
export interface SelectorRequirement {
  readonly key: string;
  readonly operator: SelectorOperator;
  readonly values?: readonly string[] | undefined;
}

/** A Kubernetes LabelSelector (metav1): every entry must hold; `{}` matches everything. */
export interface LabelSelector {
  readonly matchLabels?: Labels | undefined;
  readonly matchExpressions?: readonly SelectorRequirement[] | undefined;
}

/**
 * True when the labels satisfy every requirement.
 *
 * NotIn and DoesNotExist hold for an object without the key. Throws DEFINITION_INVALID for an operator that Kubernetes does not
 * have, because neither "matches" nor "does not match" would be closed in every place a selector is used.
 */
export function matches(selector: LabelSelector, labels: Labels): boolean {
  for (const key in selector.matchLabels) {
    if (Object.hasOwn(selector.matchLabels, key) && valueOf(labels, key) !== selector.matchLabels[key]) return false;
  }
  return selector.matchExpressions?.every((requirement) => holds(requirement, labels)) ?? true;
}

function holds(requirement: SelectorRequirement, labels: Labels): boolean {
  const value = valueOf(labels, requirement.key);
  switch (requirement.operator) {
    case "In":
      return value !== undefined && (requirement.values?.includes(value) ?? false);
    case "NotIn":
      return value === undefined || !(requirement.values?.includes(value) ?? false);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    default:
      throw new FirebreakError("DEFINITION_INVALID", `match a selector with the operator ${String(requirement.operator)}`);
  }
}

/** The keys that a selector asks for, as often as it asks. */
export function selectorKeys({ matchLabels = {}, matchExpressions = [] }: LabelSelector): readonly string[] {
  return [...Object.keys(matchLabels), ...matchExpressions.map(({ key }) => key)];
}

/** A label's value; a key such as `constructor` is not found on the prototype. */
function valueOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}
