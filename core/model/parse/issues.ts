import { z } from "zod";
import type { Note } from "../note.ts";
import { guidance } from "../schema/later.ts";
import type { Guidance } from "../schema/later.ts";
import { quote } from "../schema/text.ts";
import type { Path, YamlDocument } from "./document.ts";
import { LIMITS } from "./limits.ts";
import { didYouMean } from "./suggest.ts";

/** What zod found in a document, as notes at their places. */
export function notesOfIssues(
  document: YamlDocument,
  schema: z.core.$ZodType,
  issues: readonly z.core.$ZodIssue[],
): readonly Note[] {
  return issues.slice(0, LIMITS.notesPerFile + 1).flatMap((issue) => notesOfIssue(document, schema, issue));
}

function notesOfIssue(document: YamlDocument, root: z.core.$ZodType, issue: z.core.$ZodIssue): readonly Note[] {
  const { path } = issue;
  const schema = schemaAt(root, path);
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.slice(0, LIMITS.notesPerFile + 1).map((key) => keyNote(document, schema, path, key));
    case "invalid_type":
      return [typeNote(document, schema, path, issue.expected)];
    case "invalid_value":
      return [valueNote(document, schema, path, issue.values)];
    case "invalid_key":
      return issue.issues.map((inner) => noteOf(document, path, "key", customParts(inner)));
    case "too_small":
    case "too_big":
      return [noteOf(document, path, "value", sizeParts(path, issue))];
    default:
      return [noteOf(document, path, "value", customParts(issue))];
  }
}

interface Parts {
  readonly code: string;
  readonly summary: string;
  readonly detail?: string | undefined;
}

function noteOf(document: YamlDocument, path: Path, part: "key" | "value", { code, summary, detail }: Parts): Note {
  return { severity: "error", code, at: document.at(path, part), summary, ...(detail !== undefined && { detail }) };
}

function customParts(issue: z.core.$ZodIssue): Parts {
  const params = issue.code === "custom" ? issue.params : undefined;
  return { code: textOr(params?.["code"], "bad-value"), summary: issue.message, detail: textOr(params?.["detail"], undefined) };
}

function textOr<T>(value: unknown, otherwise: T): string | T {
  return typeof value === "string" ? value : otherwise;
}

function keyNote(document: YamlDocument, schema: z.core.$ZodType | undefined, path: Path, key: string): Note {
  const instead = own(guidanceOf(schema)?.fields, key);
  if (instead !== undefined) {
    const summary = `${key} is not supported by this version`;
    return noteOf(document, [...path, key], "key", { code: "unsupported-field", summary, detail: instead });
  }
  const known = keysOf(schema);
  const detail = didYouMean(key, known) ?? (known.length === 0 ? "Remove it" : `Known keys here: ${known.join(", ")}`);
  return noteOf(document, [...path, key], "key", { code: "unknown-key", summary: `unknown key ${quote(key)}`, detail });
}

function typeNote(document: YamlDocument, schema: z.core.$ZodType | undefined, path: Path, expected: string): Note {
  const found = valueAt(document.value, path);
  const name = fieldName(path);
  if (found === undefined) {
    const detail = descriptionOf(schema);
    return noteOf(document, path, "key", { code: "missing-field", summary: `${name} is missing`, detail });
  }
  const wanted = TYPE_NAMES[expected] ?? expected;
  const summary = `${name} must be ${wanted}, and is ${foundName(found)}`;
  return noteOf(document, path, "value", { code: "wrong-type", summary, detail: typeDetail(document, path, schema, expected) });
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  array: "a list",
  object: "a mapping",
  record: "a mapping",
  string: "a text",
  int: "a whole number",
  number: "a number",
  boolean: "true or false",
};

function foundName(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  if (typeof value === "string") return `the text ${quote(value)}`;
  return `the ${typeof value === "boolean" ? "boolean" : "number"} ${JSON.stringify(value)}`;
}

function foundValue(value: unknown): string {
  if (typeof value === "string") return quote(value);
  return typeof value === "object" ? foundName(value) : JSON.stringify(value);
}

