import type { Checker, Json } from "./check.ts";
import { formatPath } from "./check.ts";
import type { Path } from "./manifest-file.ts";

/**
 * An object of a CRD as the API server keeps it: fields that are null are gone, labels of selectors included, which then select more than
 * was written. Built-in kinds are read otherwise: there such a label is an empty text.
 */
export function prunedObject(check: Checker, object: Json): Json {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [key, key === "spec" ? pruned(check, value, [key]) : value]),
  );
}

function pruned(check: Checker, value: unknown, path: Path): unknown {
  if (Array.isArray(value)) return value.map((item: unknown, index) => pruned(check, item, [...path, index]));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]): readonly [string, unknown][] => {
      if (item !== null) return [[key, pruned(check, item, [...path, key])]];
      if (path.at(-1) === "matchLabels") noteLabel(check, [...path, key]);
      return [];
    }),
  );
}

function noteLabel(check: Checker, path: Path): void {
  const problem = `${formatPath(path)} has no value, and the API server drops it: the selector selects whatever the label is`;
  check.note("warning", path, "dropped-label", problem, "Write its value, or leave it out");
}
