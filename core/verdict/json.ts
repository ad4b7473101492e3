import { MATCHES_NOTHING } from "../selector/index.ts";
import type { LabelSelector, SelectorOperator, SelectorRequirement } from "../selector/index.ts";

/** Where a reader collects what it does not understand. */
export type Problems = string[];

const OPERATORS: readonly string[] = ["In", "NotIn", "Exists", "DoesNotExist"] satisfies SelectorOperator[];

/** The object, or `{}` for an absent one; anything else is a problem and reads as `{}`. */
export function asRecord(value: unknown, at: string, problems: Problems): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return {};
  if (typeof value === "object" && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>; // checked just now
  problems.push(`${at} is not an object`);
  return {};
}

/** The list, or `[]` for an absent one; anything else is a problem and reads as `[]`. */
export function asList(value: unknown, at: string, problems: Problems): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  problems.push(`${at} is not a list`);
  return [];
}

/** True, with a problem each, when the record has keys that this engine does not know. */
export function unknownKeys(
  record: Readonly<Record<string, unknown>>,
  known: readonly string[],
  at: string,
  problems: Problems,
): boolean {
  const strange = Object.keys(record).filter((key) => !known.includes(key));
  for (const key of strange) problems.push(`${at}.${key} is not known`);
  return strange.length > 0;
}

/** A LabelSelector; absent is the empty one, which matches all; one that cannot be read matches nothing and is a problem. */
export function readSelector(value: unknown, at: string, problems: Problems): LabelSelector {
  const before = problems.length;
  const record = asRecord(value, at, problems);
  unknownKeys(record, ["matchLabels", "matchExpressions"], at, problems);
  const labels = Object.entries(asRecord(record["matchLabels"], `${at}.matchLabels`, problems));
  const matchLabels: [string, string][] = [];
  for (const [key, label] of labels) {
    if (typeof label === "string") matchLabels.push([key, label]);
    else problems.push(`${at}.matchLabels.${key} is not a text`);
  }
  const expressions = asList(record["matchExpressions"], `${at}.matchExpressions`, problems);
  const matchExpressions = expressions.flatMap((item, index) =>
    readRequirement(item, `${at}.matchExpressions[${index}]`, problems),
  );
  if (problems.length > before) return MATCHES_NOTHING;
  return {
    ...(matchLabels.length > 0 ? { matchLabels: Object.fromEntries(matchLabels) } : {}),
    ...(matchExpressions.length > 0 ? { matchExpressions } : {}),
  };
}

function readRequirement(value: unknown, at: string, problems: Problems): readonly SelectorRequirement[] {
  const { key, operator, values } = asRecord(value, at, problems);
  const list = asList(values, `${at}.values`, problems);
  if (typeof key !== "string" || !isOperator(operator) || !list.every((item) => typeof item === "string")) {
    problems.push(`${at} is not a label requirement`);
    return [];
  }
  return [list.length > 0 ? { key, operator, values: list } : { key, operator }];
}

function isOperator(value: unknown): value is SelectorOperator {
  return typeof value === "string" && OPERATORS.includes(value);
}
