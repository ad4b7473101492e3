import { formatAddress, rangeFirst, rangeLast, readAddress, toRanges } from "../address/index.ts";
import type { AddressRange, AddressSet } from "../address/index.ts";
import type { NftElement } from "./nft-types.ts";

/** The elements of one address set by the kernel set that holds them. Empty lists: that set is not needed. */
export interface AddressElements {
  /** Exact addresses: hash sets, incremental both ways. */
  readonly exact4: readonly string[];
  readonly exact6: readonly string[];
  /** Ranges: interval sets, disjoint and maximal. */
  readonly ranges4: readonly NftElement[];
  readonly ranges6: readonly NftElement[];
}

/**
 * Runs of neighbouring addresses up to this length are written one by one: pods get neighbouring addresses, and a run that grows or
 * splits must stay an increment of a hash set. Longer ones are ranges that somebody meant.
 */
const LONGEST_RUN = 64n;

/** A set of addresses as elements; a range that is a block is written as a prefix, as the kernel lists it. */
export function addressElements(set: AddressSet): AddressElements {
  const exact4: string[] = [];
  const exact6: string[] = [];
  const ranges4: NftElement[] = [];
  const ranges6: NftElement[] = [];
  for (const range of toRanges(set)) {
    if (isRun(range)) (range.family === 4 ? exact4 : exact6).push(...runAddresses(range));
    else (range.family === 4 ? ranges4 : ranges6).push(rangeElement(range));
  }
  return { exact4, exact6, ranges4, ranges6 };
}

/** A whole set as interval elements of one family, single addresses included. */
export function intervalElements(set: AddressSet, family: 4 | 6): readonly NftElement[] {
  return toRanges(set)
    .filter((range) => range.family === family)
    .map((range) => (range.first === range.last ? formatAddress(rangeFirst(range)) : rangeElement(range)));
}

/**
 * One text per element whatever way it is written: `10.0.0.1`, `10.0.0.0/24`, `10.0.0.1-10.0.0.9`, `7`. Addresses are read and
 * written again, because the kernel's tools spell some IPv6 addresses differently; time-outs and comments of elements are left out.
 */
export function elementText(element: unknown): string {
  if (typeof element === "string") return addressText(element);
  if (typeof element === "number") return String(element);
  if (typeof element !== "object" || element === null) return JSON.stringify(element);
  if ("elem" in element) return wrappedText(element.elem);
  if ("prefix" in element) return prefixText(element.prefix);
  if ("range" in element && Array.isArray(element.range)) return element.range.map(elementText).join("-");
  return JSON.stringify(element);
}

function isRun(range: AddressRange): boolean {
  return BigInt(range.last) - BigInt(range.first) < LONGEST_RUN;
}

function runAddresses(range: AddressRange): readonly string[] {
  const texts: string[] = [];
  if (range.family === 4) {
    for (let value = range.first; value <= range.last; value += 1) texts.push(formatAddress({ family: 4, value }));
  } else {
    for (let value = range.first; value <= range.last; value += 1n) texts.push(formatAddress({ family: 6, value }));
  }
  return texts;
}

function rangeElement(range: AddressRange): NftElement {
  const length = blockLength(range);
  const first = formatAddress(rangeFirst(range));
  return length === undefined ? { range: [first, formatAddress(rangeLast(range))] } : { prefix: { addr: first, len: length } };
}

/** The prefix length when the range is exactly one block. */
function blockLength(range: AddressRange): number | undefined {
  const first = BigInt(range.first);
  const size = BigInt(range.last) - first + 1n;
  if ((size & (size - 1n)) !== 0n || first % size !== 0n) return undefined;
  return (range.family === 4 ? 33 : 129) - size.toString(2).length;
}

function addressText(text: string): string {
  if (!text.includes(":")) return text; // IPv4 has one spelling
  const address = readAddress(hexTail(text));
  return typeof address === "string" ? text : formatAddress(address);
}

/** `::10.0.0.1`, as C libraries print addresses of ::/96, in groups only. */
function hexTail(text: string): string {
  const [, head, ...octets] = /^(.*:)([0-9]+)\.([0-9]+)\.([0-9]+)\.([0-9]+)$/.exec(text) ?? [];
  if (head === undefined) return text;
  const [a = 0, b = 0, c = 0, d = 0] = octets.map(Number);
  return `${head}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

function prefixText(prefix: unknown): string {
  if (typeof prefix !== "object" || prefix === null || !("addr" in prefix) || !("len" in prefix)) return JSON.stringify(prefix);
  return `${addressText(String(prefix.addr))}/${String(prefix.len)}`;
}

function wrappedText(inner: unknown): string {
  if (typeof inner === "object" && inner !== null && "val" in inner) return elementText(inner.val);
  return JSON.stringify(inner);
}
