import { formatAddress, parseAddress } from "./address.ts";
import type { Address } from "./address.ts";
import { equalFlips, flipsContain, flipsFromPairs, intersectFlips, pairsOf, subtractFlips, uniteFlips } from "./intervals.ts";
import type { Flips } from "./intervals.ts";
import { familyBits } from "./prefix.ts";
import type { Prefix } from "./prefix.ts";

/**
 * An immutable set of addresses of both families, as disjoint, sorted, maximal ranges (flip points, see `intervals.ts`).
 *
 * Built only by the functions of this file. Equal sets have equal structure.
 */
export interface AddressSet {
  readonly v4: Flips<number>;
  readonly v6: Flips<bigint>;
}

/** A range of addresses, both ends included. */
export type AddressRange =
  | { readonly family: 4; readonly first: number; readonly last: number }
  | { readonly family: 6; readonly first: bigint; readonly last: bigint };

const V4_END = 2 ** 32;
const V6_END = 1n << 128n;

/** No address. */
export const emptySet: AddressSet = { v4: [], v6: [] };

/** Every address of both families. */
export const anyAddress: AddressSet = { v4: [0, V4_END], v6: [0n, V6_END] };

/** Every IPv4 address (`0.0.0.0/0`). */
export const anyV4: AddressSet = { v4: [0, V4_END], v6: [] };

/** Every IPv6 address (`::/0`). */
export const anyV6: AddressSet = { v4: [], v6: [0n, V6_END] };

/** The union of blocks, in any order, overlapping or not. */
export function fromPrefixes(prefixes: Iterable<Prefix>): AddressSet {
  const v4: [number, number][] = [];
  const v6: [bigint, bigint][] = [];
  for (const prefix of prefixes) {
    if (prefix.family === 4) v4.push([prefix.first, prefix.first + 2 ** (32 - prefix.length)]);
    else v6.push([prefix.first, prefix.first + (1n << BigInt(128 - prefix.length))]);
  }
  return { v4: flipsFromPairs(v4), v6: flipsFromPairs(v6) };
}

/** The union of ranges, in any order, overlapping or not; a range whose last is below its first is empty. */
export function fromRanges(ranges: Iterable<AddressRange>): AddressSet {
  const v4: [number, number][] = [];
  const v6: [bigint, bigint][] = [];
  for (const range of ranges) {
    if (range.family === 4) v4.push([range.first, range.last + 1]);
    else v6.push([range.first, range.last + 1n]);
  }
  return { v4: flipsFromPairs(v4), v6: flipsFromPairs(v6) };
}

/** The set of single addresses. */
export function fromAddresses(addresses: Iterable<Address>): AddressSet {
  const ranges: AddressRange[] = [];
  for (const address of addresses) {
    if (address.family === 4) ranges.push({ family: 4, first: address.value, last: address.value });
    else ranges.push({ family: 6, first: address.value, last: address.value });
  }
  return fromRanges(ranges);
}

/** Addresses in either. */
export function union(a: AddressSet, b: AddressSet): AddressSet {
  return { v4: uniteFlips(a.v4, b.v4), v6: uniteFlips(a.v6, b.v6) };
}

/** Addresses in any of the sets; one sort instead of n merges, so use it for many sets. */
export function unionAll(sets: Iterable<AddressSet>): AddressSet {
  const v4: (readonly [number, number])[] = [];
  const v6: (readonly [bigint, bigint])[] = [];
  for (const set of sets) {
    for (const pair of pairsOf(set.v4)) v4.push(pair);
    for (const pair of pairsOf(set.v6)) v6.push(pair);
  }
  return { v4: flipsFromPairs(v4), v6: flipsFromPairs(v6) };
}

/** Addresses in both. */
export function intersect(a: AddressSet, b: AddressSet): AddressSet {
  return { v4: intersectFlips(a.v4, b.v4), v6: intersectFlips(a.v6, b.v6) };
}

