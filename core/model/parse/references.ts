import type { Heading } from "./definition.ts";
import type { Path } from "./document.ts";

/** A segment's name where it is used, and where that is. */
export interface SegmentReference {
  readonly name: string;
  readonly path: Path;
  readonly heading: Heading;
  /** rule: an end of a rule · test: an end of a test (may be a host or an address) · member: a nested segment · claim: of a guardrail */
  readonly use: "rule" | "test" | "member" | "claim";
}

/** Every use of a segment's name, also in a definition that does not fit its schema, so that all notes come at once. */
export function referencesOf(heading: Heading): readonly SegmentReference[] {
  const spec = field(heading.document.value, "spec");
  switch (heading.kind) {
    case "Policy":
      return [
        ...namesIn(spec, "rules", ["from", "to"], "rule", heading),
        ...namesIn(spec, "tests", ["from", "to"], "test", heading),
      ];
    case "Guardrail":
      return ["never", "always"].flatMap((claims) => namesIn(spec, claims, ["from", "to", "reaches"], "claim", heading));
    case "Segment":
      return ["members", "not"].flatMap((members) => namesIn(spec, members, ["segments"], "member", heading));
    default:
      return [];
  }
}

/** The names under some keys of the items of a list: one text, or a list of texts. */
function namesIn(
  spec: unknown,
  list: string,
  keys: readonly string[],
  use: SegmentReference["use"],
  heading: Heading,
): readonly SegmentReference[] {
  return itemsOf(field(spec, list)).flatMap((item, index) =>
    keys.flatMap((key) => {
      const value = field(item, key);
      const path = ["spec", list, index, key];
      if (typeof value === "string" && use === "test") return [{ name: value, path, heading, use }];
      return itemsOf(value).flatMap((name, place) =>
        typeof name === "string" ? [{ name, path: [...path, place], heading, use }] : [],
      );
    }),
  );
}

function field(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key]; // an own property of an object
}

function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