/** The author's own characters go into the quotes: `72225e2` is another text than the number that it is. */
function typeDetail(document: YamlDocument, path: Path, schema: z.core.$ZodType | undefined, expected: string): string | undefined {
  const found = valueAt(document.value, path);
  const hint = guidanceOf(schema)?.hint;
  if (hint !== undefined) return hint;
  if (expected === "string" && (typeof found === "number" || typeof found === "boolean"))
    return `Put it in quotes: ${quote(document.written(path) ?? String(found))}`;
  return descriptionOf(schema);
}

function valueNote(document: YamlDocument, schema: z.core.$ZodType | undefined, path: Path, values: readonly unknown[]): Note {
  const found = valueAt(document.value, path);
  const name = fieldName(path);
  const allowed = values.map(String);
  if (found === undefined) {
    const detail = allowed.length === 1 ? `Add ${name}: ${allowed[0]}` : `One of: ${allowed.join(", ")}`;
    return noteOf(document, path, "key", { code: "missing-field", summary: `${name} is missing`, detail });
  }
  const text = typeof found === "string" ? found : undefined;
  const instead = text === undefined ? undefined : own(guidanceOf(schema)?.values, text);
  if (text !== undefined && instead !== undefined) {
    const summary = `${text} is not supported by this version`;
    return noteOf(document, path, "value", { code: "unsupported-value", summary, detail: instead });
  }
  const near = typeof found === "string" ? didYouMean(found, allowed) : undefined;
  const detail = [near, `It may be: ${allowed.join(", ")}`].filter((part) => part !== undefined).join(" ");
  return noteOf(document, path, "value", {
    code: "bad-value",
    summary: `${name} must not be ${foundValue(found)}`,
    detail,
  });
}

function sizeParts(path: Path, issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): Parts {
  const name = fieldName(path);
  if (issue.origin === "array")
    return { code: "empty-list", summary: `${name} is an empty list`, detail: "List at least one, or remove what holds it" };
  const bound = issue.code === "too_small" ? `at least ${issue.minimum}` : `at most ${issue.maximum}`;
  return { code: "bad-number", summary: `${name} must be ${bound}` };
}

/** The last key of a path, with its index where it is a list item: `ports[1]`. */
function fieldName(path: Path): string {
  const key = path.findLastIndex((step) => typeof step === "string");
  const rest = path.slice(key + 1).map((step) => `[${String(step)}]`);
  return key < 0 ? `the definition${rest.join("")}` : `${String(path[key])}${rest.join("")}`;
}

function valueAt(value: unknown, path: Path): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, step)) return undefined;
    current = (current as Record<PropertyKey, unknown>)[step]; // an own property of an object
  }
  return current;
}

/** The schema of what stands at a path, with the wrappers around it. */
function schemaAt(root: z.core.$ZodType, path: Path): z.core.$ZodType | undefined {
  let current: z.core.$ZodType | undefined = root;
  for (const step of path) {
    const inner: z.core.$ZodType | undefined = layersOf(current).at(-1);
    if (inner instanceof z.ZodObject) current = own(inner.shape, String(step));
    else if (inner instanceof z.ZodArray) current = inner.element;
    else if (inner instanceof z.ZodRecord) current = inner.valueType;
    else return undefined;
  }
  return current;
}

/** A schema and what it wraps, outermost first: `default`, `optional` and `transform` are layers around what is written in YAML. */
function layersOf(schema: z.core.$ZodType | undefined): readonly z.core.$ZodType[] {
  if (schema === undefined) return [];
  if (schema instanceof z.ZodPipe) return [schema, ...layersOf(schema.in)];
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return [schema, ...layersOf(schema.unwrap())];
  }
  return [schema];
}

function keysOf(schema: z.core.$ZodType | undefined): readonly string[] {
  const inner = layersOf(schema).at(-1);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

function guidanceOf(schema: z.core.$ZodType | undefined): Guidance | undefined {
  return firstOf(layersOf(schema), (layer) => guidance.get(layer));
}

function descriptionOf(schema: z.core.$ZodType | undefined): string | undefined {
  const description = firstOf(layersOf(schema), (layer) => z.globalRegistry.get(layer)?.description);
  return description?.replaceAll("`", "").replace(/\.$/, "");
}

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

function own<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}
