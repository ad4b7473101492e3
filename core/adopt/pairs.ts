import type { PortSet } from "../address/ports.ts";
import type { TargetId } from "../model/kinds.ts";
import { matrixOf, type Matrix, type PartyClass } from "../reach/classes.ts";
import { compareSources } from "../reach/diff-compare.ts";
import { ClassEnds } from "../reach/ends.ts";
import { PortTable } from "../reach/port-table.ts";
import type { Source } from "../reach/source.ts";
import type { Scope } from "../finding/adoption.ts";

/** What one pair of classes gained and lost. */
export interface ChangedPair {
  readonly from: PartyClass;
  readonly to: PartyClass;
  readonly opened: PortSet;
  readonly closed: PortSet;
}

/** The difference of two sources pair by pair, with the segments that people know each class by. */
export interface PairDifference {
  readonly classes: readonly PartyClass[];
  readonly changes: readonly ChangedPair[];
  /** Why the answer for a pair that changed may be otherwise; each a sentence. */
  readonly doubts: readonly string[];
  /** What passes after the change. */
  readonly after: (from: PartyClass, to: PartyClass) => PortSet;
  /** Segments and built-ins that hold all of the class, `any` included. */
  readonly namesOf: (one: PartyClass) => readonly string[];
}

/**
 * What {@link import("../reach/diff.ts").sourceDiff} tells in words, as classes.
 *
 * @param names says which segments a class is in, and divides the classes along them: a source of the definitions
 */
export function differencePairs(before: Source, after: Source, names: Source): PairDifference {
  const sources = names === after || names === before ? [before, after] : [before, after, names];
  const matrix: Matrix = matrixOf(sources);
  const ports = new PortTable();
  const ends = [new ClassEnds(matrix, 0, ports), new ClassEnds(matrix, 1, ports)] as const;
  const { changes, doubts, isCut } = compareSources(matrix, ends);
  const changed = new Set(changes.map(({ from, to }) => `${from} ${to}`));
  const at = sources.indexOf(names);
  const known = new Map<PartyClass, readonly string[]>();
  const namesOf = (one: PartyClass): readonly string[] => {
    const party = one.parties[at];
    const found = known.get(one) ?? ["any", ...(party === undefined ? [] : (names.segmentsOf?.(party) ?? []))];
    known.set(one, found);
    return found;
  };
  const classAt = (number: number): PartyClass => matrix.classes[number] as PartyClass; // numbers of this matrix
  return {
    classes: matrix.classes,
    changes: changes.map(({ from, to, opened, closed }) => ({
      from: classAt(from),
      to: classAt(to),
      opened: ports.ports(opened),
      closed: ports.ports(closed),
    })),
    doubts: [
      ...new Set(doubts.flatMap(({ from, to, texts }) => (changed.has(`${from} ${to}`) ? texts : []))),
      ...(isCut ? ["there are too many pairs to compare them all"] : []),
    ],
    after: (from, to) => ports.ports(ends[1].connection(from, to).now),
    namesOf,
  };
}

/** True when the pair is two different parties that can meet; a workload and itself is none. */
export function isPair(from: PartyClass, to: PartyClass): boolean {
  if (from === to && from.workloads.length < 2) return false;
  return (from.isManaged || to.isManaged) && (from.families & to.families) !== 0;
}

/** True when something that is live is evidence of the pair: some of its workloads are in one of the scopes. */
export function isAmong(scopes: readonly Scope[], from: PartyClass, to: PartyClass): boolean {
  return targetPairs(from, to).some((pair) => scopes.some((scope) => isIn(scope, ...pair)));
}

/** Targets of workloads of the pair of which nothing that is live is evidence. */
export function beyond(scopes: readonly Scope[], from: PartyClass, to: PartyClass): readonly TargetId[] {
  const pairs = targetPairs(from, to).filter((pair) => !scopes.some((scope) => isIn(scope, ...pair)));
  return [...new Set(pairs.flat())].filter((target) => target !== undefined);
}

function targetPairs(from: PartyClass, to: PartyClass): readonly (readonly [TargetId | undefined, TargetId | undefined])[] {
  const responders = targetsOf(to);
  return targetsOf(from).flatMap((initiator) => responders.map((responder) => [initiator, responder] as const));
}

/** Each target of a class once; undefined for who is on none. */
export function targetsOf({ workloads }: PartyClass): readonly (TargetId | undefined)[] {
  return workloads.length === 0 ? [undefined] : [...new Set(workloads.map(({ target }) => target))];
}

function isIn({ target, as, peers }: Scope, initiator: TargetId | undefined, responder: TargetId | undefined): boolean {
  const isKnown = (other: TargetId | undefined): boolean =>
    other === undefined || other === target || peers === "all" || peers.includes(other);
  if (initiator === target && as.includes("initiator") && isKnown(responder)) return true;
  return responder === target && as.includes("responder") && isKnown(initiator);
}
