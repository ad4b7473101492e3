import { BUILT_IN_SEGMENTS } from "../kinds.ts";
import type { Note } from "../note.ts";
import { isPeerOnly } from "../parse/normalise.ts";
import { didYouMean } from "../parse/suggest.ts";
import { quote } from "../schema/text.ts";
import type { DefinitionSet } from "./context.ts";
import { noteIn, ofKind } from "./context.ts";

/** Every segment that a rule names exists, and rules and segments have a use. */
export function checkReferences(set: DefinitionSet): readonly Note[] {
  return [...danglingReferences(set), ...ruleNotes(set), ...unusedSegments(set)];
}

function danglingReferences(set: DefinitionSet): readonly Note[] {
  const segments = new Set(set.headings.flatMap(({ kind, name }) => (kind === "Segment" && name !== undefined ? [name] : [])));
  const known = [...segments, "any", "internet"];
  return set.references.flatMap(({ name, path, heading: { document } }): Note[] => {
    if (name === "workloads") {
      const detail = "It is for guardrails; name segments, or any";
      return [noteIn(document, path, "error", "reserved-name", "workloads cannot be used in a rule", detail)];
    }
    if (segments.has(name) || isBuiltIn(name)) return [];
    const detail = didYouMean(name, known) ?? "Define the segment, or remove the name";
    return [noteIn(document, path, "error", "unknown-segment", `unknown segment ${quote(name)}`, detail)];
  });
}

function ruleNotes(set: DefinitionSet): readonly Note[] {
  const peerOnly = peerOnlySegments(set);
  return ofKind(set, "Policy").flatMap(({ body, document }) =>
    body.spec.rules.flatMap((rule, index): Note[] => {
      const path = ["spec", "rules", index];
      const notes = (["from", "to"] as const).flatMap((end) => endNotes(rule[end], [...path, end], document));
      if (rule.from.includes("any") && rule.to.includes("any")) {
        const detail = "It would undo all isolation; name a segment at one end";
        notes.push(noteIn(document, path, "error", "any-to-any", "a rule from any to any", detail));
      } else if ([...rule.from, ...rule.to].every((name) => name === "internet" || peerOnly.has(name))) {
        const detail =
          "Nothing at either end is managed here, so nobody can enforce it; remove the rule, or name a managed segment";
        notes.push(noteIn(document, path, "warning", "unenforceable-rule", "the rule can be enforced nowhere", detail));
      }
      return notes;
    }),
  );
}

function endNotes(
  names: readonly string[],
  path: readonly PropertyKey[],
  document: DefinitionSet["headings"][number]["document"],
): Note[] {
  const notes = names.flatMap((name, index): Note[] => {
    if (names.indexOf(name) === index) return [];
    return [noteIn(document, [...path, index], "warning", "repeated-name", `${quote(name)} is listed twice`, "Remove one")];
  });
  if (names.includes("any") && names.some((name) => name !== "any")) {
    const detail = "any already means everyone; remove the others, or remove any";
    notes.push(
      noteIn(document, [...path, names.indexOf("any")], "warning", "redundant-any", "any stands beside other segments", detail),
    );
  }
  return notes;
}

function peerOnlySegments(set: DefinitionSet): ReadonlySet<string> {
  const segments = ofKind(set, "Segment").filter(({ body }) => body.spec.members.every(isPeerOnly));
  return new Set(segments.map(({ body }) => body.metadata.name));
}

function unusedSegments(set: DefinitionSet): readonly Note[] {
  const used = new Set(set.references.map(({ name }) => name));
  return ofKind(set, "Segment").flatMap(({ body, document }): Note[] => {
    const { name } = body.metadata;
    if (used.has(name)) return [];
    const isolates = Object.values(body.spec.isolate ?? {}).includes("enforce");
    const detail = isolates ? "It isolates, and nothing is allowed through but essentials" : "Use it in a policy, or remove it";
    return [noteIn(document, ["metadata", "name"], "info", "unused-segment", `no rule names the segment ${quote(name)}`, detail)];
  });
}

function isBuiltIn(name: string): boolean {
  return BUILT_IN_SEGMENTS.some((builtIn) => builtIn === name);
}
