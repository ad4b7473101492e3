import { emptySet, equals, fromRanges, isEmpty, unionAll } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import { flipsUpTo } from "../address/intervals.ts";
import type { Flips } from "../address/intervals.ts";
import type { Estate, Workload, WorkloadId } from "../estate/estate.ts";
import { cutIntoAtoms } from "../verdict/atoms.ts";
import { externalCutter, isWide } from "./externals.ts";
import type { Party, Source } from "./source.ts";

/** Workloads, or addresses of nobody, that none of some sources tells apart. */
export interface PartyClass {
  readonly number: number;
  readonly kind: "workloads" | "addresses";
  /** Sorted by id, as the last source that has them knows them; empty for addresses. */
  readonly workloads: readonly Workload[];
  /** What no source tells apart; addresses of workloads may be among them. Empty for workloads. */
  readonly addresses: AddressSet;
  /** Per source, one that stands for all; undefined where the source does not have them. */
  readonly parties: readonly (Party | undefined)[];
  /** Per source, a second workload, where there is one: what goes on inside the class. */
  readonly others: readonly (Party | undefined)[];
  /** 1 IPv4, 2 IPv6, 3 both or not known. */
  readonly families: number;
  /** False where none of the sources has an enforcer: externals and addresses. */
  readonly isManaged: boolean;
}

/** Everything that sources know of, in classes: addresses last. */
export interface Matrix {
  readonly sources: readonly Source[];
  readonly classes: readonly PartyClass[];
  /** Workloads in all classes; one that only one source has counts too. */
  readonly workloadCount: number;
}

/**
 * The joint classes of some sources (over one estate or several; workloads are the same by id). Nothing is computed workload by
 * workload but which class each is in.
 *
 * A wide external that some source tells apart, or that is not the same in all estates, is no workload here but its addresses
 * (docs/design/contracts.md "Membership by address").
 */
export function matrixOf(sources: readonly Source[]): Matrix {
  const apart = externalsApart(sources);
  const groups = groupWorkloads(sources, apart);
  const classes = groups.map((group, number) => workloadClass(group, number));
  const outside = outsideClasses(sources, apart, classes.length);
  return { sources, classes: [...classes, ...outside], workloadCount: groups.reduce((sum, { lists }) => sum + sizeOf(lists), 0) };
}

/** Ordered pairs between two classes, by number; inside one, those of two different workloads. */
export function pairCount({ classes }: Matrix, from: number, to: number): number {
  const size = (number: number): number => Math.max(1, classes[number]?.workloads.length ?? 0);
  return from === to ? size(from) * (size(from) - 1) : size(from) * size(to);
}

/** Workloads of one joint class as each source knows them; undefined where the source does not. */
interface Group {
  readonly lists: readonly (Workload[] | undefined)[];
}

function sizeOf(lists: Group["lists"]): number {
  return Math.max(...lists.map((list) => list?.length ?? 0));
}

/** Ids of externals that are addresses, each for itself. */
function externalsApart(sources: readonly Source[]): ReadonlySet<WorkloadId> {
  const borders = (): readonly AddressSet[] => bordersOf(sources);
  const estates = [...new Set(sources.map(({ estate }) => estate))];
  const apart = new Set<WorkloadId>();
  const wide = new Map<WorkloadId, AddressSet[]>();
  for (const estate of estates) {
    const cut = externalCutter(estate, borders);
    for (const workload of estate.workloads) {
      if (workload.kind !== "external") continue;
      wide.set(workload.id, [...(wide.get(workload.id) ?? []), workload.addresses]);
      const [only, ...more] = cut(workload);
      if (isWide(workload) && (only !== workload || more.length > 0)) apart.add(workload.id);
    }
  }
  for (const [id, sets] of wide) {
    const [first = emptySet] = sets;
    if (sets.length < estates.length || !sets.every((set) => equals(set, first))) apart.add(id);
  }
  return apart;
}

function bordersOf(sources: readonly Source[]): readonly AddressSet[] {
  return [...new Set(sources.flatMap((source) => source.borders))];
}

function groupWorkloads(sources: readonly Source[], apart: ReadonlySet<WorkloadId>): readonly Group[] {
  const [first] = sources;
  if (first === undefined) return [];
  const isShared = sources.every(({ estate }) => estate === first.estate);
  const groups = isShared ? groupShared(first.estate, sources) : groupApart(sources);
  return apart.size === 0 ? groups : groups.flatMap((group) => withoutApart(group, apart));
}

function withoutApart({ lists }: Group, apart: ReadonlySet<WorkloadId>): readonly Group[] {
  const left = lists.map((list) => list?.filter(({ id }) => !apart.has(id)));
  return left.some((list) => list !== undefined && list.length > 0) ? [{ lists: left }] : [];
}

/** All sources look at one estate: by position. */
function groupShared(estate: Estate, sources: readonly Source[]): readonly Group[] {
  const numbers = sources.map((source) => source.classNumbers ?? numbersOf(source));
  const distinct = [...new Set(numbers)];
  const [only] = distinct;
  const joint = distinct.length === 1 && only !== undefined ? only : joinNumbers(distinct, estate.workloads.length);
  const known = sharedLists.get(joint);
  if (known !== undefined) return known.map((list) => ({ lists: sources.map(() => list) }));
  const byNumber = new Map<number, Workload[]>();
  for (const [position, workload] of estate.workloads.entries()) {
    const key = (joint[position] as number) * 4 + familiesOf(workload);
    const list = byNumber.get(key);
    if (list === undefined) byNumber.set(key, [workload]);
    else list.push(workload);
  }
  const lists = [...byNumber.values()];
  sharedLists.set(joint, lists);
  return lists.map((list) => ({ lists: sources.map(() => list) }));
}

