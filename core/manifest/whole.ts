import type { Note } from "../model/note.ts";
import type { Known } from "./known.ts";

/** What can only be said of all manifests together: names used twice, priorities shared, namespaces assumed. */
export function noteSet(known: readonly Known[], declared: readonly string[]): readonly Note[] {
  return [...duplicates(known), ...sharedPriorities(known), ...assumedNamespaces(known, declared)];
}

/** Policies are refused even when equal: one of the two is not what its author believes. Other objects only when they differ. */
function duplicates(known: readonly Known[]): readonly Note[] {
  const first = new Map<string, Known>();
  return known.flatMap((object): readonly Note[] => {
    const key = `${object.kind} ${object.id}`;
    const before = first.get(key);
    if (before === undefined) {
      first.set(key, object);
      return [];
    }
    const isSame = before.text === object.text && !object.kind.endsWith("Policy");
    const where = `${before.at().file}:${before.at().line}`;
    const summary = `${key} is there twice; the first is at ${where}`;
    if (isSame) return [{ severity: "info", code: "duplicate", at: object.at(), summary }];
    return [
      {
        severity: "error",
        code: "duplicate",
        at: object.at(),
        summary,
        detail: "Keep one: which of them is in force is not known",
      },
    ];
  });
}

/** Of two policies of one tier with one priority, which is asked first is undefined. */
function sharedPriorities(known: readonly Known[]): readonly Note[] {
  const first = new Map<string, Known>();
  const baselines = known.filter(({ priority }) => priority?.tier === "Baseline");
  const notes = known.flatMap((object): readonly Note[] => {
    if (object.priority === undefined || Number.isNaN(object.priority.value)) return [];
    const key = `${object.priority.tier} ${object.priority.value}`;
    const before = first.get(key);
    first.set(key, before ?? object);
    if (before === undefined || (before.kind === object.kind && before.id === object.id)) return [];
    const summary = `${object.kind} ${object.id} has the priority ${object.priority.value} of ${before.kind} ${before.id}`;
    const detail = "Which is asked first is undefined; give each its own";
    return [{ severity: "error", code: "same-priority", at: object.at(), summary, detail }];
  });
  const old = baselines.find(({ kind }) => kind === "BaselineAdminNetworkPolicy");
  const fresh = baselines.find(({ kind }) => kind !== "BaselineAdminNetworkPolicy");
  if (old === undefined || fresh === undefined) return notes;
  const summary = `${fresh.kind} ${fresh.id} and ${old.kind} ${old.id} are both of the Baseline tier`;
  return [
    ...notes,
    { severity: "error", code: "same-priority", at: fresh.at(), summary, detail: "Which is asked first is undefined" },
  ];
}

function assumedNamespaces(known: readonly Known[], declared: readonly string[]): readonly Note[] {
  const seen = new Set(declared);
  return known.flatMap(({ namespace, at }): readonly Note[] => {
    if (namespace === "" || seen.has(namespace)) return [];
    seen.add(namespace);
    const summary = `namespace ${namespace} is not declared; it is assumed with the label kubernetes.io/metadata.name only`;
    return [{ severity: "info", code: "assumed-namespace", at: at(), summary }];
  });
}
