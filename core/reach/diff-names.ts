import { anyV4, anyV6, equals, formatRange, toRanges, unionAll } from "../address/index.ts";
import type { Matrix, PartyClass } from "./classes.ts";
import { SOURCE_OF } from "./diff-lines.ts";
import type { DiffSide, DiffView } from "./diff-lines.ts";
import { canMeet } from "./ends.ts";
import type { Source } from "./source.ts";

/** Names listed before "and N more" in a short text, and in a full one: the bound on what one line can cost. */
const SHORT = 3;
const FULL = 1_000;
/** `any but a, b`: up to so many names it is said so, even where those that are meant have fewer. */
const EXCEPTIONS = 3;

/** One end of a line, in words. */
export interface PartyNames {
  /** At most a few names, then "and N more". */
  readonly short: string;
  /** All names (at most 1,000). */
  readonly full: string;
  /** True for `any` and `any but …`: a count of this end would say nothing. */
  readonly isAny: boolean;
  /** Everybody whom the words mean: more than was asked for where somebody cannot have such a connection. */
  readonly meant: readonly PartyClass[];
}

/** The other end of the line: all whom its words mean. */
interface Beside {
  readonly others: readonly PartyClass[];
  readonly role: "from" | "to";
}

/**
 * Classes in words that say neither more nor less than them: `any`, `any but web`, segments all of whose members are meant, else
 * workloads and ranges. Who cannot have a connection with the other end (itself, another address family, not there at that time) may
 * stand in a name without being meant.
 */
export function nameParties(view: DiffView, side: DiffSide, parties: readonly PartyClass[], beside: Beside): PartyNames {
  const names = namesOf(view.matrix, side);
  const isIdle = idleBeside(view, side, beside);
  const left = leftOut(view.matrix.classes, parties, isIdle);
  const all = view.matrix.classes;
  if (left.length === 0 && parties.length > 0) return { short: "any", full: "any", isAny: true, meant: all };
  const said = wordsFor(parties, names, isIdle);
  const but = canExcept(parties, left) ? wordsFor(left, names, isIdle) : undefined;
  const isFew = but !== undefined && but.words.length <= EXCEPTIONS && !left.some(({ kind }) => kind === "addresses");
  if (but !== undefined && (isFew || but.words.length < said.words.length)) {
    const excepted = new Set(but.meant);
    const meant = all.filter((one) => !excepted.has(one));
    return { short: `any but ${shorten(but.words, SHORT)}`, full: `any but ${shorten(but.words, FULL)}`, isAny: true, meant };
  }
  return { short: shorten(said.words, SHORT), full: shorten(said.words, FULL), isAny: false, meant: said.meant };
}

/** `any but …` is what people would say where addresses outside are meant, or most workloads and no address is left out. */
function canExcept(parties: readonly PartyClass[], left: readonly PartyClass[]): boolean {
  if (parties.some(({ kind }) => kind === "addresses")) return true;
  return !left.some(({ kind }) => kind === "addresses") && isMost(parties, [...parties, ...left]);
}

function leftOut(classes: readonly PartyClass[], parties: readonly PartyClass[], isIdle: (one: PartyClass) => boolean) {
  const chosen = new Set(parties);
  return classes.filter((one) => !chosen.has(one) && !isIdle(one));
}

interface Said {
  readonly words: readonly string[];
  readonly meant: readonly PartyClass[];
}

/** Segments of which every member is among the classes, the largest first; then what is left, workload by workload. */
function wordsFor(parties: readonly PartyClass[], names: Names, isIdle: (one: PartyClass) => boolean): Said {
  const chosen = new Set(parties);
  const segments = [...new Set(parties.flatMap((one) => names.ofClass.get(one) ?? []))]
    .map((name) => ({ name, members: names.members.get(name) ?? [] }))
    .filter(({ members }) =>
      isMost(
        members.filter((one) => chosen.has(one)),
        members,
      ),
    )
    .filter(({ members }) => members.every((one) => chosen.has(one) || isIdle(one)))
    .sort((a, b) => weight(b.members) - weight(a.members) || (a.name < b.name ? -1 : 1));
  const left = new Set(parties);
  const words: string[] = [];
  const meant = new Set(parties);
  for (const { name, members } of segments) {
    if (!members.some((one) => left.has(one))) continue;
    words.push(name);
    for (const one of members) {
      left.delete(one);
      meant.add(one);
    }
  }
  return { words: [...words, ...plainNames([...left], names.sizes)], meant: [...meant] };
}

