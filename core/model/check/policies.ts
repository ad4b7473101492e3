import type { Note } from "../note.ts";
import { quote } from "../schema/text.ts";
import type { DefinitionSet } from "./context.ts";
import { noteIn, ofKind } from "./context.ts";
import { restsOnPodLabels } from "./segments.ts";

/** Policies say what the Workspace requires, and who can become their initiator. */
export function checkPolicies(set: DefinitionSet): readonly Note[] {
  return [...missingFields(set), ...forgeableInitiators(set)];
}

function missingFields(set: DefinitionSet): readonly Note[] {
  const required = new Set(ofKind(set, "Workspace").flatMap(({ body }) => body.spec.require));
  return ofKind(set, "Policy").flatMap(({ body, document }) =>
    [...required]
      .filter((field) => body.spec[field] === undefined)
      .map((field) => {
        const summary = `the policy ${quote(body.metadata.name)} has no ${field}`;
        return noteIn(
          document,
          ["metadata", "name"],
          "error",
          "required-field",
          summary,
          `The Workspace requires it; add spec.${field}`,
        );
      }),
  );
}

function forgeableInitiators(set: DefinitionSet): readonly Note[] {
  const alone = ofKind(set, "Segment").filter(({ body }) => body.spec.members.some(restsOnPodLabels));
  const forgeable = set.nesting.around(alone.map(({ body }) => body.metadata.name));
  return ofKind(set, "Policy").flatMap(({ body, document }) =>
    body.spec.rules.flatMap((rule, index) =>
      rule.from.flatMap((name, place): Note[] => {
        if (!forgeable.has(name)) return [];
        const summary = `the initiator ${quote(name)} rests on pod labels alone`;
        const detail = "Whoever may create a pod in any namespace can join it; name namespaces in the segment";
        return [noteIn(document, ["spec", "rules", index, "from", place], "info", "pod-labels-alone", summary, detail)];
      }),
    ),
  );
}
