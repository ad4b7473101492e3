import { formatAddress, fromPrefixes, isEmpty, parsePrefix, rangeFirst, rangeLast, subtract, toRanges } from "../address/index.ts";
import type { Address, AddressRange, AddressSet, Prefix } from "../address/index.ts";
import type { Direction } from "../model/kinds.ts";
import { cutIntoAtoms } from "../verdict/atoms.ts";
import type { CompiledPolicy } from "../verdict/compiled.ts";
import type { PolicyObject } from "../verdict/world.ts";

/** A range of addresses that no block of one direction's rules divides. */
export interface Piece {
  /** `10.0.0.0-10.0.255.255`. */
  readonly text: string;
  readonly family: 4 | 6;
  /** Any address of it stands for all, in that direction. */
  readonly first: Address;
}

/**
 * The address space as the sources of a cluster's ingress rules, or the destinations of its egress rules: cut at the borders of every
 * block, so that each range is inside or outside of each.
 */
export function cutPieces(
  policies: readonly { object: PolicyObject; compiled: CompiledPolicy }[],
  direction: Direction,
): readonly Piece[] {
  const sets = policies.flatMap(({ object, compiled }) => blocksOf(object, compiled, direction));
  const ranges = cutIntoAtoms(sets).list.flatMap(({ addresses }) => toRanges(addresses));
  return ranges.sort(compareRanges).map((range) => ({
    text: `${formatAddress(rangeFirst(range))}-${formatAddress(rangeLast(range))}`,
    family: range.family,
    first: rangeFirst(range),
  }));
}

function compareRanges(a: AddressRange, b: AddressRange): number {
  return a.family - b.family || (a.first < b.first ? -1 : 1);
}

/** Each block for itself, as written, and the rules' sets (which hold the addresses of nodes). */
function blocksOf(object: PolicyObject, compiled: CompiledPolicy, direction: Direction): readonly AddressSet[] {
  const rules = compiled[direction];
  if (rules === null) return [];
  const whole = rules.flatMap(({ peers }) => (peers === "any" || isEmpty(peers.addresses) ? [] : [peers.addresses]));
  const spec = asRecord(object.spec);
  const written = asList(spec[direction]).flatMap((rule) =>
    asList(asRecord(rule)[direction === "ingress" ? "from" : "to"]).flatMap((peer) => {
      const { ipBlock, networks } = asRecord(peer);
      const { cidr, except } = asRecord(ipBlock);
      const blocks = [cidr, ...asList(networks)].flatMap(prefixesOf).map((prefix) => fromPrefixes([prefix]));
      const holes = fromPrefixes(asList(except).flatMap(prefixesOf));
      return blocks.map((block) => subtract(block, holes));
    }),
  );
  return [...whole, ...written];
}

/** Of a text that reads as a block; the manifest reader has told about others. */
function prefixesOf(value: unknown): readonly Prefix[] {
  if (typeof value !== "string") return [];
  const parsed = parsePrefix(value);
  if ("ok" in parsed) return [parsed.ok];
  return parsed.corrected === undefined ? [] : [parsed.corrected];
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {}; // an object, just checked
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
