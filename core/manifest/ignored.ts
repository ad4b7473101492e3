import type { Note, Position } from "../model/note.ts";
import type { Json } from "./check.ts";
import type { ManifestObject } from "./objects.ts";

interface Seen {
  readonly at: () => Position;
  count: number;
  readonly makesPods: boolean;
  /** A template of objects, such as OpenShift's: they are not objects until somebody processes it. */
  readonly holdsObjects: boolean;
}

/** Kinds that decide connections by other means than what is read here. */
const OTHER_POLICIES =
  /(Network|Security|Authorization|Firewall)Policy|UserDefinedNetwork|NetworkSet|EgressFirewall|EgressNetworkPolicy/;

/** Kinds that are left out: told once each, with a warning where connections or pods are missing from the answer for it. */
export class Ignored {
  readonly #seen = new Map<string, Seen>();

  add({ kind, value, document, path }: ManifestObject, apiVersion: string): void {
    const label = `${apiVersion} ${kind}`;
    const before = this.#seen.get(label);
    if (before !== undefined) before.count += 1;
    else {
      const holdsObjects = Array.isArray(value["objects"]) && value["objects"].length > 0;
      this.#seen.set(label, { at: () => document.at(path), count: 1, makesPods: hasPodTemplate(value), holdsObjects });
    }
  }

  notes(): readonly Note[] {
    return [...this.#seen].map(([label, seen]) => noteOf(label, seen));
  }
}

function noteOf(label: string, { at, count, makesPods, holdsObjects }: Seen): Note {
  const summary = `${label} is not read${count === 1 ? "" : ` (${count} objects)`}`;
  if (holdsObjects) {
    const detail = "Objects that it holds are missing from the answer; give what it is processed to";
    return { severity: "warning", code: "ignored-template", at: at(), summary, detail };
  }
  if (makesPods) {
    const detail = "Pods that it makes are missing from the answer, unless they are among the manifests themselves";
    return { severity: "warning", code: "ignored-workload", at: at(), summary, detail };
  }
  const isPolicy = OTHER_POLICIES.test(label) && !/PodSecurityPolicy/.test(label);
  if (!isPolicy) return { severity: "info", code: "ignored-kind", at: at(), summary };
  const detail = "What it allows or denies is missing from the answer";
  return { severity: "warning", code: "ignored-policy", at: at(), summary, detail };
}

/** A custom kind of workload: a template with containers in it, or with a virtual machine. */
function hasPodTemplate(object: Json): boolean {
  let value: unknown = object;
  for (const key of ["spec", "template", "spec"]) {
    if (typeof value !== "object" || value === null) return false;
    value = (value as Json)[key]; // an object, just checked
  }
  return typeof value === "object" && value !== null && ("containers" in value || "domain" in value);
}
