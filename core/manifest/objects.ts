import type { Note } from "../model/note.ts";
import type { Json } from "./check.ts";
import { show } from "./check.ts";
import type { ManifestDocument, Path } from "./manifest-file.ts";

/** One Kubernetes object of a document; Lists are taken apart. */
export interface ManifestObject {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly value: Json;
  readonly document: ManifestDocument;
  /** Where in the document it is. */
  readonly path: Path;
}

/** The objects of a document; what is no object is an error. Items of a typed List (`PodList`) may leave out what the List says. */
export function objectsOf(document: ManifestDocument): {
  readonly objects: readonly ManifestObject[];
  readonly notes: readonly Note[];
} {
  const objects: ManifestObject[] = [];
  const notes: Note[] = [];
  const refuse = (path: Path, summary: string, detail?: string): void => {
    notes.push({
      severity: "error",
      code: "not-an-object",
      at: document.at(path),
      summary,
      ...(detail !== undefined && { detail }),
    });
  };
  const add = (value: unknown, path: Path, fallback: { apiVersion?: string; kind?: string }): void => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      refuse(path, `not a Kubernetes object: ${show(value)}`, "Keep other files out of the folder");
      return;
    }
    const record = value as Json; // a mapping, just checked
    const kind = record["kind"] ?? fallback.kind;
    const apiVersion = record["apiVersion"] ?? fallback.apiVersion;
    if (typeof kind !== "string" || kind === "") return refuse(path, "not a Kubernetes object: kind is missing");
    if (typeof apiVersion !== "string" || apiVersion === "") return refuse(path, `${kind}: apiVersion is missing`);
    if (kind.endsWith("List") && (kind === "List" || record["items"] !== undefined)) {
      const { items } = record;
      if (items !== null && items !== undefined && !Array.isArray(items))
        return refuse([...path, "items"], `${kind}: items must be a list`);
      if (isCut(record["metadata"]))
        return refuse(
          [...path, "metadata"],
          `${kind}: only the first part of a list`,
          "Ask for all of it: without limit, or follow `continue`",
        );
      const of = kind === "List" ? {} : { kind: kind.slice(0, -"List".length), apiVersion };
      for (const [index, item] of (items ?? []).entries()) add(item, [...path, "items", index], of);
      return;
    }
    const slash = apiVersion.indexOf("/");
    const group = slash < 0 ? "" : apiVersion.slice(0, slash);
    objects.push({ group, version: apiVersion.slice(slash + 1), kind, value: record, document, path });
  };
  add(document.value, [], {});
  return { objects, notes };
}

/** A list that goes on elsewhere (Kubernetes API concepts, "Retrieving large results sets in chunks"). */
function isCut(metadata: unknown): boolean {
  if (typeof metadata !== "object" || metadata === null) return false;
  const { continue: rest, remainingItemCount } = metadata as Json; // an object, just checked
  return (typeof rest === "string" && rest !== "") || (typeof remainingItemCount === "number" && remainingItemCount > 0);
}
