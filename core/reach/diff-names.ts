import { anyV4, anyV6, equals, formatRange, toRanges, unionAll } from "../address/index.ts";
import { isSubsetPorts } from "../address/ports.ts";
import type { Matrix, PartyClass } from "./classes.ts";
import type { DiffView } from "./diff-lines.ts";
import { canMeet } from "./ends.ts";
import type { Source } from "./source.ts";

/** Names listed before "and N more". */
const NAMES = 3;

/** The other side of what is named: who belongs to a name without having changed must have the ports anyway. */
interface Beside {
  readonly ports: number;
  readonly others: readonly PartyClass[];
  readonly role: "from" | "to";
}

/**
 * Classes in words people use: `any`, the segments that they exactly are, else workloads and ranges. A segment counts as exact also
 * when those of its members that did not change have the ports anyway.
 */
export function nameParties(view: DiffView, side: "opened" | "closed", parties: readonly PartyClass[], beside: Beside): string {
  const names = namesOf(view.matrix, side);
  const chosen = new Set(parties);
  const isCovered = coverage(view, side, chosen, beside);
  if (isMost(parties, view.matrix.classes) && view.matrix.classes.every(isCovered)) return "any";
  const segments = [...new Set(parties.flatMap((one) => names.ofClass.get(one) ?? []))]
    .map((name) => ({ name, members: names.members.get(name) ?? [] }))
    .filter(
      ({ members }) =>
        isMost(
          members.filter((one) => chosen.has(one)),
          members,
        ) && members.every(isCovered),
    )
    .sort((a, b) => weight(b.members) - weight(a.members) || (a.name < b.name ? -1 : 1));
  const left = new Set(parties);
  const words: string[] = [];
  for (const { name, members } of segments) {
    if (!members.some((one) => left.has(one))) continue;
    words.push(name);
    for (const one of members) left.delete(one);
  }
  return shorten([...words, ...plainNames([...left])], "more");
}

/** True for what is named, what has the ports anyway, and what cannot have them: itself, or another family. */
function coverage(view: DiffView, side: "opened" | "closed", chosen: ReadonlySet<PartyClass>, beside: Beside) {
  const ends = view.ends[side === "opened" ? 1 : 0];
  const wanted = ends.ports.ports(beside.ports);
  return (one: PartyClass): boolean => {
    if (chosen.has(one)) return true;
    return beside.others.every((other) => {
      const [from, to] = beside.role === "from" ? [one, other] : [other, one];
      if (!canMeet(from, to) || !ends.has(one) || (from === to && one.workloads.length === 1)) return true;
      return isSubsetPorts(wanted, ends.ports.ports(ends.connection(from, to).now));
    });
  };
}

/** True when at least half of the workloads (of the classes, where there are none) changed: else the name would say too much. */
function isMost(changed: readonly PartyClass[], all: readonly PartyClass[]): boolean {
  return changed.length > 0 && weight(changed) * 2 >= weight(all);
}

function weight(classes: readonly PartyClass[]): number {
  const workloads = classes.reduce((sum, one) => sum + one.workloads.length, 0);
  return workloads === 0 ? classes.length : workloads;
}

interface Names {
  readonly ofClass: ReadonlyMap<PartyClass, readonly string[]>;
  readonly members: ReadonlyMap<string, readonly PartyClass[]>;
}

const named = { opened: new WeakMap<Matrix, Names>(), closed: new WeakMap<Matrix, Names>() };

/** Segments of each class, as the side that has the connection knows them. */
function namesOf(matrix: Matrix, side: "opened" | "closed"): Names {
  const known = named[side].get(matrix);
  if (known !== undefined) return known;
  const order = side === "opened" ? [1, 0] : [0, 1];
  const at = order.find((position) => matrix.sources[position]?.segmentsOf !== undefined);
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
  const names = { ofClass, members };
  named[side].set(matrix, names);
  return names;
}

/** Workloads by name, then addresses. */
function plainNames(classes: readonly PartyClass[]): readonly string[] {
  const workloads = [...new Set(classes.flatMap((one) => one.workloads.map(({ name }) => name)))].sort();
  const outside = classes.flatMap((one) => (one.kind === "addresses" ? [one.addresses] : []));
  if (outside.length === 0) return workloads;
  const whole = unionAll(outside);
  if (equals(whole, unionAll([anyV4, anyV6]))) return [...workloads, "any address outside"];
  if (equals(whole, anyV4)) return [...workloads, "any IPv4 address outside"];
  if (equals(whole, anyV6)) return [...workloads, "any IPv6 address outside"];
  return [...workloads, ...toRanges(whole).map(formatRange)];
}

function shorten(names: readonly string[], word: string): string {
  if (names.length <= NAMES + 1) return names.join(", ");
  return `${names.slice(0, NAMES).join(", ")} and ${names.length - NAMES} ${word}`;
}
