import type { Note } from "../note.ts";
import { arePeersOnly } from "../parse/nesting.ts";
import type { Path, YamlDocument } from "../parse/document.ts";
import { quote } from "../schema/text.ts";
import type { DefinitionSet } from "./context.ts";
import { noteIn, ofKind } from "./context.ts";

/** Each rule and claim by itself: names said twice, ends that nobody can enforce, `same` where nothing has labels. */
export function checkRules(set: DefinitionSet): readonly Note[] {
  return [...ruleNotes(set), ...claimNotes(set)];
}

function ruleNotes(set: DefinitionSet): readonly Note[] {
  return ofKind(set, "Policy").flatMap(({ body, document }) =>
    body.spec.rules.flatMap((rule, index): Note[] => {
      const path = ["spec", "rules", index];
      const notes = [
        ...endNotes(rule.from, [...path, "from"], document),
        ...endNotes(rule.to, [...path, "to"], document),
        ...sameNotes(set, rule.same, [...rule.from, ...rule.to], path, document),
      ];
      if (rule.from.includes("any") && rule.to.includes("any")) {
        const detail = "It would undo all isolation; name a segment at one end";
        notes.push(noteIn(document, path, "error", "any-to-any", "a rule from any to any", detail));
      } else if ([...rule.from, ...rule.to].every((name) => name === "internet" || arePeersOnly(set.nesting.kindsOf(name)))) {
        const detail =
          "Nothing at either end is managed here, so nobody can enforce it; remove the rule, or name a managed segment";
        notes.push(noteIn(document, path, "warning", "unenforceable-rule", "the rule can be enforced nowhere", detail));
      }
      return notes;
    }),
  );
}

function claimNotes(set: DefinitionSet): readonly Note[] {
  return ofKind(set, "Guardrail").flatMap(({ body, document }) =>
    (["never", "always"] as const).flatMap((kind) =>
      body.spec[kind].flatMap((claim, index): readonly Note[] => {
        const path = ["spec", kind, index];
        const [to, key] = claim.to === undefined ? [claim.reaches ?? [], "reaches"] : [claim.to, "to"];
        return [
          ...endNotes(claim.from, [...path, "from"], document),
          ...endNotes(to, [...path, key], document),
          ...sameNotes(set, claim.same, [...claim.from, ...to], path, document),
        ];
      }),
    ),
  );
}

function endNotes(names: readonly string[], path: Path, document: YamlDocument): readonly Note[] {
  const seen = new Set<string>();
  const notes = names.flatMap((name, index): Note[] => {
    const isRepeated = seen.has(name);
    seen.add(name);
    if (!isRepeated) return [];
    return [noteIn(document, [...path, index], "warning", "repeated-name", `${quote(name)} is listed twice`, "Remove one")];
  });
  if (!seen.has("any") || seen.size === 1) return notes;
  const detail = "any already means everyone; remove the others, or remove any";
  return [
    ...notes,
    noteIn(document, [...path, names.indexOf("any")], "warning", "redundant-any", "any stands beside other segments", detail),
  ];
}

/** `same` compares labels of workloads and externals; an address and a boundary have none. */
function sameNotes(
  set: DefinitionSet,
  same: readonly string[] | undefined,
  names: readonly string[],
  path: Path,
  document: YamlDocument,
): readonly Note[] {
  if (same === undefined) return [];
  const at = [...path, "same"];
  const repeated = same.flatMap((key, index) =>
    same.indexOf(key) === index
      ? []
      : [noteIn(document, [...at, index], "warning", "repeated-name", `${quote(key)} is listed twice`, "Remove one")],
  );
  const without = [...new Set(names)].flatMap((name): readonly Note[] => {
    const why = withoutLabels(set, name);
    if (why === undefined) return [];
    const detail = "It compares labels of workloads; name segments of pods, services, hosts or externals, or remove same";
    return [noteIn(document, at, "error", "same-without-labels", `same does not go with ${quote(name)}: ${why}`, detail)];
  });
  return [...repeated, ...without];
}

function withoutLabels(set: DefinitionSet, name: string): string | undefined {
  if (name === "any" || name === "internet" || name === "workloads") return "it is built in";
  const kinds = set.nesting.kindsOf(name);
  if (kinds?.has("addresses") === true) return "it has members by address";
  return kinds?.has("boundary") === true ? "it has boundary members" : undefined;
}
