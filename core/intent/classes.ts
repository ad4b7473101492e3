import { isEmpty, unionAll } from "../address/index.ts";
import type { Address, AddressSet } from "../address/index.ts";
import type { Workload } from "../estate/estate.ts";
import type { TargetId } from "../model/kinds.ts";
import { cutIntoAtoms } from "../verdict/atoms.ts";
import type { EstateIndex, Unit } from "./estate-index.ts";
import type { Members } from "./members.ts";
import { sharedBy } from "./shared.ts";

/** What is seen of workloads: nothing else tells them apart. */
export interface Sight {
  /** Segments that isolate or are named, and pods of essentials; any order, without duplicates. */
  readonly members: readonly Members[];
  /** Address sets that rules name, by number (`EstateIndex.addressNumber`). */
  readonly explicit: ReadonlyMap<number, AddressSet>;
  /** Label keys of `same`, sorted. */
  readonly sameKeys: readonly string[];
  /** Names of ports that rules use, sorted. */
  readonly portNames: readonly string[];
  /** What else tells units apart, as text: who enforces there, and with which essentials. */
  readonly traitOf: (unit: Unit) => string;
  /** Equal texts: the same traits for every unit. */
  readonly traits: string;
  /** True: workloads are known elsewhere by addresses, which they may share, see {@link Shadow}. */
  readonly byAddress: boolean;
}

/** In which lists of members a unit is, by their ids. */
export interface Cell {
  readonly certain: ReadonlySet<number>;
  readonly possible: ReadonlySet<number>;
}

/** Numbers of address sets that hold some addresses, with the families (1 IPv4, 2 IPv6) in which they do. */
export type Hits = ReadonlyMap<number, number>;

/** Workloads that nothing in sight tells apart. */
export interface WorkloadClass {
  readonly number: number;
  readonly sample: Workload;
  readonly unit: Unit;
  readonly cell: Cell;
  readonly trait: string;
  /** Values of `sameKeys`, in their order. */
  readonly values: readonly (string | undefined)[];
  /** Unit class: equal for classes that only addresses tell apart. */
  readonly unitClass: number;
  /** Explicit sets and shadows that hold one of its addresses, or of those that it shows elsewhere. */
  readonly own: Hits;
  readonly shown: Hits;
  /** Families of its own addresses and of those it shows: 1 IPv4, 2 IPv6; both bits where none is known yet. */
  readonly families: number;
  readonly shownFamilies: number;
}

/**
 * Addresses by which some workloads are known elsewhere together with others: those of nodes whose pods are masqueraded, and those
 * that more than one workload has. Whoever is met under such an address may be any of them.
 */
export interface Shadow {
  /** The cluster whose pods they are; undefined for hosts. */
  readonly cluster: TargetId | undefined;
  readonly addresses: AddressSet;
  readonly cast: readonly Pick<WorkloadClass, "cell" | "values">[];
  /** True: only who comes in shows such an address, nobody is asked under it. */
  readonly isOfNodes: boolean;
}

/** The number under which hits hold a shadow; explicit sets have numbers from 0. */
export function shadowNumber(position: number): number {
  return -1 - position;
}

/** All workloads of an estate, in classes. */
export interface ClassTable {
  /** Class number of each workload, by its position in the estate. */
  readonly classOf: Int32Array;
  readonly classes: readonly WorkloadClass[];
  /** Key of each class, for `Source.keyOf`. */
  readonly keys: readonly string[];
  /** By position, see {@link shadowNumber}. */
  readonly shadows: readonly Shadow[];
  /** What explicit sets and shadows hold an address. */
  readonly hitsOf: (addresses: AddressSet) => Hits;
}