/** Workloads by class, for as long as a way to number them lives: two revisions of the same segments have the same. */
const sharedLists = new WeakMap<Int32Array, readonly Workload[][]>();

function numbersOf(source: Source): Int32Array {
  const byKey = new Map<string, number>();
  return Int32Array.from(source.estate.workloads, (workload) => {
    const key = source.keyOf(workload);
    const number = byKey.get(key) ?? byKey.size;
    byKey.set(key, number);
    return number;
  });
}

function joinNumbers(lists: readonly Int32Array[], length: number): Int32Array {
  const [first = new Int32Array(length), ...rest] = lists;
  let joint = first;
  for (const list of rest) {
    const pairs = new Map<number, number>();
    joint = joint.map((number, position) => {
      const key = number * 0x1000000 + (list[position] as number);
      const known = pairs.get(key) ?? pairs.size;
      pairs.set(key, known);
      return known;
    });
  }
  return joint;
}

/** Estates differ: workloads are the same by id. */
function groupApart(sources: readonly Source[]): readonly Group[] {
  const byId = new Map<WorkloadId, (Workload | undefined)[]>();
  for (const [at, { estate }] of sources.entries()) {
    for (const workload of estate.workloads) {
      const found = byId.get(workload.id) ?? sources.map(() => undefined);
      found[at] = workload;
      byId.set(workload.id, found);
    }
  }
  const groups = new Map<string, { lists: (Workload[] | undefined)[] }>();
  for (const [, found] of [...byId].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const keys = found.map((workload, at) =>
      workload === undefined ? null : [(sources[at] as Source).keyOf(workload), familiesOf(workload)],
    );
    const key = JSON.stringify(keys);
    const group = groups.get(key) ?? { lists: found.map((workload) => (workload === undefined ? undefined : [])) };
    groups.set(key, group);
    for (const [at, workload] of found.entries()) if (workload !== undefined) group.lists[at]?.push(workload);
  }
  return [...groups.values()];
}

function workloadClass({ lists }: Group, number: number): PartyClass {
  const workloads = lists.findLast((list) => list !== undefined) ?? [];
  const partyAt = (position: number) =>
    lists.map((list): Party | undefined => {
      const workload = list?.[position];
      return workload === undefined ? undefined : { kind: "workload", workload };
    });
  return {
    number,
    kind: "workloads",
    workloads,
    addresses: emptySet,
    parties: partyAt(0),
    others: partyAt(1),
    families: lists.reduce((bits, list) => bits | (list?.[0] === undefined ? 0 : familiesOf(list[0])), 0),
    isManaged: workloads[0]?.target !== undefined,
  };
}

/** 1 for IPv4, 2 for IPv6, 3 for both; 3 for none, because it may get either. */
function familiesOf({ addresses: { v4, v6 } }: Workload): number {
  const bits = (v4.length > 0 ? 1 : 0) | (v6.length > 0 ? 2 : 0);
  return bits === 0 ? 3 : bits;
}

/** The address space without what workloads own, cut along all borders. */
function outsideClasses(sources: readonly Source[], apart: ReadonlySet<WorkloadId>, start: number): readonly PartyClass[] {
  const owned = sources.map(({ estate }) => ownedBy(estate, apart));
  const everyone = new Set(owned).size === 1 ? (owned[0] ?? emptySet) : unionAll(new Set(owned));
  const found = cutIntoAtoms(bordersOf(sources)).list.flatMap(({ family, addresses }) => {
    const sample = firstGap(addresses, everyone);
    return isEmpty(sample) ? [] : [{ family, addresses, sample }];
  });
  return found.map(({ family, addresses, sample }, index) => ({
    number: start + index,
    kind: "addresses",
    workloads: [],
    addresses,
    parties: sources.map(() => ({ kind: "addresses", addresses: sample })),
    others: sources.map(() => undefined),
    families: family === 4 ? 1 : 2,
    isManaged: false,
  }));
}

const ownedAddresses = new WeakMap<Estate, AddressSet>();

/** Addresses of the estate's workloads; those of pods on the host network are their nodes', those of externals that are apart nobody's. */
function ownedBy(estate: Estate, apart: ReadonlySet<WorkloadId>): AddressSet {
  const known = apart.size === 0 ? ownedAddresses.get(estate) : undefined;
  if (known !== undefined) return known;
  const owners = estate.workloads.filter(({ id, hostNetwork }) => !hostNetwork && !apart.has(id));
  const owned = unionAll(owners.map(({ addresses }) => addresses));
  if (apart.size === 0) ownedAddresses.set(estate, owned);
  return owned;
}

/** The first range of a set that nobody owns: it stands for all of them. Empty when all is owned. */
function firstGap(set: AddressSet, owned: AddressSet): AddressSet {
  const v4 = gapIn(set.v4, owned.v4);
  if (v4 !== undefined) return fromRanges([{ family: 4, first: v4[0], last: v4[1] - 1 }]);
  const v6 = gapIn(set.v6, owned.v6);
  return v6 === undefined ? emptySet : fromRanges([{ family: 6, first: v6[0], last: v6[1] - 1n }]);
}

/** Stops at the first gap, so that an atom as wide as the world costs nothing. */
function gapIn<V extends number | bigint>(flips: Flips<V>, owned: Flips<V>): readonly [V, V] | undefined {
  for (let at = 0; at + 1 < flips.length; at += 2) {
    const [start, end] = [flips[at] as V, flips[at + 1] as V];
    let point = start;
    while (point < end) {
      const passed = flipsUpTo(owned, point);
      const next = owned[passed];
      if (passed % 2 === 0) return [point, next === undefined || next > end ? end : next];
      if (next === undefined) break;
      point = next;
    }
  }
  return undefined;
}
