import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from "yaml";
import type { Document, Node, ScalarTag, Tags } from "yaml";
import type { Note, Position } from "../model/note.ts";
import type { SourceFile } from "../model/source.ts";

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
export function readManifestFile({ path, bytes }: SourceFile): ManifestFile {
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

function readYaml(file: string, text: string): ManifestFile {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { ...OPTIONS, lineCounter: lines });
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const notes: Note[] = [];
  const documents: ManifestDocument[] = [];
  const again = placesOf(text, place);
  for (const document of parsed) {
    const [problem] = [...document.errors, ...document.warnings].sort((a, b) => a.pos[0] - b.pos[0]);
    if (problem !== undefined) {
      const summary = `not YAML: ${(problem.message.split("\n", 1)[0] ?? "").slice(0, 160).replace(/[.:]$/, "")}`;
      notes.push({ severity: "error", code: "yaml-syntax", at: place(problem.pos[0]), summary });
      continue;
    }
    const value = plainValue(document);
    if (value === null) continue; // nothing but comments between two separators
    if (value === undefined) {
      const at = place(document.contents?.range?.[0] ?? 0);
      notes.push({ severity: "error", code: "alias-bomb", at, summary: "aliases stand for too many values, or for themselves" });
      continue;
    }
    const index = documents.length;
    const start = place(document.contents?.range?.[0] ?? document.range[0]);
    documents.push({ file, value, at: (path) => (path.length === 0 ? start : again(index)(path)) });
  }
  return { documents, notes };
}

/** Places inside the documents of a file, read again: nodes of big files are not kept for notes that nobody needs. */
function placesOf(text: string, place: (offset: number) => Position): (index: number) => (path: Path) => Position {
  let kept: readonly Document.Parsed[] | undefined;
  return (index) => (path) => {
    kept ??= parseAllDocuments(text, OPTIONS).filter((document) => plainValue(document) !== null);
    const document = kept[index];
    return place(document === undefined ? 0 : offsetOf(document, path));
  };
}

/** Undefined when aliases cannot be followed within bounds. */
function plainValue(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: 1000 });
  } catch (error) {
    if (error instanceof ReferenceError || error instanceof RangeError) return undefined;
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
