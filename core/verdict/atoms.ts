import type { Address, AddressSet } from "../address/index.ts";
import { flipsUpTo, pairsOf } from "../address/intervals.ts";
import type { Flips } from "../address/intervals.ts";
import type { Budget } from "./budget.ts";

/** A part of one family's address space that no ipBlock in use divides. */
export interface Atom {
  readonly family: 4 | 6;
  readonly addresses: AddressSet;
  /** Indices of the given sets that hold it, ascending. */
  readonly within: readonly number[];
}

/** The address space cut along the borders of some sets. */
export interface Atoms {
  readonly list: readonly Atom[];
  /** Index of the atom that holds the address. */
  readonly indexOf: (address: Address) => number;
  /** Indices of the atoms that hold some of the set, ascending. */
  readonly meeting: (set: AddressSet) => readonly number[];
}

/** Cuts both families along the borders of the sets; addresses that are in exactly the same sets are one atom. */
export function cutIntoAtoms(sets: readonly AddressSet[], budget?: Budget): Atoms {
  const v4 = cutFamily(
    sets.map((set) => set.v4),
    0,
    2 ** 32,
    budget,
  );
  const v6 = cutFamily(
    sets.map((set) => set.v6),
    0n,
    1n << 128n,
    budget,
  );
  const list = [
    ...v4.atoms.map(({ flips, within }): Atom => ({ family: 4, addresses: { v4: flips, v6: [] }, within })),
    ...v6.atoms.map(({ flips, within }): Atom => ({ family: 6, addresses: { v4: [], v6: flips }, within })),
  ];
  return {
    list,
    indexOf: (address) => {
      if (address.family === 4) return v4.atomOf[flipsUpTo(v4.borders, address.value) - 1] as number; // 0 is a border
      return v4.atoms.length + (v6.atomOf[flipsUpTo(v6.borders, address.value) - 1] as number);
    },
    meeting: (set) => {
      const found = new Set(meetingPieces(v4, set.v4));
      for (const atom of meetingPieces(v6, set.v6)) found.add(v4.atoms.length + atom);
      return [...found].sort((a, b) => a - b);
    },
  };
}

interface Cut<V extends number | bigint> {
  /** Ascending starts of the pieces; the first is the start of the space. */
  readonly borders: readonly V[];
  /** Atom of each piece. */
  readonly atomOf: readonly number[];
  readonly atoms: readonly { readonly flips: Flips<V>; readonly within: readonly number[] }[];
}

/** The atom of every piece that one of the ranges touches. */
function* meetingPieces<V extends number | bigint>({ borders, atomOf }: Cut<V>, ranges: Flips<V>): Generator<number> {
  for (const [start, end] of pairsOf(ranges)) {
    for (let piece = flipsUpTo(borders, start) - 1; (borders[piece] ?? end) < end; piece += 1) yield atomOf[piece] as number;
  }
}

/** One sweep over all borders, keeping the sets that are open; pieces with the same open sets join one atom. */
function cutFamily<V extends number | bigint>(sets: readonly Flips<V>[], start: V, end: V, budget: Budget | undefined): Cut<V> {
  const toggles: { readonly at: V; readonly set: number }[] = [];
  for (const [set, flips] of sets.entries()) for (const at of flips) toggles.push({ at, set });
  toggles.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const borders: V[] = [];
  const atomOf: number[] = [];
  const atoms: { flips: V[]; within: readonly number[] }[] = [];
  const byKey = new Map<string, number>();
  const open = new Set<number>();
  let next = 0;
  for (let at = start; at < end;) {
    for (let toggle = toggles[next]; toggle !== undefined && toggle.at <= at; toggle = toggles[++next])
      flipMembership(open, toggle.set);
    const pieceEnd = toggles[next]?.at ?? end;
    budget?.spend(4 + 8 * open.size);
    const within = [...open].sort((a, b) => a - b);
    const key = within.join();
    const index = byKey.get(key) ?? atoms.push({ flips: [], within }) - 1;
    byKey.set(key, index);
    borders.push(at);
    atomOf.push(index);
    appendPiece((atoms[index] as { flips: V[] }).flips, at, pieceEnd);
    at = pieceEnd;
  }
  return { borders, atomOf, atoms };
}

function flipMembership(open: Set<number>, set: number): void {
  if (!open.delete(set)) open.add(set);
}

function appendPiece<V extends number | bigint>(flips: V[], start: V, end: V): void {
  if (flips.at(-1) === start) flips[flips.length - 1] = end;
  else flips.push(start, end);
}