/** Divides the estate; what was divided the same way before is remembered with the estate. */
export function divide(index: EstateIndex, sight: Sight): ClassTable {
  const members = [...new Set(sight.members)].sort((a, b) => a.id - b.id);
  const key = JSON.stringify([
    members.map(({ id }) => id),
    [...sight.explicit.keys()].sort((a, b) => a - b),
    sight.sameKeys,
    sight.portNames,
    sight.traits,
    sight.byAddress,
  ]);
  const tables = memoryOf(index);
  const known = tables.get(key);
  if (known !== undefined) return known;
  const table = divideAnew(index, { ...sight, members });
  if (tables.size >= TABLES) tables.clear();
  tables.set(key, table);
  return table;
}

/** Tables kept per estate: two revisions, approved and enforceable. */
const TABLES = 4;
const MEMORY = Symbol("classes");

function memoryOf(index: EstateIndex): Map<string, ClassTable> {
  const known = index.memory.get(MEMORY) as Map<string, ClassTable> | undefined; // only this file writes it
  if (known !== undefined) return known;
  const memory = new Map<string, ClassTable>();
  index.memory.set(MEMORY, memory);
  return memory;
}

function divideAnew(index: EstateIndex, sight: Sight): ClassTable {
  const { units, unitOf } = index;
  const { cells, cellOf } = refineCells(units.length, sight.members);
  const unitClasses: { cell: number; trait: string; values: readonly (string | undefined)[] }[] = [];
  const byKey = new Map<string, number>();
  const suffixes = unitSuffixes(sight);
  const unitClassOf = new Int32Array(units.length);
  for (const [number, unit] of units.entries()) {
    const cell = cellOf[number] as number;
    const { trait, values, text } = suffixes(unit);
    const key = `${cell}${text}`;
    let unitClass = byKey.get(key);
    if (unitClass === undefined) {
      unitClass = unitClasses.push({ cell, trait, values }) - 1;
      byKey.set(key, unitClass);
    }
    unitClassOf[number] = unitClass;
  }
  const castOf = (unitClass: number): Shadow["cast"][number] => {
    const { cell, values } = unitClasses[unitClass] as (typeof unitClasses)[number];
    return { cell: cells[cell] as Cell, values };
  };
  const shadows = sight.byAddress
    ? [...shadowsOfNodes(index, unitClassOf, castOf), ...shadowsOfShared(index, unitClassOf, castOf)]
    : [];
  const shadowSets = shadows.map(({ addresses }, position) => [shadowNumber(position), addresses] as const);
  const views = addressViews(new Map([...sight.explicit, ...shadowSets]));
  const classOf = new Int32Array(unitOf.length);
  const classes: WorkloadClass[] = [];
  const numbers = new Map<number, number>();
  for (const [position, workload] of index.estate.workloads.entries()) {
    const unitClass = unitClassOf[unitOf[position] as number] as number;
    const view = views.of(workload);
    const key = unitClass * 0x1000000 + view;
    let number = numbers.get(key);
    if (number === undefined) {
      number = classes.length;
      numbers.set(key, number);
      const { cell, trait, values } = unitClasses[unitClass] as (typeof unitClasses)[number];
      const seen = views.list[view] as View;
      const unit = units[unitOf[position] as number] as Unit;
      classes.push({ number, sample: workload, unit, cell: cells[cell] as Cell, trait, values, unitClass, ...seen });
    }
    classOf[position] = number;
  }
  return { classOf, classes, keys: classes.map(({ number }) => String(number)), shadows, hitsOf: views.hitsOf };
}

/**
 * Cells by refinement: each list of members splits the cells it cuts through, so work grows with the members, never with the number
 * of segments times that of workloads.
 */
function refineCells(
  unitCount: number,
  members: readonly Members[],
): { readonly cells: readonly Cell[]; readonly cellOf: Int32Array } {
  const cellOf = new Int32Array(unitCount);
  const parents: { readonly parent: number; readonly list: keyof Cell; readonly id: number }[] = [];
  const numbers = new Map<number, number>();
  const split = (units: Int32Array, list: keyof Cell, id: number, token: number): void => {
    for (const unit of units) {
      const key = (cellOf[unit] as number) * 0x1000000 + token;
      let cell = numbers.get(key);
      if (cell === undefined) {
        cell = parents.push({ parent: cellOf[unit] as number, list, id });
        numbers.set(key, cell);
      }
      cellOf[unit] = cell;
    }
  };
  for (const { id, certain, possible } of members) {
    split(certain, "certain", id, id * 2);
    if (possible !== certain) split(possible, "possible", id, id * 2 + 1);
  }
  const alike = new Set(members.filter(({ certain, possible }) => certain === possible).map(({ id }) => id));
  return { cellOf, cells: readCells(parents, alike) };
}

