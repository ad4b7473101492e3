/** Said of what the fast reader leaves to the YAML library. */
export const UNUSUAL: unique symbol = Symbol("unusual");

export type Unusual = typeof UNUSUAL;

/** A value that was read, and where the reading stopped. */
export interface Taken {
  readonly value: unknown;
  readonly end: number;
}

/** A text without an escape that JSON does not know too. */
const QUOTED = /"(?:[^"\\\p{Cc}]|\\(?:["\\bfnrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4}))*"|'[^'\p{Cc}]*'/uy;

/** Beginnings and characters of plain scalars that mean nothing else anywhere; in flow collections there are fewer. */
const PLAIN = /(?:[A-Za-z0-9_/.]|:(?=[A-Za-z0-9_/.:]))(?:[A-Za-z0-9_./+=,@*()$&%;<>|'"!?~^-]|:(?=[^\s])| +(?=[^\s#:]))*/uy;
const FLOW_PLAIN = /[A-Za-z0-9_/.][A-Za-z0-9_./+=@*-]*/uy;

const KEY = /(?:[A-Za-z0-9_/.][A-Za-z0-9_/.-]{0,200}|"[A-Za-z0-9_/. -]{0,200}"|'[A-Za-z0-9_/. -]{0,200}'):(?= |$)/uy;

/** Words that are no texts, in any spelling; whether this one is, the library says. */
const WORDS = /^(?:null|true|false|yes|no|on|off|y|n)$/i;
const SIMPLE_INTEGER = /^(?:0|[1-9][0-9]{0,14})$/;
/** Whatever could be taken for a number in one schema or another, though addresses are not. */
const NUMBER_LIKE = /^(?:\.?[0-9][0-9_]*\.?[0-9_]*(?:[eE][-+]?[0-9]+)?|0[xob][0-9a-fA-F_]+|\.(?:inf|nan))$/i;

/** A key with its colon, at `at`. */
export function takeKey(line: string, at: number): { readonly key: string; readonly end: number } | undefined {
  const text = match(KEY, line, at);
  if (text === undefined) return undefined;
  const isQuoted = text.startsWith('"') || text.startsWith("'");
  const key = isQuoted ? text.slice(1, -2) : text.slice(0, -1);
  if (key === "__proto__" || (!isQuoted && (WORDS.test(key) || NUMBER_LIKE.test(key)))) return undefined;
  return { key, end: at + text.length };
}

/** A scalar or a flow collection at `at`. */
export function takeValue(line: string, at: number, isInFlow: boolean): Taken | Unusual {
  const first = line[at];
  if (first === '"' || first === "'") return takeQuoted(line, at);
  if (first === "{") return takeFlowMapping(line, at);
  if (first === "[") return takeFlowSequence(line, at);
  const text = match(isInFlow ? FLOW_PLAIN : PLAIN, line, at);
  if (text === undefined) return UNUSUAL;
  const value = plainValue(text);
  return value === UNUSUAL ? UNUSUAL : { value, end: at + text.length };
}

function plainValue(text: string): unknown {
  if (SIMPLE_INTEGER.test(text)) return Number(text);
  return WORDS.test(text) ? wordValue(text) : NUMBER_LIKE.test(text) ? UNUSUAL : text;
}

/** The spellings that everybody uses. */
function wordValue(word: string): unknown {
  if (word === "true") return true;
  if (word === "false") return false;
  return word === "null" ? null : UNUSUAL;
}

function takeQuoted(line: string, at: number): Taken | Unusual {
  const text = match(QUOTED, line, at);
  if (text === undefined) return UNUSUAL;
  const end = at + text.length;
  if (text.startsWith("'")) return line[end] === "'" ? UNUSUAL : { value: text.slice(1, -1), end };
  return { value: JSON.parse(text) as unknown, end };
}

function takeFlowSequence(line: string, at: number): Taken | Unusual {
  const value: unknown[] = [];
  const end = takeFlowItems(line, at, "]", (start) => {
    const item = takeValue(line, start, true);
    if (item === UNUSUAL) return undefined;
    value.push(item.value);
    return item.end;
  });
  return end === undefined ? UNUSUAL : { value, end };
}

function takeFlowMapping(line: string, at: number): Taken | Unusual {
  const value: Record<string, unknown> = {};
  const end = takeFlowItems(line, at, "}", (start) => {
    const key = takeKey(line, start);
    if (key === undefined || Object.hasOwn(value, key.key)) return undefined;
    const item = takeValue(line, skipSpaces(line, key.end), true);
    if (item === UNUSUAL) return undefined;
    value[key.key] = item.value;
    return item.end;
  });
  return end === undefined ? UNUSUAL : { value, end };
}

/** Items with a comma between each two, up to the closing bracket; where that ends. */
function takeFlowItems(line: string, at: number, close: string, take: (start: number) => number | undefined): number | undefined {
  let next = skipSpaces(line, at + 1);
  if (line[next] === close) return next + 1;
  for (;;) {
    const end = take(next);
    if (end === undefined) return undefined;
    next = skipSpaces(line, end);
    if (line[next] === close) return next + 1;
    if (line[next] !== ",") return undefined;
    next = skipSpaces(line, next + 1);
  }
}

/** The first position from `at` that holds no space. */
export function skipSpaces(line: string, at: number): number {
  let end = at;
  while (line.charCodeAt(end) === 32) end += 1;
  return end;
}

/** True when nothing but a comment follows. */
export function isLineEnd(line: string, at: number): boolean {
  const end = skipSpaces(line, at);
  return end === line.length || (end > at && line[end] === "#");
}

function match(pattern: RegExp, line: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(line)?.[0];
}
