import { matches } from "../../selector/index.ts";
import { isUnsatisfiable } from "../../selector/index.ts";
import type { Note } from "../note.ts";
import { NAMESPACE_NAME_LABEL, SYSTEM_NAMESPACES } from "../schema/cluster.ts";
import type { DefinitionSet } from "./context.ts";
import { noteIn, ofKind } from "./context.ts";

/** Settings of targets that fit the schema and still deserve a look. */
export function checkTargets(set: DefinitionSet): readonly Note[] {
  return [...clusterNotes(set), ...lifelineNotes(set)];
}

function clusterNotes(set: DefinitionSet): readonly Note[] {
  return ofKind(set, "Cluster").flatMap(({ body: { spec }, document }) => {
    const notes: Note[] = [];
    const warn = (field: string, code: string, summary: string, detail: string) =>
      notes.push(noteIn(document, ["spec", field], "warning", code, summary, detail));
    if (spec.enforcer === "none") {
      warn("enforcer", "no-enforcer", "nothing enforces in this cluster", "Policies will not do a thing there");
    }
    if (spec.podNetwork === "routed" && spec.podRanges.length === 0) {
      const detail = "Add podRanges, so that addresses which overlap with other targets are found here";
      warn("podNetwork", "routed-without-ranges", "a routed pod network without podRanges", detail);
    }
    if (isUnsatisfiable(spec.governs)) {
      warn("governs", "contradictory-selector", "governs can never match", "As written no namespace is written to");
    }
    const system = SYSTEM_NAMESPACES.filter((name) => matches(spec.governs, { [NAMESPACE_NAME_LABEL]: name }));
    if (system.length > 0) {
      const detail = "Isolating what a cluster runs on can stop it; leave them out with operator NotIn";
      warn("governs", "governs-system", `governs takes in ${system.join(", ")}`, detail);
    }
    return notes;
  });
}

function lifelineNotes(set: DefinitionSet): readonly Note[] {
  return ofKind(set, "HostFleet").flatMap(({ body, document }) =>
    (body.spec.lifeline?.from ?? []).flatMap((prefix, index): Note[] => {
      if (prefix.length > 0) return [];
      const detail = "Whatever policies say, everyone can reach these ports; name the networks that administrators come from";
      return [
        noteIn(document, ["spec", "lifeline", "from", index], "warning", "wide-lifeline", "a lifeline from every address", detail),
      ];
    }),
  );
}