function readCells(
  parents: readonly { readonly parent: number; readonly list: keyof Cell; readonly id: number }[],
  alike: ReadonlySet<number>,
): readonly Cell[] {
  const cells: Cell[] = [{ certain: new Set(), possible: new Set() }];
  for (const { parent, list, id } of parents) {
    const from = cells[parent] as Cell; // a parent stands before its children
    const isBoth = list === "certain" && alike.has(id);
    cells.push({ ...from, [list]: new Set([...from[list], id]), ...(isBoth && { possible: new Set([...from.possible, id]) }) });
  }
  return cells;
}

interface Suffix {
  readonly trait: string;
  readonly values: readonly (string | undefined)[];
  readonly text: string;
}

/** What tells units of one cell apart, as text. */
function unitSuffixes({ sameKeys, portNames, traitOf }: Sight): (unit: Unit) => Suffix {
  const names = new Set(portNames);
  const plain = new Map<string, Suffix>();
  return (unit) => {
    const trait = traitOf(unit);
    const { labels, ports } = unit.sample;
    const named = names.size === 0 || ports.length === 0 ? [] : ports.filter(({ name }) => names.has(name));
    if (sameKeys.length === 0 && named.length === 0) {
      const known = plain.get(trait) ?? { trait, values: [], text: ` ${trait}` };
      plain.set(trait, known);
      return known;
    }
    const values = sameKeys.map((key) => (Object.hasOwn(labels, key) ? labels[key] : undefined));
    const portWords = named.map(({ name, protocol, port }) => `${name}/${protocol}/${port}`).sort();
    return { trait, values, text: ` ${trait} ${JSON.stringify([values.map((value) => value ?? null), portWords])}` };
  };
}

type CastOf = (unitClass: number) => Shadow["cast"][number];

/** One per group of nodes whose pods are of the same unit classes. */
function shadowsOfNodes({ estate, unitOf }: EstateIndex, unitClassOf: Int32Array, castOf: CastOf): readonly Shadow[] {
  const nodes = new Map<string, { target: TargetId; addresses: AddressSet; classes: Set<number> }>();
  for (const [position, { kind, target, node, shown, hostNetwork }] of estate.workloads.entries()) {
    if (kind !== "pod" || target === undefined || node === undefined || hostNetwork || isEmpty(shown)) continue;
    if (estate.clusters.get(target)?.cluster.podNetwork !== "masqueraded") continue;
    const key = `${target} ${node}`;
    const known = nodes.get(key) ?? { target, addresses: shown, classes: new Set() };
    known.classes.add(unitClassOf[unitOf[position] as number] as number);
    nodes.set(key, known);
  }
  const alike = Map.groupBy(nodes.values(), ({ target, classes }) => `${target} ${[...classes].sort((a, b) => a - b).join()}`);
  return [...alike.values()].map((group) => {
    const [{ target, classes }] = group as [(typeof group)[number]]; // a group has one at least
    const addresses = unionAll(group.map((node) => node.addresses));
    return { cluster: target, addresses, cast: [...classes].map(castOf), isOfNodes: true };
  });
}

