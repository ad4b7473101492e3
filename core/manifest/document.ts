import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from "yaml";
import type { Document, Node, ScalarTag, Tags } from "yaml";
import type { Note, Position } from "../model/note.ts";
import type { SourceFile } from "../model/source.ts";
import { UNUSUAL } from "./plain-scalar.ts";
import { readPlainYaml } from "./plain-yaml.ts";

/** Keys and list indices from the root of a document. */
export type Path = readonly (string | number)[];

/** One YAML or JSON document of a manifest file. */
export interface ManifestDocument {
  readonly file: string;
  readonly value: unknown;
  /** The place of what is at `path`, or of its nearest parent that exists. */
  readonly at: (path: Path) => Position;
}

/** What one file holds; with an error among the notes, what the file means is not known. */
export interface ManifestFile {
  readonly documents: readonly ManifestDocument[];
  readonly notes: readonly Note[];
}

/**
 * The documents of one file, read as kubectl does: YAML with anchors and merge keys, where `yes`, `no`, `on` and `off` are booleans,
 * or JSON. Never throws: what is broken is a note. Tags, duplicate keys and aliases that multiply are refused.
 */
export function readManifestFile(file: SourceFile): ManifestFile {
  try {
    const read = readAny(file);
    const deep = read.documents.find(({ value }) => isDeep(value));
    return deep === undefined ? read : tooDeep(file.path);
  } catch (error) {
    if (error instanceof RangeError) return tooDeep(file.path); // a parser ran out of stack
    throw error;
  }
}

/** No object of Kubernetes comes near it; parsers, and whoever walks the value, need an end. */
const MOST_LEVELS = 200;

function tooDeep(path: string): ManifestFile {
  return refused(path, 1, 1, "too-deep", `values inside values, more than ${MOST_LEVELS} deep`);
}

/** Level by level, so that depth costs no stack. */
function isDeep(value: unknown): boolean {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > MOST_LEVELS) return true;
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item !== "object" || item === null) continue;
      for (const inside of Object.values(item)) if (typeof inside === "object" && inside !== null) next.push(inside);
    }
    level = next;
  }
  return false;
}

