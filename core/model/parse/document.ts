import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from "yaml";
import type { Document, Node, Pair, YAMLError } from "yaml";
import type { Note, Position } from "../note.ts";
import { quote } from "../schema/text.ts";
import { LIMITS } from "./limits.ts";
import type { SourceText } from "./source.ts";

/** Keys and list indices from the root of a document. */
export type Path = readonly PropertyKey[];

/** One YAML document as plain data, with the place of everything in it. */
export interface YamlDocument {
  readonly file: string;
  /** Objects, arrays, texts, numbers, booleans and nulls; shared where aliases are. */
  readonly value: unknown;
  /** False when the YAML itself is broken and `value` is only what could be read. */
  readonly isWhole: boolean;
  /** Where the document begins. */
  readonly start: Position;
  /** The place of the key (or list item) or of the value at `path`; of the nearest parent that exists when it does not. */
  at(path: Path, part?: "key" | "value"): Position;
  /** What the author wrote for the number or word at `path`; undefined for everything else. */
  written(path: Path): string | undefined;
}

/**
 * The documents of one file.
 *
 * YAML 1.2 core schema whatever a directive says (so `no` is a text); no merge keys, no tags, keys are texts. Duplicate keys are
 * found here, because the library compares every pair of keys (170,000 keys fit into one file). Aliases are followed within bounds.
 */
export function readDocuments({ file, text }: SourceText): {
  readonly documents: readonly YamlDocument[];
  readonly notes: readonly Note[];
} {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    stringKeys: true,
    schema: "core",
    resolveKnownTags: false,
    logLevel: "silent",
  });
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const notes: Note[] = [];
  const documents: YamlDocument[] = [];
  for (const document of parsed) {
    const problems = syntaxNotes(document, place);
    const reader = new Reader(place);
    const value = document.contents === null ? null : reader.read(document.contents, 0);
    const isTooDeep = reader.notes.some(({ code }) => code === "too-deep"); // then the library's depth says nothing more
    notes.push(...problems.filter(({ code }) => !isTooDeep || code !== "too-deep"), ...reader.notes);
    if (value === null && problems.length === 0) continue;
    documents.push(locatable(file, document, value, problems.length + reader.notes.length === 0, reader.targets, place));
  }
  return { documents, notes };
}

type Place = (offset: number) => Position;

/** At most this many of the library's messages per document: the first one is nearly always the cause of the others. */
const SYNTAX_NOTES = 3;

function syntaxNotes(document: Document.Parsed, place: Place): readonly Note[] {
  const errors = [...document.errors, ...document.warnings].sort((a, b) => a.pos[0] - b.pos[0]);
  const cause = errors.find(({ code }) => code === "TAB_AS_INDENT" || code === "RESOURCE_EXHAUSTION");
  return (cause === undefined ? errors.slice(0, SYNTAX_NOTES) : [cause]).map((error) => syntaxNote(error, place));
}

function syntaxNote(error: YAMLError, place: Place): Note {
  const at = place(error.pos[0]);
  if (error.code === "TAB_AS_INDENT") {
    return {
      severity: "error",
      code: "tab-indentation",
      at,
      summary: "a tab is used for indentation",
      detail: "YAML allows spaces only",
    };
  }
  if (error.code === "RESOURCE_EXHAUSTION") return nestingNote(at);
  if (error.code === "TAG_RESOLVE_FAILED") {
    return {
      severity: "error",
      code: "tag",
      at,
      summary: "a YAML tag",
      detail: "Definitions are plain data; remove what begins with !",
    };
  }
  return { severity: "error", code: "yaml-syntax", at, summary: `not YAML: ${plainMessage(error.message)}` };
}

function plainMessage(message: string): string {
  const line = message.split("\n", 1)[0] ?? "";
  return line.slice(0, 160).replace(/[.:]$/, "");
}

function nestingNote(at: Position): Note {
  const detail = `At most ${LIMITS.nesting} lists and mappings inside one another; an alias must not stand inside what it names`;
  return { severity: "error", code: "too-deep", at, summary: "nested too deeply", detail };
}

/** Turns nodes into plain data; one per document, because anchors end with their document. */
class Reader {
  readonly notes: Note[] = [];
  /** What each alias stands for: the latest node with that anchor before it. */
  readonly targets = new Map<Node, Node>();
  readonly #anchors = new Map<string, Node>();
  readonly #place: Place;
  #aliasValues = 0;
  #aliasDepth = 0;

  constructor(place: Place) {
    this.#place = place;
  }

