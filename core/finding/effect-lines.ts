import type { FindingEffect, FullEffect } from "./finding.ts";

/** Lines of each part where an effect is told short; the last one says how many more there are. */
const MOST_LINES = 20;

/** What all lines together may be long, in characters: of a finding, which is stored, and of a plan, which is made when somebody asks. */
export const FINDING_LENGTH = 18_000;
export const PLAN_LENGTH = 300_000;

/** What opens, what closes, and what stays open beside it (absent: nobody asked). */
interface Parts<T> {
  readonly opened: readonly T[];
  readonly closed: readonly T[];
  readonly stays?: readonly T[];
}

type Write<T> = (item: T, isFull: boolean) => string;

/**
 * Both lengths in which an effect is told: a few lines with a few names each, and, where that leaves anything out, all of it as far as
 * `length` goes; what goes beyond is counted, never dropped in silence.
 *
 * @param write one connection in words: with a few names of an end, or with all
 */
export function tellLines<T>(
  { opened, closed, stays }: Parts<T>,
  write: Write<T>,
  length: number,
): Pick<FindingEffect, "opened" | "closed" | "stays" | "full"> {
  const few = (items: readonly T[]): readonly string[] => shortLines(items, (item) => write(item, false));
  const short = { opened: few(opened), closed: few(closed), ...(stays === undefined ? {} : { stays: few(stays) }) };
  if ([opened, closed, stays ?? []].every((items) => isWhole(items, write))) return short;
  const all = (items: readonly T[]) => fullLines(items, write, length / 3);
  const [opens, closes, stay] = [all(opened), all(closed), all(stays ?? [])];
  const more = { opened: opens.more, closed: closes.more, stays: stay.more };
  return { ...short, full: { opened: opens.lines, closed: closes.lines, stays: stay.lines, more } };
}

/** The lines, or the first of them and how many more there are; only those that are shown are written. */
export function shortLines<T>(items: readonly T[], write: (item: T) => string): readonly string[] {
  if (items.length <= MOST_LINES) return items.map(write);
  return [...items.slice(0, MOST_LINES - 1).map(write), `${items.length - MOST_LINES + 1} more`];
}

/** An effect as machines and messages of a bounded size get it: told short. */
export function shortEffect({ full: _, ...short }: FindingEffect): FindingEffect {
  return short;
}

/** All lines of an effect, and how many it has beyond its bound. */
export function wholeLines(effect: FindingEffect): FullEffect {
  const { opened, closed, stays = [], full } = effect;
  return full ?? { opened, closed, stays, more: { opened: 0, closed: 0, stays: 0 } };
}

function isWhole<T>(items: readonly T[], write: Write<T>): boolean {
  return items.length <= MOST_LINES && items.every((item) => write(item, true) === write(item, false));
}

function fullLines<T>(
  items: readonly T[],
  write: Write<T>,
  length: number,
): { readonly lines: readonly string[]; readonly more: number } {
  const lines: string[] = [];
  let left = length;
  for (const item of items) {
    const whole = write(item, true);
    const line = whole.length <= left ? whole : write(item, false);
    if (line.length > left) break;
    lines.push(line);
    left -= line.length;
  }
  return { lines, more: items.length - lines.length };
}