function readAny({ path, bytes }: SourceFile): ManifestFile {
  const text = decode(bytes);
  if (text === undefined) return refused(path, 1, 1, "invalid-utf-8", "bytes that are not UTF-8");
  const json = /\.json$/i.test(path) || /^\s*[{[]/.test(text) ? parseJson(text) : undefined;
  if (json !== undefined && "value" in json) return { documents: [jsonDocument(path, text, json.value)], notes: [] };
  if (json !== undefined && /\.json$/i.test(path)) return refusedJson(path, text, json.problem);
  return readYaml(path, text);
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function parseJson(text: string): { readonly value: unknown } | { readonly problem: string } {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    if (error instanceof SyntaxError) return { problem: error.message };
    throw error;
  }
}

function refusedJson(path: string, text: string, problem: string): ManifestFile {
  if (text.trim() === "") return refused(path, 1, 1, "json-syntax", "not JSON: the file is empty");
  const offset = Number(/position (\d+)/.exec(problem)?.[1] ?? 0);
  const lines = text.slice(0, offset).split("\n");
  const reason = problem.replace(/\s*\(line .*$| in JSON at position.*$/, "").slice(0, 120);
  return refused(path, lines.length, (lines.at(-1)?.length ?? 0) + 1, "json-syntax", `not JSON: ${reason}`);
}

function refused(file: string, line: number, column: number, code: string, summary: string): ManifestFile {
  return { documents: [], notes: [{ severity: "error", code, at: { file, line, column }, summary }] };
}

/** JSON is read by the platform; places are looked up by a second reading, only when a note needs one. */
function jsonDocument(file: string, text: string, value: unknown): ManifestDocument {
  let read: ManifestDocument | undefined;
  return {
    file,
    value,
    at: (path) => {
      if (path.length === 0) return { file, line: 1, column: 1 };
      read ??= readYaml(file, text).documents[0];
      return read?.at(path) ?? { file, line: 1, column: 1 };
    },
  };
}

/** The booleans of YAML 1.1, as Kubernetes' parser has them; a lone `y` or `n`, on which parsers differ, is a text. */
const OLD_BOOLEANS: ScalarTag = {
  identify: (value) => typeof value === "boolean",
  default: true,
  tag: "tag:yaml.org,2002:bool",
  test: /^(?:yes|Yes|YES|on|On|ON|no|No|NO|off|Off|OFF)$/,
  resolve: (text) => /^(?:yes|on)$/i.test(text),
};

const OPTIONS = {
  prettyErrors: false,
  stringKeys: true,
  schema: "core",
  merge: true,
  customTags: (tags: Tags) => [OLD_BOOLEANS, ...tags],
  logLevel: "silent",
} as const;

/** Document by document, fast where that is possible; a file with anything but plain separators is read as a whole. */
function readYaml(file: string, text: string): ManifestFile {
  const parts = splitDocuments(text);
  if (parts === undefined) return readYamlSlowly(file, text);
  const notes: Note[] = [];
  const documents: ManifestDocument[] = [];
  for (const part of parts) {
    const read = readPart(file, part);
    notes.push(...read.notes);
    documents.push(...read.documents);
  }
  return { documents, notes };
}

/** One document: the separator before it (none before the first), its text, and the line (from 0) on which the separator is. */
interface Part {
  readonly separator: string;
  readonly text: string;
  readonly line: number;
}

/** Undefined when there are directives, ends of documents (`...`), something beside a separator, or line ends of other kinds. */
function splitDocuments(text: string): readonly Part[] | undefined {
  if (/^(?:%|\.\.\.(?:\s|$)|---[^\S\r\n]*[^\s])|^\uFEFF|\r(?!\n)|[\u2028\u2029]/m.test(text)) return undefined;
  const parts: Part[] = [];
  let [start, line, before] = [0, 0, ""];
  for (const { index, 0: separator } of text.matchAll(/^---[^\S\r\n]*(?:\r?\n|$)/gm)) {
    parts.push({ separator: before, text: text.slice(start, index), line });
    line += countLines(before) + countLines(text.slice(start, index));
    [start, before] = [index + separator.length, separator];
  }
  return [...parts, { separator: before, text: text.slice(start), line }];
}

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines += 1;
  return lines;
}

function readPart(file: string, { separator, text, line }: Part): ManifestFile {
  const plain = readPlainYaml(text);
  const slowly = (): ManifestFile => readYamlSlowly(file, separator + text, line);
  if (plain === UNUSUAL) return slowly();
  if (plain.value === null) return { documents: [], notes: [] }; // nothing but comments between two separators
  const start = { file, line: line + countLines(separator) + plain.line + 1, column: 1 };
  const whole = once(() => slowly().documents[0]);
  const at = (path: Path): Position => (path.length === 0 ? start : (whole()?.at(path) ?? start));
  return { documents: [{ file, value: plain.value, at }], notes: [] };
}

/** Documents by the library, which knows all of YAML; `firstLine` lines of the file come before the text. */
export function readYamlSlowly(file: string, text: string, firstLine = 0): ManifestFile {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { ...OPTIONS, lineCounter: lines });
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { file, line: firstLine + Math.max(1, line), column: Math.max(1, col) };
  };
  const notes: Note[] = [];
  const documents: ManifestDocument[] = [];
  const again = once(() => parseAllDocuments(text, OPTIONS)); // trees of big files are not kept for notes that nobody needs
  for (const [index, document] of parsed.entries()) {
    const [problem] = [...document.errors, ...document.warnings].sort((a, b) => a.pos[0] - b.pos[0]);
    if (problem !== undefined) {
      if (/^(?:Invalid regular expression: .*Stack overflow|Maximum call stack)/.test(problem.message))
        throw new RangeError(problem.message); // the library caught that it ran out of it
      const summary = `not YAML: ${(problem.message.split("\n", 1)[0] ?? "").slice(0, 160).replace(/[.:]$/, "")}`;
      notes.push({ severity: "error", code: "yaml-syntax", at: place(problem.pos[0]), summary });
      continue;
    }
    const start = place(document.contents?.range?.[0] ?? document.range[0]);
    const { value, refusal } = plainValue(document);
    if (refusal !== undefined) {
      notes.push({ severity: "error", at: start, ...refusal });
      continue;
    }
    if (value === null) continue; // nothing but comments between two separators
    const at = (path: Path): Position => {
      const found = path.length === 0 ? undefined : again()[index];
      return found === undefined ? start : place(offsetOf(found, path));
    };
    documents.push({ file, value, at });
  }
  return { documents, notes };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

interface PlainValue {
  readonly value?: unknown;
  readonly refusal?: { readonly code: string; readonly summary: string };
}

/** Refused when aliases cannot be followed within bounds, and when what is merged is no mapping. */
function plainValue(document: Document.Parsed): PlainValue {
  try {
    return { value: document.toJS({ maxAliasCount: 1000 }) as unknown };
  } catch (error) {
    const summary = "aliases stand for too many values, or for themselves";
    if (error instanceof ReferenceError || error instanceof RangeError) return { refusal: { code: "alias-bomb", summary } };
    if (error instanceof Error) return { refusal: { code: "yaml-syntax", summary: `not YAML: ${error.message.slice(0, 160)}` } };
    throw error;
  }
}

function offsetOf(document: Document.Parsed, path: Path): number {
  let node: Node | null = document.contents;
  let offset = node?.range?.[0] ?? document.range[0];
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document) ?? null;
    let next: unknown;
    if (isSeq(node) && typeof step === "number") next = node.items[step];
    else if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      offset = (pair?.key as Node | undefined)?.range?.[0] ?? offset;
      next = pair?.value;
    }
    if (next === undefined || next === null) return offset;
    node = next as Node; // children of parsed collections are nodes
    offset = node.range?.[0] ?? offset;
  }
  return offset;
}
