import { flipsFromPairs, pairsOf } from "../address/intervals.ts";
import type { NftElement } from "./nft-types.ts";

/** A stretch of one protocol's line: ports, or ICMP types; both ends included. */
export interface LineRange {
  readonly protocol: string;
  readonly from: number;
  readonly to: number;
}

/** Ports that the same allows open, as disjoint ascending ranges with both ends included. */
export interface PortClass<Allow> {
  /** The lowest port of the class: no two classes share it, so it names the class. */
  readonly lowest: number;
  readonly ranges: readonly (readonly [number, number])[];
  readonly allows: readonly Allow[];
}

/**
 * Cuts the port line of one protocol into classes: one port, one class, however many rules name it.
 *
 * ```
 *   rule a   ├────────────┤              classes   ├──┤ {a}
 *   rule b      ├──────────────┤                      ├──────┤ {a, b}
 *                                                            ├────┤ {b}
 * ```
 * Classes ascend by their lowest port, allows keep the given order.
 */
export function portClasses<Allow extends { readonly ports: readonly LineRange[] }>(
  allows: readonly Allow[],
  protocol: string,
): readonly PortClass<Allow>[] {
  const flips = new Map<number, number[]>();
  for (const [index, allow] of allows.entries()) {
    for (const point of portPairs(allow.ports, protocol).flat()) flips.set(point, [...(flips.get(point) ?? []), index]);
  }
  const cuts = [...flips.keys()].sort((a, b) => a - b);
  const open = new Set<number>();
  const classes = new Map<string, { lowest: number; pairs: [number, number][]; allows: readonly Allow[] }>();
  for (const [position, from] of cuts.entries()) {
    for (const index of flips.get(from) ?? []) if (!open.delete(index)) open.add(index);
    const to = cuts[position + 1];
    if (to === undefined || open.size === 0) continue;
    const indexes = [...open].sort((a, b) => a - b);
    const known = classes.get(indexes.join(","));
    if (known !== undefined) known.pairs.push([from, to]);
    else
      classes.set(indexes.join(","), {
        lowest: from,
        pairs: [[from, to]],
        allows: indexes.flatMap((index) => allows[index] ?? []),
      });
  }
  return [...classes.values()].map(({ lowest, pairs, allows }) => ({ lowest, ranges: closed(pairs), allows }));
}

/** The union of port ranges of one protocol as elements: a number, or a range with both ends included. */
export function portElements(ports: readonly LineRange[], protocol: string): readonly NftElement[] {
  return closed(portPairs(ports, protocol)).map(portElement);
}

/** One closed range as nft lists it. */
export function portElement([first, last]: readonly [number, number]): NftElement {
  return first === last ? first : { range: [first, last] };
}

function portPairs(ports: readonly LineRange[], protocol: string): readonly (readonly [number, number])[] {
  const own = ports.filter((range) => range.protocol === protocol);
  return pairsOf(flipsFromPairs(own.map((range): [number, number] => [range.from, range.to + 1])));
}

function closed(pairs: readonly (readonly [number, number])[]): readonly (readonly [number, number])[] {
  return pairsOf(flipsFromPairs(pairs)).map(([first, end]) => [first, end - 1]);
}
