import { isLineEnd, skipSpaces, takeKey, takeValue, UNUSUAL } from "./plain-scalar.ts";
import type { Unusual } from "./plain-scalar.ts";

/** A document that was read fast, and the line (from 0) on which it begins. */
export interface PlainDocument {
  readonly value: unknown;
  readonly line: number;
}

/**
 * One YAML document of the kind that tools write and most people do: block mappings and sequences, scalars that fit on a line, literal
 * texts (`|`), small flow collections, comments.
 *
 * A whole YAML parser is ten times slower, and a cluster is megabytes. Whatever is not plainly of that kind is `UNUSUAL`, and the
 * caller asks the library; so are all mistakes, which the library words. What is returned is what the library would return.
 */
export function readPlainYaml(text: string): PlainDocument | Unusual {
  const reader = new PlainReader(text.split(text.includes("\r\n") ? /\r?\n/ : "\n"));
  return reader.read();
}

const MOST_ALIASES = 100;

/** Thrown inside the reader only, and caught there. */
class UnusualError extends Error {}

class PlainReader {
  readonly #lines: readonly string[];
  /** The line that is looked at, without blank lines and comments. */
  #at = -1;
  /** Its first column that is not a space; a sequence entry's rest begins behind the dash. -1: there is no line left. */
  #column = -1;
  readonly #anchors = new Map<string, unknown>();
  #aliases = 0;

  constructor(lines: readonly string[]) {
    this.#lines = lines;
  }

  read(): PlainDocument | Unusual {
    try {
      this.#next();
      const line = Math.max(this.#at, 0);
      if (this.#column < 0) return { value: null, line };
      if (this.#column !== 0 || this.#isDash()) return UNUSUAL;
      const value = this.#mapping(0);
      return this.#column < 0 ? { value, line } : UNUSUAL;
    } catch (error) {
      if (error instanceof UnusualError) return UNUSUAL;
      throw error;
    }
  }

  /** To the next line with content. */
  #next(): void {
    for (this.#at += 1; this.#at < this.#lines.length; this.#at += 1) {
      const line = this.#lines[this.#at] as string;
      const column = skipSpaces(line, 0);
      if (column === line.length || line[column] === "#") continue;
      this.#column = column;
      return;
    }
    this.#column = -1;
  }

  #line(): string {
    return this.#lines[this.#at] as string;
  }

  /** Is there a sequence entry at the column? */
  #isDash(): boolean {
    const line = this.#line();
    return line[this.#column] === "-" && (line[this.#column + 1] === " " || line.length === this.#column + 1);
  }

  /** Keys at one column, until a line begins before it. */
  #mapping(column: number): Record<string, unknown> {
    const value: Record<string, unknown> = {};
    while (this.#column === column && !(this.#isDash() && this.#isWholeLine())) {
      const found = takeKey(this.#line(), column);
      if (found === undefined || Object.hasOwn(value, found.key)) throw new UnusualError();
      value[found.key] = this.#valueAt(found.end, column, true);
    }
    if (this.#column > column) throw new UnusualError();
    return value;
  }

  /** Entries whose dashes are at one column. */
  #sequence(column: number): unknown[] {
    const value: unknown[] = [];
    while (this.#column === column && this.#isDash()) {
      const line = this.#line();
      const start = skipSpaces(line, column + 1);
      if (start === line.length || line[start] === "#") throw new UnusualError();
      this.#column = start;
      if (this.#isDash()) value.push(this.#sequence(start));
      else if (takeKey(line, start) !== undefined) value.push(this.#mapping(start));
      else value.push(this.#valueAt(start, column, false));
    }
    if (this.#column > column) throw new UnusualError();
    return value;
  }

  /** What follows a colon or a dash: on the line, or as a block on those below, which are deeper than `parent`. */
  #valueAt(at: number, parent: number, isOfKey: boolean): unknown {
    const line = this.#line();
    const start = skipSpaces(line, at);
    if (start < line.length && line[start] !== "#") {
      if (line[start] === "|") return this.#literal(line, start, parent);
      if (line[start] === "&") return this.#anchored(line, start, parent, isOfKey);
      if (line[start] === "*") return this.#alias(line, start, parent);
      const taken = takeValue(line, start, false);
      if (taken === UNUSUAL || !isLineEnd(line, taken.end)) throw new UnusualError();
      this.#next();
      if (this.#column > parent) throw new UnusualError(); // it goes on below
      return taken.value;
    }
    this.#next();
    if (this.#column === parent && isOfKey && this.#isDash()) return this.#sequence(parent);
    if (this.#column <= parent) return null;
    return this.#isDash() ? this.#sequence(this.#column) : this.#mapping(this.#column);
  }

  /** `&name` and a value without aliases; a name that comes twice is left to the library. */
  #anchored(line: string, start: number, parent: number, isOfKey: boolean): unknown {
    const name = takeName(line, start + 1);
    const rest = skipSpaces(line, start + 1 + name.length);
    if (this.#anchors.has(name) || "&*|#".includes(line[rest] ?? " ")) throw new UnusualError();
    const before = this.#aliases;
    const value = this.#valueAt(rest, parent, isOfKey);
    if (value === null || this.#aliases !== before || this.#anchors.has(name)) throw new UnusualError();
    this.#anchors.set(name, value);
    return value;
  }

  /** `*name` of an anchor that came before; few of them, as the library takes only so many. */
  #alias(line: string, start: number, parent: number): unknown {
    const name = takeName(line, start + 1);
    this.#aliases += 1;
    if (!this.#anchors.has(name) || this.#aliases > MOST_ALIASES || !isLineEnd(line, start + 1 + name.length))
      throw new UnusualError();
    this.#next();
    if (this.#column > parent) throw new UnusualError();
    return this.#anchors.get(name);
  }

  /** A literal text: lines deeper than `parent`, as they are. */
  #literal(line: string, start: number, parent: number): string {
    const header = line.slice(start).trimEnd();
    if (header !== "|" && header !== "|-") throw new UnusualError();
    const first = this.#lines[this.#at + 1] ?? "";
    const indent = skipSpaces(first, 0);
    if (indent <= parent || indent === first.length) throw new UnusualError();
    const texts: string[] = [];
    let at = this.#at + 1;
    for (; at < this.#lines.length; at += 1) {
      const text = this.#lines[at] as string;
      const column = skipSpaces(text, 0);
      if (column < indent && column < text.length) break;
      if (column === text.length && column > indent) throw new UnusualError(); // spaces that may belong to the text
      texts.push(text.slice(indent));
    }
    this.#at = at - 1;
    this.#next();
    if (this.#column > parent) throw new UnusualError();
    return texts.join("\n").replace(/\n*$/, header === "|" ? "\n" : "");
  }

  /** False behind the dash of a sequence entry. */
  #isWholeLine(): boolean {
    return skipSpaces(this.#line(), 0) === this.#column;
  }
}

/** The name of an anchor, which a space or the end of the line follows. */
function takeName(line: string, at: number): string {
  const name = /^[A-Za-z0-9_-]{1,50}(?= |$)/.exec(line.slice(at, at + 52))?.[0];
  if (name === undefined) throw new UnusualError();
  return name;
}