/** Addresses in the first and not in the second. */
export function subtract(a: AddressSet, b: AddressSet): AddressSet {
  return { v4: subtractFlips(a.v4, b.v4), v6: subtractFlips(a.v6, b.v6) };
}

/** True for the set without addresses. */
export function isEmpty(set: AddressSet): boolean {
  return set.v4.length === 0 && set.v6.length === 0;
}

/** Same addresses. */
export function equals(a: AddressSet, b: AddressSet): boolean {
  return equalFlips(a.v4, b.v4) && equalFlips(a.v6, b.v6);
}

/** True when the address is in the set. */
export function contains(set: AddressSet, address: Address): boolean {
  return address.family === 4 ? flipsContain(set.v4, address.value) : flipsContain(set.v6, address.value);
}

/** True when every address of `part` is in `whole`. */
export function isSubset(part: AddressSet, whole: AddressSet): boolean {
  return isEmpty(subtract(part, whole));
}

/** Number of addresses. */
export function count(set: AddressSet): bigint {
  let total = 0n;
  for (const [start, end] of pairsOf(set.v4)) total += BigInt(end - start);
  for (const [start, end] of pairsOf(set.v6)) total += end - start;
  return total;
}

/** The maximal ranges, IPv4 first, ascending. */
export function toRanges(set: AddressSet): readonly AddressRange[] {
  return [
    ...pairsOf(set.v4).map(([start, end]): AddressRange => ({ family: 4, first: start, last: end - 1 })),
    ...pairsOf(set.v6).map(([start, end]): AddressRange => ({ family: 6, first: start, last: end - 1n })),
  ];
}

/** `10.0.0.1` for one address, `10.0.0.0/24` where the range is a block, else `10.0.0.1-10.0.0.9`. */
export function formatRange(range: AddressRange): string {
  const first = formatAddress(rangeFirst(range));
  if (range.first === range.last) return first;
  const length = blockLength(range);
  return length === undefined ? `${first}-${formatAddress(rangeLast(range))}` : `${first}/${length}`;
}

/** Ranges as `formatRange` writes them, comma-separated; `any address`, `no address` and the two families by name. */
export function formatSet(set: AddressSet): string {
  if (isEmpty(set)) return "no address";
  if (equals(set, anyAddress)) return "any address";
  return toRanges(set).map(formatRange).join(", ");
}

/** Lowest address of a non-empty set (IPv4 before IPv6), or undefined. */
export function firstAddress(set: AddressSet): Address | undefined {
  const v4 = set.v4[0];
  if (v4 !== undefined) return { family: 4, value: v4 };
  const v6 = set.v6[0];
  return v6 === undefined ? undefined : { family: 6, value: v6 };
}

/** The first end of a range as an address. */
export function rangeFirst(range: AddressRange): Address {
  return range.family === 4 ? { family: 4, value: range.first } : { family: 6, value: range.first };
}

/** The last end of a range as an address. */
export function rangeLast(range: AddressRange): Address {
  return range.family === 4 ? { family: 4, value: range.last } : { family: 6, value: range.last };
}

/** The set of textual addresses that parse; what does not parse is left out and returned beside it, for a note. */
export function fromAddressTexts(texts: Iterable<string>): { readonly set: AddressSet; readonly refused: readonly string[] } {
  const addresses: Address[] = [];
  const refused: string[] = [];
  for (const text of texts) {
    const parsed = parseAddress(text);
    if ("ok" in parsed) addresses.push(parsed.ok);
    else refused.push(text);
  }
  return { set: fromAddresses(addresses), refused };
}

function blockLength(range: AddressRange): number | undefined {
  const first = BigInt(range.first);
  const size = BigInt(range.last) - first + 1n;
  if ((size & (size - 1n)) !== 0n || first % size !== 0n) return undefined;
  return familyBits(range.family) - (size.toString(2).length - 1);
}