  read(node: Node, depth: number): unknown {
    if (this.#aliasDepth > 0) this.#aliasValues += 1;
    if (this.#aliasValues > LIMITS.aliasValues) return this.#refuse(node, aliasNote);
    if (depth > LIMITS.nesting) return this.#refuse(node, nestingNote);
    if (isAlias(node)) return this.#readAlias(node, node.source, depth);
    if (this.#aliasDepth === 0 && node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) return node.value;
    if (isSeq(node)) return node.items.map((item) => this.#readChild(item, depth));
    return this.#readMap(node.items as readonly Pair<Node, Node | null>[], depth);
  }

  #readChild(child: unknown, depth: number): unknown {
    return child === null || child === undefined ? null : this.read(child as Node, depth + 1); // items of parsed collections are nodes
  }

  #readAlias(alias: Node, name: string, depth: number): unknown {
    const target = this.targets.get(alias) ?? this.#anchors.get(name);
    if (target === undefined) {
      this.#add({
        severity: "error",
        code: "unknown-alias",
        at: this.#placeOf(alias),
        summary: `the alias *${name.slice(0, 80)} names no anchor before it`,
        detail: `Put &${name.slice(0, 80)} before the value that is meant, or quote the text`,
      });
      return null;
    }
    this.targets.set(alias, target);
    this.#aliasDepth += 1;
    const value = this.read(target, depth + 1);
    this.#aliasDepth -= 1;
    return value;
  }

  #readMap(pairs: readonly Pair<Node, Node | null>[], depth: number): unknown {
    const values: Record<string, unknown> = {};
    const seen = new Map<string, Node>();
    for (const { key, value } of pairs) {
      const name = isScalar(key) ? String(key.value) : undefined;
      if (name === undefined) continue; // the library has already told that the key is no text
      const first = seen.get(name);
      if (first !== undefined && this.#aliasDepth === 0) this.#addDuplicate(name, key, first);
      if (name === "__proto__") this.#add(unknownKey(name, this.#placeOf(key)));
      else if (first === undefined) values[name] = this.#readChild(value, depth);
      seen.set(name, first ?? key);
    }
    return values;
  }

  #addDuplicate(name: string, key: Node, first: Node): void {
    const summary = `the key ${quote(name)} is there twice`;
    const detail = `The first is at line ${this.#placeOf(first).line}; keep one`;
    this.#add({ severity: "error", code: "duplicate-key", at: this.#placeOf(key), summary, detail });
  }

  #refuse(node: Node, note: (at: Position) => Note): null {
    const made = note(this.#placeOf(node));
    if (!this.notes.some(({ code }) => code === made.code)) this.#add(made);
    return null;
  }

  #add(note: Note): void {
    if (this.notes.length < LIMITS.notesPerFile + 1) this.notes.push(note);
  }

  #placeOf(node: Node): Position {
    return this.#place(node.range?.[0] ?? 0);
  }
}

function aliasNote(at: Position): Note {
  const summary = `aliases stand for more than ${LIMITS.aliasValues} values`;
  return { severity: "error", code: "alias-bomb", at, summary, detail: "Write the values out, or use labels and selectors" };
}

function unknownKey(name: string, at: Position): Note {
  return { severity: "error", code: "unknown-key", at, summary: `unknown key ${quote(name)}`, detail: "Remove it" };
}

function locatable(
  file: string,
  document: Document.Parsed,
  value: unknown,
  isWhole: boolean,
  targets: ReadonlyMap<Node, Node>,
  place: Place,
): YamlDocument {
  const start = place(document.contents?.range?.[0] ?? document.range[0]);
  const follow = (node: Node | null): Node | null => {
    let target = node;
    while (target !== null && isAlias(target)) target = targets.get(target) ?? null;
    return target;
  };
  return {
    file,
    value,
    isWhole,
    start,
    written(path) {
      let node: Node | null = document.contents;
      for (const step of path) node = child(follow(node), step)?.value ?? null;
      const found = follow(node);
      return isScalar(found) && found.type === "PLAIN" ? found.source : undefined;
    },
    at(path, part = "value") {
      let node: Node | null = document.contents;
      let offset = node?.range?.[0];
      for (const step of path) {
        node = follow(node);
        const found = child(node, step);
        if (found === undefined) break;
        node = found.value;
        const first = part === "value" ? (found.value ?? found.key) : (found.key ?? found.value);
        offset = first?.range?.[0] ?? offset;
      }
      return offset === undefined ? start : place(offset);
    },
  };
}

function child(node: Node | null, step: PropertyKey): { readonly key: Node | null; readonly value: Node | null } | undefined {
  if (isSeq(node) && typeof step === "number") {
    const item = node.items[step];
    return item === undefined ? undefined : { key: null, value: item as Node | null };
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === step);
  return pair === undefined ? undefined : { key: pair.key as Node, value: (pair.value ?? null) as Node | null };
}
