import { allOf, noPorts, type PortSet } from "../address/ports.ts";
import type { Direction } from "../model/kinds.ts";
import type { Matrix, PartyClass } from "./classes.ts";
import { canMeet } from "./ends.ts";
import type { ClassEnd, ClassEnds } from "./ends.ts";
import { NO_PORTS } from "./port-table.ts";

/** What changed between two classes, by their numbers; ports by number. */
export interface PairChange {
  readonly from: number;
  readonly to: number;
  readonly opened: number;
  readonly closed: number;
  /** What passed and passes on where something closed; nothing elsewhere. */
  readonly stays: number;
  /** The parts of the three that only `observe` lets pass. */
  readonly openedObserved: number;
  readonly closedObserved: number;
  readonly staysObserved: number;
}

/** A pair whose answer may be otherwise, before or after. */
export interface PairDoubt {
  readonly from: number;
  readonly to: number;
  readonly texts: readonly string[];
}

export interface Comparison {
  readonly changes: readonly PairChange[];
  readonly doubts: readonly PairDoubt[];
  /** True when there were too many pairs to look at all. */
  readonly isCut: boolean;
}

/** Pairs of classes compared before the rest is declared uncertain: the bound on work and memory. */
const PAIR_LIMIT = 30_000_000;
/** Pairs whose change is written down. */
const CHANGE_LIMIT = 4_000_000;

/** By families that both ends have: ICMP is of IPv4, ICMPv6 of IPv6. */
const ABSENT: readonly (PortSet | undefined)[] = [undefined, allOf("icmpv6"), allOf("icmp"), undefined];

type Both = readonly [ClassEnds, ClassEnds];

/** Every pair of classes of which an end may have changed. */
export function compareSources(matrix: Matrix, ends: Both): Comparison {
  const { classes } = matrix;
  const changed = { ingress: changedEnds(matrix, ends, "ingress"), egress: changedEnds(matrix, ends, "egress") };
  const changes: PairChange[] = [];
  const doubts: PairDoubt[] = [];
  let left = PAIR_LIMIT;
  const visit = (from: PartyClass, to: PartyClass): void => {
    left -= 1;
    if (left < 0 || changes.length > CHANGE_LIMIT || !canMeet(from, to)) return;
    const into = bothEnds(ends, changed.ingress, "ingress", to, from);
    const isOutChanged = changed.egress.has(from);
    if (!isOutChanged && isSame(into)) return;
    const out = bothEnds(ends, changed.egress, "egress", from, to);
    if (isSame(into) && isSame(out)) return;
    const isKnown = ![...into, ...out].some(isUnread);
    const change = changeOf(ends, from, to, out, into);
    if (isKnown && (change.opened !== NO_PORTS || change.closed !== NO_PORTS)) changes.push(change);
    const texts = [...into, ...out].flatMap((end) => end?.uncertain ?? []);
    if (texts.length > 0) doubts.push({ from: from.number, to: to.number, texts: [...new Set(texts)] });
  };
  for (const to of changed.ingress) for (const from of classes) visit(from, to);
  for (const from of changed.egress) for (const to of classes) if (!changed.ingress.has(to)) visit(from, to);
  return { changes, doubts, isCut: left < 0 || changes.length > CHANGE_LIMIT };
}

/** Ends that do not depend on the same before and after. Keys can be compared only for one kind of source over one estate. */
function changedEnds({ classes, sources }: Matrix, [before, after]: Both, direction: Direction): ReadonlySet<PartyClass> {
  const [a, b] = sources;
  const isComparable = a !== undefined && a.kind === b?.kind && a.estate === b.estate;
  return new Set(
    classes.filter((one) => one.isManaged && !(isComparable && before.key(direction, one) === after.key(direction, one))),
  );
}

type EndPair = readonly [ClassEnd | undefined, ClassEnd | undefined];

/** An end that did not change is asked once, alone; one that did is asked about everybody anyway. */
function bothEnds(
  [before, after]: Both,
  changed: ReadonlySet<PartyClass>,
  direction: Direction,
  subject: PartyClass,
  peer: PartyClass,
): EndPair {
  if (changed.has(subject)) return [before.fromRow(direction, subject, peer), after.fromRow(direction, subject, peer)];
  const end = after.end(direction, subject, peer);
  return [end, end];
}

/** Nobody looked what is enforced there: that is neither open nor closed, and its doubt is told. */
function isUnread(end: ClassEnd | undefined): boolean {
  return end?.mode === "unmanaged" && end.uncertain.length > 0;
}

/** The same answer before and after, and nothing to doubt. */
function isSame([before, after]: EndPair): boolean {
  if (before === undefined || after === undefined) return before === after;
  if (before.uncertain.length > 0 || after.uncertain.length > 0) return false;
  return before.now === after.now && before.meant === after.meant;
}

function changeOf([before, after]: Both, from: PartyClass, to: PartyClass, out: EndPair, into: EndPair): PairChange {
  const { ports } = before;
  const old = before.join(out[0], into[0]);
  const now = after.join(out[1], into[1]);
  const absent = ports.id(ABSENT[from.families & to.families] ?? noPorts);
  // What no common family can carry is no change by itself; beside one that is, it is left in, so that everything stays `any port`.
  const real = (set: number): number => (ports.subtract(set, absent) === NO_PORTS ? NO_PORTS : set);
  const opened = real(ports.subtract(now.now, old.now));
  const closed = real(ports.subtract(old.now, now.now));
  const stays = closed === NO_PORTS ? NO_PORTS : real(ports.intersect(old.now, now.now));
  // A part of which nothing can be carried is told with the other part: alone it would be a line of its own about nothing.
  const observed = (set: number, meant: number): number => {
    const part = real(ports.subtract(set, meant));
    return real(ports.subtract(set, part)) === NO_PORTS ? set : part;
  };
  return {
    from: from.number,
    to: to.number,
    opened,
    closed,
    stays,
    openedObserved: observed(opened, now.meant),
    closedObserved: observed(closed, old.meant),
    staysObserved: observed(stays, now.meant),
  };
}
