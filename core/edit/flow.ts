import type { Node, Pair, YAMLMap, YAMLSeq } from "yaml";
import type { Edited } from "./edited.ts";

/** `[a, b]` → `[a, b, item]`. */
export function appendFlow(text: string, list: YAMLSeq, item: string): Edited {
  return addLast(text, list, list.items.map(endOf), item);
}

/** `{a: 1}` → `{a: 1, entry}`. */
export function setFlow(text: string, map: YAMLMap, entry: string): Edited {
  return addLast(text, map, map.items.map(endOfPair), entry);
}

/** `[a, b, c]` without one item and the comma that went with it. */
export function removeFlow(text: string, list: YAMLSeq, index: number): Edited {
  const start = startOf(list.items[index]);
  const end = endOf(list.items[index]);
  if (start === undefined || end === undefined) return { refused: "the item has no place of its own" };
  const next = startOf(list.items[index + 1]);
  if (next !== undefined) return isPlain(text.slice(end, next)) ? cut(text, start, next) : commented;
  const previous = index === 0 ? undefined : endOf(list.items[index - 1]);
  if (previous === undefined) return cut(text, start, end);
  return isPlain(text.slice(previous, start)) ? cut(text, previous, end) : commented;
}

const commented: Edited = { refused: "a comment stands between the items" };

function addLast(text: string, collection: YAMLMap | YAMLSeq, ends: readonly (number | undefined)[], entry: string): Edited {
  const [start, end] = collection.range ?? [0, 0];
  const last = ends.at(-1);
  if (ends.length === 0) {
    if (!/^[[{]\s*[\]}]$/.test(text.slice(start, end))) return { refused: "a comment stands in the empty list" };
    return { ok: `${text.slice(0, start + 1)}${entry}${text.slice(end - 1)}` };
  }
  if (last === undefined) return { refused: "the last item has no place of its own" };
  const comma = /^\s*,/.exec(text.slice(last, end))?.[0];
  if (comma === undefined) return { ok: `${text.slice(0, last)}, ${entry}${text.slice(last)}` };
  const after = last + comma.length; // `[a, b,]`: stays so
  const line = text.slice(text.lastIndexOf("\n", last) + 1, last);
  const isOwnLine = /\n\s*[\]}]$/.test(text.slice(last, end)) && !/[[{]/.test(line);
  if (!isOwnLine) return { ok: `${text.slice(0, after)} ${entry},${text.slice(after)}` };
  const indent = /^[ \t]*/.exec(line)?.[0] ?? "";
  const lineEnd = text.indexOf("\n", after); // after the line's own comment; the closing bracket is on a later one
  const newline = text[lineEnd - 1] === "\r" ? "\r\n" : "\n";
  return { ok: `${text.slice(0, lineEnd + 1)}${indent}${entry},${newline}${text.slice(lineEnd + 1)}` };
}

function cut(text: string, start: number, end: number): Edited {
  return { ok: text.slice(0, start) + text.slice(end) };
}

function isPlain(between: string): boolean {
  return /^[\s,]*$/.test(between);
}

function startOf(item: unknown): number | undefined {
  return (item as Node | undefined)?.range?.[0];
}

function endOf(item: unknown): number | undefined {
  return (item as Node | undefined)?.range?.[1];
}

function endOfPair(pair: Pair): number | undefined {
  return endOf(pair.value) ?? endOf(pair.key);
}