/** One per unit class of those whom others know by an address that somebody else has, too. */
function shadowsOfShared(index: EstateIndex, unitClassOf: Int32Array, castOf: CastOf): readonly Shadow[] {
  const { units, estate } = index;
  const groupOf = (unit: number): string | undefined => {
    const { kind, target = "", hostNetwork } = (units[unit] as Unit).sample;
    if (kind === "host") return `${unitClassOf[unit]} `;
    const isMasqueraded = estate.clusters.get(target)?.cluster.podNetwork === "masqueraded";
    return kind === "external" || hostNetwork || isMasqueraded ? undefined : `${unitClassOf[unit]} ${target}`;
  };
  return sharedBy(index, groupOf).map(({ group, addresses }) => {
    const [unitClass = "", target = ""] = group.split(" ");
    const cluster = target === "" ? undefined : target;
    return { cluster, addresses, cast: [castOf(Number(unitClass))], isOfNodes: false };
  });
}

type View = Pick<WorkloadClass, "own" | "shown" | "families" | "shownFamilies">;

const NO_HITS: Hits = new Map();

/** Which explicit sets hold a workload's addresses; workloads with the same answer share a view. */
function addressViews(explicit: ReadonlyMap<number, AddressSet>) {
  const numbers = [...explicit.keys()].sort((a, b) => a - b);
  const sets = numbers.map((number) => explicit.get(number) as AddressSet);
  const atoms = cutIntoAtoms(sets);
  const hitsOfAtom = atoms.list.map(
    ({ family, within }): Hits => new Map(within.map((position) => [numbers[position] as number, family === 4 ? 1 : 2])),
  );
  const many = new WeakMap<AddressSet, Hits>(); // a network that covers everybody's addresses is asked about once for each
  const hitsOf = (addresses: AddressSet): Hits => {
    const single = singleAddress(addresses);
    if (single !== undefined) return hitsOfAtom[atoms.indexOf(single)] ?? NO_HITS;
    const known = many.get(addresses);
    if (known !== undefined) return known;
    const [first = NO_HITS, ...more] = atoms.meeting(addresses).map((atom) => hitsOfAtom[atom] ?? NO_HITS);
    const found = more.length === 0 ? first : mergeHits([first, ...more]);
    many.set(addresses, found);
    return found;
  };
  const list: View[] = [];
  const byKey = new Map<string, number>();
  const fast = new WeakMap<Hits, number>(); // addresses of one atom share one set of hits, and one family
  const of = ({ addresses, shown }: Workload): number => {
    const own = numbers.length === 0 ? NO_HITS : hitsOf(addresses);
    const known = shown === addresses && own !== NO_HITS ? fast.get(own) : undefined;
    if (known !== undefined) return known;
    const hits = shown === addresses || numbers.length === 0 ? own : hitsOf(shown);
    const view: View = { own, shown: hits, families: familiesOf(addresses), shownFamilies: familiesOf(shown) };
    const key = `${textOf(own)};${textOf(hits)};${view.families}${view.shownFamilies}`;
    const number = byKey.get(key) ?? list.push(view) - 1;
    byKey.set(key, number);
    if (shown === addresses && own !== NO_HITS && singleAddress(addresses) !== undefined) fast.set(own, number);
    return number;
  };
  return { of, list, hitsOf };
}

function textOf(hits: Hits): string {
  return [...hits].map(([number, families]) => `${number}/${families}`).join();
}

function mergeHits(parts: readonly Hits[]): Hits {
  const hits = new Map<number, number>();
  for (const part of parts) for (const [number, families] of part) hits.set(number, (hits.get(number) ?? 0) | families);
  return new Map([...hits].sort(([a], [b]) => a - b));
}

/** 1 for IPv4, 2 for IPv6, 3 for both; 3 for none, because it may get either. */
export function familiesOf({ v4, v6 }: AddressSet): number {
  const bits = (v4.length > 0 ? 1 : 0) | (v6.length > 0 ? 2 : 0);
  return bits === 0 ? 3 : bits;
}

/** The address of a set of one. */
function singleAddress({ v4, v6 }: AddressSet): Address | undefined {
  if (v6.length === 0 && v4.length === 2 && (v4[0] as number) + 1 === v4[1]) return { family: 4, value: v4[0] as number };
  if (v4.length === 0 && v6.length === 2 && (v6[0] as bigint) + 1n === v6[1]) return { family: 6, value: v6[0] as bigint };
  return undefined;
}
