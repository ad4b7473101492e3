import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from "yaml";
import type { Document, Node } from "yaml";
import type { Note, Position } from "../model/note.ts";
import type { ManifestDocument, ManifestFile, Path } from "./manifest-file.ts";
import { Refusal, valueOf } from "./yaml-value.ts";

/** Every plain scalar is a text to the library; `yaml-scalar.ts` says what it means to Kubernetes. */
const OPTIONS = {
  prettyErrors: false,
  schema: "failsafe",
  version: "1.2",
  uniqueKeys: false,
  resolveKnownTags: false,
  logLevel: "silent",
} as const;

/** Documents by the library, which knows all of YAML; `firstLine` lines of the file come before the text. */
export function readYamlSlowly(file: string, text: string, firstLine = 0): ManifestFile {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { ...OPTIONS, lineCounter: lines });
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { file, line: firstLine + Math.max(1, line), column: Math.max(1, col) };
  };
  const hasLeadingZeros = /[\s[{,:][-+]?0[0-9_]/.test(text);
  const notes: Note[] = [];
  const documents: ManifestDocument[] = [];
  const again = once(() => parseAllDocuments(text, OPTIONS)); // trees of big files are not kept for notes that nobody needs
  for (const [index, document] of parsed.entries()) {
    const value = valueUnlessRefused(document, text);
    if (value instanceof Refusal) {
      notes.push({ severity: "error", code: value.code, at: place(value.offset), summary: value.message });
      continue;
    }
    if (value === null) continue; // nothing but comments between two separators
    const start = place(document.contents?.range?.[0] ?? document.range[0]);
    const find = (path: Path): Found | undefined => {
      const found = path.length === 0 ? undefined : again()[index];
      return found === undefined ? undefined : nodeAt(found, path);
    };
    documents.push({
      file,
      value,
      hasLeadingZeros,
      at: (path) => {
        const found = find(path);
        return found === undefined ? start : place(found.offset);
      },
      written: (path) => {
        const node = find(path)?.node;
        return isScalar(node) && node.type === "PLAIN" ? node.source : undefined;
      },
    });
  }
  return { documents, notes };
}

function valueUnlessRefused(document: Document.Parsed, text: string): unknown {
  const [problem] = [...document.errors, ...document.warnings]
    .filter(({ code }) => code !== "TAG_RESOLVE_FAILED") // tags are looked at one by one
    .sort((a, b) => a.pos[0] - b.pos[0]);
  if (problem !== undefined) {
    if (/^(?:Invalid regular expression: .*Stack overflow|Maximum call stack)/.test(problem.message))
      throw new RangeError(problem.message); // the library caught that it ran out of it
    const words = (problem.message.split("\n", 1)[0] ?? "").slice(0, 160).replace(/[.:]$/, "");
    return new Refusal("yaml-syntax", `not YAML: ${words}`, problem.pos[0]);
  }
  try {
    return valueOf(document, text);
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

/** Makes a value when it is first asked for. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

interface Found {
  readonly offset: number;
  /** Undefined where only a parent was found. */
  readonly node: Node | undefined;
}

function nodeAt(document: Document.Parsed, path: Path): Found {
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
    if (next === undefined || next === null) return { offset, node: undefined };
    node = next as Node; // children of parsed collections are nodes
    offset = node.range?.[0] ?? offset;
  }
  return { offset, node: node ?? undefined };
}
