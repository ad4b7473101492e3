import { matches } from "../../selector/index.ts";
import type { Note } from "../note.ts";
import { quote } from "../schema/text.ts";
import type { SegmentDocument } from "../schema/segment.ts";
import type { DefinitionSet } from "./context.ts";
import { noteIn, ofKind } from "./context.ts";

/** What is defined and changes nothing: segments that nobody names and that do nothing by themselves, externals in no segment. */
export function checkUsage(set: DefinitionSet): readonly Note[] {
  return [...unusedSegments(set), ...unusedExternals(set)];
}

function unusedSegments(set: DefinitionSet): readonly Note[] {
  if (!set.wholeKinds.has("Policy") || !set.wholeKinds.has("Guardrail")) return [];
  const segments = ofKind(set, "Segment");
  const acting = segments.filter(({ body }) => doesSomething(body.spec)).map(({ body }) => body.metadata.name);
  const named = set.references.flatMap(({ use, name }) => (use === "member" ? [] : [name]));
  const used = usedBy(set, [...named, ...acting]);
  return segments.flatMap(({ body, document }): readonly Note[] => {
    const { name } = body.metadata;
    if (used.has(name)) return [];
    const detail = "No rule, test or guardrail names it and it isolates nothing; use it, or remove it";
    return [noteIn(document, ["metadata", "name"], "info", "unused-segment", `nothing uses the segment ${quote(name)}`, detail)];
  });
}

/** True when a segment has an effect although nobody names it. */
function doesSomething({ isolate, needs, sealed }: SegmentDocument["spec"]): boolean {
  return sealed || needs.length > 0 || (isolate !== undefined && (isolate.ingress !== "off" || isolate.egress !== "off"));
}

/** These and what they are made of, by `members` and by `not`. */
function usedBy(set: DefinitionSet, names: readonly string[]): ReadonlySet<string> {
  const parts = new Map<string, string[]>();
  for (const { use, name, heading } of set.references) {
    if (use !== "member" || heading.name === undefined) continue;
    const list = parts.get(heading.name);
    if (list === undefined) parts.set(heading.name, [name]);
    else list.push(name);
  }
  const used = new Set(names);
  for (const name of used) for (const part of parts.get(name) ?? []) used.add(part); // iteration goes on over what is added
  return used;
}

function unusedExternals(set: DefinitionSet): readonly Note[] {
  if (!set.wholeKinds.has("Segment")) return [];
  const selectors = ofKind(set, "Segment").flatMap(({ body }) => body.spec.members.flatMap((member) => member.externals ?? []));
  return ofKind(set, "External").flatMap(({ body, document }): readonly Note[] => {
    const { name, labels } = body.metadata;
    if (selectors.some((selector) => matches(selector, labels))) return [];
    const detail = "No member of a segment chooses its labels, so no rule can name it; choose it, or remove it";
    return [
      noteIn(document, ["metadata", "name"], "info", "unused-external", `no segment holds the external ${quote(name)}`, detail),
    ];
  });
}
