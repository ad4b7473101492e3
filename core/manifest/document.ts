import type { Note, Position } from "../model/note.ts";
import type { SourceFile } from "../model/source.ts";
import { readJsonValues } from "./json-text.ts";
import type { JsonMistake } from "./json-text.ts";
import { UNUSUAL } from "./plain-scalar.ts";
import { readPlainYaml } from "./plain-yaml.ts";
import { once, readYamlSlowly } from "./yaml.ts";
import type { ManifestDocument, ManifestFile, Path } from "./manifest-file.ts";

/**
 * The documents of one file, read as kubectl does: YAML 1.1 with anchors and merge keys, or JSON objects one after another. Never throws:
 * what is broken is a note. What two readers would read differently in silence is refused: keys twice, directives, text after the end of
 * a document.
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
  const isJson = /\.json$/i.test(path);
  if (isJson && text.trim() === "") return refused(path, 1, 1, "json-syntax", "not JSON: the file is empty");
  const odd = /[\u0085\u2028\u2029]|\r(?!\n)/.exec(text);
  if (odd !== null && !isJsonText(text)) {
    const { line, column } = placeIn(text, odd.index);
    const summary = "a line end that only old YAML knows (U+0085, U+2028, U+2029, or a lone carriage return)";
    return refused(path, line, column, "line-end", summary);
  }
  const notes: Note[] = [];
  const documents: ManifestDocument[] = [];
  for (const part of splitDocuments(text)) {
    const read = "problem" in part ? refused(path, part.line + 1, 1, "yaml-syntax", part.problem) : readPart(path, part, isJson);
    notes.push(...read.notes);
    documents.push(...read.documents);
  }
  return { documents, notes };
}

/** Without the byte order mark at its beginning. */
function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

function refused(file: string, line: number, column: number, code: string, summary: string): ManifestFile {
  return { documents: [], notes: [{ severity: "error", code, at: { file, line, column }, summary }] };
}

function placeIn(text: string, offset: number): { readonly line: number; readonly column: number } {
  const lines = text.slice(0, offset).split("\n");
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}

function isJsonText(text: string): boolean {
  return /^\s*[{[]/.test(text);
}

/** What is between two separators: its text, and the line (from 0) on which it begins. */
interface Part {
  readonly text: string;
  readonly line: number;
}

/** Part by part as kubectl does: a line that begins with `---`, with nothing but a comment behind it. */
function splitDocuments(text: string): readonly (Part | { readonly problem: string; readonly line: number })[] {
  const parts: (Part | { readonly problem: string; readonly line: number })[] = [];
  let [start, line] = [0, 0];
  for (const { index, 0: separator } of text.matchAll(/^---[^\n]*(?:\n|$)/gm)) {
    parts.push(partOf(text.slice(start, index), line));
    line += countLines(text.slice(start, index));
    const behind = separator.slice(3).trim();
    if (behind !== "" && !behind.startsWith("#"))
      parts.push({
        problem: `not YAML: ${JSON.stringify(behind.slice(0, 40))} stands behind a separator; begin a line for it`,
        line,
      });
    line += countLines(separator);
    start = index + separator.length;
  }
  return [...parts, partOf(text.slice(start), line)];
}

/** A byte order mark may begin every document, because files are put together out of files. */
function partOf(text: string, line: number): Part {
  return { text: text.startsWith("\uFEFF") ? text.slice(1) : text, line };
}

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines += 1;
  return lines;
}

function readPart(file: string, part: Part, isJson: boolean): ManifestFile {
  const { text, line } = part;
  const mark = text.indexOf("\uFEFF");
  if (mark >= 0) {
    const at = placeIn(text, mark);
    return refused(file, line + at.line, at.column, "byte-order-mark", "a byte order mark inside a document: delete it");
  }
  if (isJson || /^\s*\{/.test(text)) {
    const values = readJsonValues(text);
    if (!("problem" in values)) return { documents: values.map((found) => jsonDocument(file, part, found)), notes: [] };
    if (isJson || values.code === "key-twice") return refusedJson(file, part, values);
  }
  const outside = /^(?:%.*|\.\.\.(?:\s[^]*)?)$/m.exec(text); // the second: an end of the document, and what follows it
  if (outside !== null && !/^\.\.\.(?:\s|#.*)*$/.test(outside[0])) {
    const at = placeIn(text, outside.index);
    const what = outside[0].startsWith("%") ? "a directive" : "text after the end of a document, which kubectl leaves out";
    return refused(file, line + at.line, 1, "yaml-syntax", `not YAML that kubectl takes: ${what}`);
  }
  return readYaml(file, part);
}

function readYaml(file: string, { text, line }: Part): ManifestFile {
  const plain = readPlainYaml(text);
  if (plain === UNUSUAL) return readYamlSlowly(file, text, line);
  if (plain.value === null) return { documents: [], notes: [] }; // nothing but comments between two separators
  const start = { file, line: line + plain.line + 1, column: 1 };
  const whole = once(() => readYamlSlowly(file, text, line).documents[0]);
  const at = (path: Path): Position => (path.length === 0 ? start : (whole()?.at(path) ?? start));
  return { documents: [{ file, value: plain.value, at, written: () => undefined, hasLeadingZeros: false }], notes: [] };
}

function refusedJson(file: string, { text, line }: Part, { problem, offset, code }: JsonMistake): ManifestFile {
  const at = placeIn(text, offset);
  return refused(file, line + at.line, at.column, code, `not JSON: ${problem}`);
}

/** JSON is read by the platform; places are looked up by a second reading, only when a note needs one. */
function jsonDocument(
  file: string,
  { text, line }: Part,
  { value, offset, end }: { readonly value: unknown; readonly offset: number; readonly end: number },
): ManifestDocument {
  const place = placeIn(text, offset);
  const start = { file, line: line + place.line, column: place.column };
  const firstLine = start.line - 1;
  const again = once(() => readYamlSlowly(file, " ".repeat(start.column - 1) + text.slice(offset, end), firstLine).documents[0]);
  const at = (path: Path): Position => (path.length === 0 ? start : (again()?.at(path) ?? start));
  return { file, value, at, written: (path) => again()?.written(path), hasLeadingZeros: false };
}
