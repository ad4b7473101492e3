import type { Node, Pair, YAMLMap, YAMLSeq } from "yaml";
import type { Edited } from "./edited.ts";

/** Adds `- item` below the last item, at the list's own indentation. */
export function appendBlock(text: string, list: YAMLSeq, item: string): Edited {
  const last = list.items.at(-1) as Node | undefined;
  const dash = dashOf(text, last);
  if (dash === undefined || last?.range === undefined || last.range === null)
    return { refused: "the list's last item has no place of its own" };
  return insertBelow(text, last.range[1], `${" ".repeat(dash.column)}-${gapAfter(text, dash.offset)}${item}`);
}

/** Adds `key: value` below the map's last pair, at the map's own indentation. */
export function setBlock(text: string, map: YAMLMap, entry: string): Edited {
  const last = map.items.at(-1) as Pair<Node, Node | null> | undefined;
  const key = last?.key.range;
  const end = (last?.value?.range ?? key)?.[1];
  if (key === undefined || key === null || end === undefined) return { refused: "the map's last key has no place of its own" };
  const lineStart = text.lastIndexOf("\n", key[0] - 1) + 1;
  return insertBelow(text, end, `${" ".repeat(key[0] - lineStart)}${entry}`);
}

/** Removes the lines of one item; comments on lines of their own stay. */
export function removeBlock(text: string, list: YAMLSeq, index: number): Edited {
  if (list.items.length === 1) return { refused: "it is the only item of its list" };
  const item = list.items[index] as Node | undefined;
  const dash = dashOf(text, item);
  if (dash === undefined || item?.range === undefined || item.range === null)
    return { refused: "the item has no place of its own" };
  const lineStart = dash.offset - dash.column;
  if (!/^ *$/.test(text.slice(lineStart, dash.offset))) return { refused: "its line holds something else too" };
  return { ok: text.slice(0, lineStart) + text.slice(endOfLine(text, item.range[1])) };
}

interface Dash {
  readonly offset: number;
  readonly column: number;
}

/** The `-` before an item: the nearest one with only blanks, an anchor or a tag between. */
function dashOf(text: string, item: Node | undefined): Dash | undefined {
  const start = item?.range?.[0];
  if (start === undefined) return undefined;
  const before = /-((?:[ \t]+|[ \t]*\r?\n[ \t]*)(?:[&!]\S*[ \t]+)*)$/.exec(text.slice(0, start));
  if (before === null) return undefined;
  return { offset: before.index, column: before.index - (text.lastIndexOf("\n", before.index - 1) + 1) };
}

/** As many blanks after the new dash as after the old one, when it stands on one line with its item. */
function gapAfter(text: string, dash: number): string {
  return /^-( +)\S/.exec(text.slice(dash, dash + 40))?.[1] ?? " ";
}

/** A line below the one where a node ends, after that line's own comment. */
function insertBelow(text: string, end: number, line: string): Edited {
  const newline = text.includes("\r\n") ? "\r\n" : "\n";
  const at = endOfLine(text, end);
  const isTerminated = at > 0 && text[at - 1] === "\n";
  return {
    ok: isTerminated
      ? `${text.slice(0, at)}${line}${newline}${text.slice(at)}`
      : `${text.slice(0, at)}${newline}${line}${text.slice(at)}`,
  };
}

/** Just after the line break that ends the line in which a node ends; a block of text ends with its line break already. */
function endOfLine(text: string, end: number): number {
  if (end > 0 && text[end - 1] === "\n") return end;
  const newline = text.indexOf("\n", end);
  return newline < 0 ? text.length : newline + 1;
}