/** True for what no connection of the line can be of: not there then, another family, or the only one at the other end itself. */
function idleBeside(view: DiffView, side: DiffSide, { others, role }: Beside): (one: PartyClass) => boolean {
  const ends = view.ends[SOURCE_OF[side]];
  return (one) =>
    !ends.has(one) ||
    others.every((other) => {
      const [from, to] = role === "from" ? [one, other] : [other, one];
      return !canMeet(from, to) || (from === to && one.workloads.length === 1);
    });
}

/** True when at least half of the workloads (of the classes, where there are none) are meant: else the name would be odd. */
function isMost(meant: readonly PartyClass[], all: readonly PartyClass[]): boolean {
  return meant.length > 0 && weight(meant) * 2 >= weight(all);
}

function weight(classes: readonly PartyClass[]): number {
  const workloads = classes.reduce((sum, one) => sum + one.workloads.length, 0);
  return workloads === 0 ? classes.length : workloads;
}

interface Names {
  readonly ofClass: ReadonlyMap<PartyClass, readonly string[]>;
  readonly members: ReadonlyMap<string, readonly PartyClass[]>;
  /** How many workloads have a name: the pods of a controller share one. */
  readonly sizes: ReadonlyMap<string, number>;
}

const named = { 0: new WeakMap<Matrix, Names>(), 1: new WeakMap<Matrix, Names>() };

/** Segments of each class, as the source that has the connection knows them. */
function namesOf(matrix: Matrix, side: DiffSide): Names {
  const first = SOURCE_OF[side];
  const known = named[first].get(matrix);
  if (known !== undefined) return known;
  const at = [first, 1 - first].find((position) => matrix.sources[position]?.segmentsOf !== undefined);
  const source: Source | undefined = at === undefined ? undefined : matrix.sources[at];
  const ofClass = new Map<PartyClass, readonly string[]>();
  const members = new Map<string, PartyClass[]>();
  for (const one of matrix.classes) {
    const party = at === undefined ? undefined : one.parties[at];
    const list = party === undefined ? [] : (source?.segmentsOf?.(party) ?? []);
    ofClass.set(one, list);
    for (const name of list) {
      const known = members.get(name);
      if (known === undefined) members.set(name, [one]);
      else known.push(one);
    }
  }
  const sizes = new Map<string, number>();
  for (const { workloads } of matrix.classes) for (const { name } of workloads) sizes.set(name, (sizes.get(name) ?? 0) + 1);
  const names = { ofClass, members, sizes };
  named[first].set(matrix, names);
  return names;
}

/** Workloads by name (by id where others of that name are not meant), then addresses. */
function plainNames(classes: readonly PartyClass[], sizes: ReadonlyMap<string, number>): readonly string[] {
  const byName = Map.groupBy(
    classes.flatMap((one) => one.workloads),
    ({ name }) => name,
  );
  const workloads = [...byName]
    .flatMap(([name, some]) => (some.length === sizes.get(name) ? [name] : some.map(({ id }) => id)))
    .sort();
  const outside = classes.flatMap((one) => (one.kind === "addresses" ? [one.addresses] : []));
  if (outside.length === 0) return workloads;
  const whole = unionAll(outside);
  if (equals(whole, unionAll([anyV4, anyV6]))) return [...workloads, "any address outside"];
  if (equals(whole, anyV4)) return [...workloads, "any IPv4 address outside"];
  if (equals(whole, anyV6)) return [...workloads, "any IPv6 address outside"];
  return [...workloads, ...toRanges(whole).map(formatRange)];
}

function shorten(names: readonly string[], most: number): string {
  if (names.length <= most + 1) return names.join(", ");
  return `${names.slice(0, most).join(", ")} and ${names.length - most} more`;
}
