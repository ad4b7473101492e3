import type { Heading } from "./definition.ts";
import type { Path } from "./document.ts";

/** A segment's name in a rule, and where. */
export interface SegmentReference {
  readonly name: string;
  readonly path: Path;
  readonly heading: Heading;
}

/** Every segment name in the rules of a policy, also of one that does not fit its schema, so that all notes come at once. */
export function referencesOf(heading: Heading): readonly SegmentReference[] {
  if (heading.kind !== "Policy") return [];
  const rules = field(field(heading.document.value, "spec"), "rules");
  return itemsOf(rules).flatMap((rule, index) =>
    ["from", "to"].flatMap((end) =>
      itemsOf(field(rule, end)).flatMap((name, place) =>
        typeof name === "string" ? [{ name, path: ["spec", "rules", index, end, place], heading }] : [],
      ),
    ),
  );
}

function field(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key]; // an own property of an object
}

function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
