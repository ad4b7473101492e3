import { isDeepStrictEqual } from "./equal.ts";
import { locate } from "./locate.ts";
import type { Place, YamlPath } from "./locate.ts";
import { readValues } from "./values.ts";
import type { Edited } from "./edited.ts";

export type { YamlPath } from "./locate.ts";

/** One change of one document of a YAML file. */
export type YamlEdit =
  /** Adds an item at the end of the list at `path`; `text` is one line of YAML (a flow map, a plain scalar). */
  | { readonly kind: "append"; readonly path: YamlPath; readonly text: string; readonly value: unknown }
  /** Removes the item at `path`, whose last part is its index. */
  | { readonly kind: "remove"; readonly path: YamlPath }
  /** Replaces the value at `path`; `text` is one line of YAML. */
  | { readonly kind: "replace"; readonly path: YamlPath; readonly text: string; readonly value: unknown }
  /** Adds a key at the end of the map at `path`; `text` is its value, one line of YAML. */
  | { readonly kind: "set"; readonly path: YamlPath; readonly key: string; readonly text: string; readonly value: unknown };

/**
 * Edits one document of a YAML file by splicing: what is not edited keeps its bytes, comments and layout.
 *
 * The result is read again and must hold exactly the old values with this one change, in every document of the file; anything else
 * (a value shared through an anchor, a layout that is not understood) is refused, never guessed.
 *
 * @param text the whole file
 * @param document which document of it, from 0
 */
export function editYaml(text: string, document: number, edit: YamlEdit): Edited {
  const before = readValues(text);
  if ("refused" in before) return before;
  const place = locate(text, document, edit.path);
  if ("refused" in place) return place;
  const spliced = splice(place, edit);
  if ("refused" in spliced) return spliced;
  const after = readValues(spliced.ok);
  if ("refused" in after) return { refused: `the edit would break the file: ${after.refused}` };
  const expected = before.ok.map((value, index) => (index === document ? changed(value, edit.path, edit) : value));
  if (!isDeepStrictEqual(after.ok, expected)) {
    return { refused: "the edit would change something else too; an anchor or an unusual layout stands in the way" };
  }
  return spliced;
}

function splice(place: Place, edit: YamlEdit): Edited {
  switch (edit.kind) {
    case "append":
      return place.append(edit.text);
    case "remove":
      return place.remove();
    case "replace":
      return place.replace(edit.text);
    case "set":
      return place.set(edit.key, edit.text);
    default:
      return edit satisfies never;
  }
}

/** The value with the edit made, as data. A path that is not there leaves it as it is, so that the check above fails. */
function changed(value: unknown, path: YamlPath, edit: YamlEdit): unknown {
  const [head, ...rest] = path;
  if (head === undefined) {
    if (edit.kind === "append") return Array.isArray(value) ? [...(value as unknown[]), edit.value] : value;
    if (edit.kind === "replace") return edit.value;
    if (edit.kind === "set")
      return isRecord(value) && !Object.hasOwn(value, edit.key) ? { ...value, [edit.key]: edit.value } : value;
    return value;
  }
  if (Array.isArray(value) && typeof head === "number" && head < value.length) {
    if (edit.kind === "remove" && rest.length === 0) return value.filter((_, index) => index !== head);
    return value.map((item: unknown, index) => (index === head ? changed(item, rest, edit) : item));
  }
  if (isRecord(value) && typeof head === "string" && Object.hasOwn(value, head)) {
    if (edit.kind === "remove" && rest.length === 0)
      return Object.fromEntries(Object.entries(value).filter(([key]) => key !== head));
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, key === head ? changed(item, rest, edit) : item]));
  }
  return value;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
