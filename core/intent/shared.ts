import { emptySet, intersect, isEmpty, unionAll } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import type { Flips } from "../address/intervals.ts";
import type { EstateIndex } from "./estate-index.ts";

const MEMORY = Symbol("shared addresses");

/**
 * Addresses that workloads of more than one unit have or show: an external that covers pods, pods of a masqueraded cluster with the
 * range of another one. Whoever is known by address there is known together with the others. Found once per estate.
 */
export function sharedAddresses(index: EstateIndex): AddressSet {
  const known = index.memory.get(MEMORY) as AddressSet | undefined; // only this file writes it
  if (known !== undefined) return known;
  const claims: AddressSet[][] = index.units.map(() => []);
  for (const [position, { addresses, shown }] of index.estate.workloads.entries()) {
    const own = claims[index.unitOf[position] as number] as AddressSet[]; // every position has a unit
    own.push(addresses);
    if (shown !== addresses) own.push(shown);
  }
  const ofUnits = claims.map((sets) => (sets.length === 1 ? (sets[0] as AddressSet) : unionAll(sets)));
  const shared = { v4: heldTwice(ofUnits.map(({ v4 }) => v4)), v6: heldTwice(ofUnits.map(({ v6 }) => v6)) };
  index.memory.set(MEMORY, shared);
  return shared;
}

/** What workloads of each group share with those of other units; groups that share nothing are left out. */
export function sharedBy<Group>(
  index: EstateIndex,
  groupOf: (unit: number) => Group | undefined,
): readonly { readonly group: Group; readonly addresses: AddressSet }[] {
  const shared = sharedAddresses(index);
  if (isEmpty(shared)) return [];
  const byGroup = new Map<Group, AddressSet[]>();
  for (const [position, { addresses }] of index.estate.workloads.entries()) {
    const group = groupOf(index.unitOf[position] as number);
    if (group === undefined) continue;
    const part = isEmpty(addresses) ? emptySet : intersect(addresses, shared);
    if (isEmpty(part)) continue;
    const list = byGroup.get(group);
    if (list === undefined) byGroup.set(group, [part]);
    else list.push(part);
  }
  return [...byGroup].map(([group, sets]) => ({ group, addresses: unionAll(sets) }));
}

/** Points in two sets or more, by one sweep over all borders. */
function heldTwice<V extends number | bigint>(sets: readonly Flips<V>[]): Flips<V> {
  const borders: { readonly at: V; readonly step: 1 | -1 }[] = [];
  for (const flips of sets) for (const [index, at] of flips.entries()) borders.push({ at, step: index % 2 === 0 ? 1 : -1 });
  borders.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.step - b.step));
  const shared: V[] = [];
  let depth = 0;
  for (const { at, step } of borders) {
    if (step === 1 && depth === 1) shared.push(at);
    if (step === -1 && depth === 2) shared.push(at);
    depth += step;
  }
  return withoutTouching(shared);
}

/** Flip points strictly increase: where a part ends and the next begins, nothing flips. */
function withoutTouching<V extends number | bigint>(points: readonly V[]): Flips<V> {
  const flips: V[] = [];
  for (const point of points) {
    if (flips.at(-1) === point) flips.pop();
    else flips.push(point);
  }
  return flips;
}
