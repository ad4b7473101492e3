/** A mistake in JSON text: what, and at which offset. */
export interface JsonMistake {
  readonly problem: string;
  readonly offset: number;
  readonly code: "json-syntax" | "key-twice";
}

/** The values that stand one after another in a text, with the offset of each; or the first mistake. */
export function readJsonValues(
  text: string,
): readonly { readonly value: unknown; readonly offset: number; readonly end: number }[] | JsonMistake {
  const values: { value: unknown; offset: number; end: number }[] = [];
  let at = skipSpace(text, 0);
  while (at < text.length) {
    const found = endOfValue(text, at);
    if (typeof found !== "number") return found;
    const part = text.slice(at, found);
    try {
      values.push({ value: JSON.parse(part), offset: at, end: found });
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      const offset = at + Number(/position (\d+)/.exec(error.message)?.[1] ?? part.length);
      const problem = error.message.replace(/\s*\(line .*$| in JSON at position.*$/, "").slice(0, 120);
      return { problem, offset, code: "json-syntax" };
    }
    at = skipSpace(text, found);
  }
  return values;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && " \t\r\n".includes(text[at] as string)) at += 1;
  return at;
}

/** An object that is being read: its keys so far, and whether a key is next; an array has none. */
interface Level {
  readonly keys: Set<string> | undefined;
  isKeyNext: boolean;
}

/**
 * Where the value that begins at `start` ends: by brackets and texts alone, the platform's parser reads it after that. A key twice in one
 * object is a mistake: parsers keep the first, the last, or both.
 */
function endOfValue(text: string, start: number): number | JsonMistake {
  const levels: Level[] = [];
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') {
      const end = endOfText(text, at);
      if (end < 0) return { problem: "a text that does not end", offset: at, code: "json-syntax" };
      const level = levels.at(-1);
      if (level?.keys !== undefined && level.isKeyNext) {
        level.isKeyNext = false;
        if (text[skipSpace(text, end)] !== ":") return { problem: "a key without a colon", offset: at, code: "json-syntax" }; // YAML, perhaps
        const key = textOf(text.slice(at, end));
        if (level.keys.has(key)) return { problem: `the key ${JSON.stringify(key)} is there twice`, offset: at, code: "key-twice" };
        level.keys.add(key);
      }
      at = end - 1;
      if (levels.length === 0) return end;
    } else if (character === "{" || character === "[") {
      levels.push({ keys: character === "{" ? new Set() : undefined, isKeyNext: true });
    } else if (character === ",") {
      const level = levels.at(-1);
      if (level !== undefined) level.isKeyNext = true;
    } else if (character === "}" || character === "]") {
      levels.pop();
      if (levels.length === 0) return at + 1;
    } else if (levels.length === 0) return endOfWord(text, at);
  }
  return text.length;
}

function endOfText(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === "\\") at += 1;
    else if (text[at] === '"') return at + 1;
  }
  return -1;
}

/** A number or a word outside of everything. */
function endOfWord(text: string, start: number): number {
  let at = start;
  while (at < text.length && !' \t\r\n{["'.includes(text[at] as string)) at += 1;
  return Math.max(at, start + 1);
}

/** A key with its escapes resolved; one that no parser takes is itself. */
function textOf(quoted: string): string {
  if (!quoted.includes("\\")) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted) as string; // it is a text in quotes
  } catch (error) {
    if (error instanceof SyntaxError) return quoted;
    throw error;
  }
}
