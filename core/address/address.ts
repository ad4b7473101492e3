import ipaddr from "ipaddr.js";

/** One address; IPv4 as a number below 2^32, IPv6 as a bigint below 2^128. */
export type Address = { readonly family: 4; readonly value: number } | { readonly family: 6; readonly value: bigint };

/** A parsed value, or why it is refused; `corrected` is what the author most likely meant. */
export type Parsed<T> = { readonly ok: T } | { readonly error: string; readonly corrected?: T };

const OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
const DOTTED = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);
const DOTTED_TAIL = new RegExp(`:${OCTET}(?:\\.${OCTET}){3}$`);
const GROUPS = /^[0-9a-fA-F:]+$/;
const LONG_GROUP = /[0-9a-fA-F]{5}/;
const MAPPED_START = 0xffffn << 32n;
const MAPPED_END = MAPPED_START + (1n << 32n);

/**
 * One address in its usual text form.
 *
 * Refused: IPv4 short forms (`10.1`), octal or hexadecimal parts and leading zeros (other software reads them differently), IPv6
 * zone ids (an interface name, no address) and IPv4-mapped IPv6 (`::ffff:10.0.0.1`: no packet carries it; the kernel matches the
 * IPv4 packet, so `corrected` is the IPv4 address).
 */
export function parseAddress(text: string): Parsed<Address> {
  const read = readAddress(text);
  if (typeof read === "string") return { error: read };
  const unmapped = unmap(read);
  if (unmapped === undefined) return { ok: read };
  return { error: `${text} is an IPv4-mapped IPv6 address; write ${formatAddress(unmapped)}`, corrected: unmapped };
}

/** Canonical text: dotted IPv4, RFC 5952 IPv6. */
export function formatAddress(address: Address): string {
  if (address.family === 4) return formatV4(address.value);
  return formatV6(address.value);
}

/** The address as written, IPv4-mapped ones kept as IPv6; a string is the reason why it is none. */
export function readAddress(text: string): Address | string {
  if (DOTTED.test(text)) return { family: 4, value: readV4(text) };
  if (text.includes("%")) return `${text} has a zone id; an address in a policy has none`;
  if (!text.includes(":")) return v4Problem(text);
  const hex = withoutDottedTail(text);
  if (!GROUPS.test(hex) || LONG_GROUP.test(hex) || !ipaddr.IPv6.isValid(hex)) return `${text} is not an IPv6 address`;
  let value = 0n;
  for (const part of ipaddr.IPv6.parse(hex).parts) value = (value << 16n) | BigInt(part);
  return { family: 6, value };
}

/** The IPv4 address inside an IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2), or undefined for every other address. */
export function unmap(address: Address): Address | undefined {
  if (address.family === 4 || address.value < MAPPED_START || address.value >= MAPPED_END) return undefined;
  return { family: 4, value: Number(address.value - MAPPED_START) };
}

/** `::10.0.0.1` as `::a00:1`; unchanged when the tail is no IPv4 address, so that the dot is refused. */
function withoutDottedTail(text: string): string {
  if (!DOTTED_TAIL.test(text)) return text;
  const start = text.lastIndexOf(":") + 1;
  const value = readV4(text.slice(start));
  return `${text.slice(0, start)}${(value >>> 16).toString(16)}:${(value & 0xffff).toString(16)}`;
}

function readV4(text: string): number {
  let value = 0;
  for (const octet of text.split(".")) value = value * 256 + Number(octet);
  return value;
}

function v4Problem(text: string): string {
  if (/^[0-9]+(\.[0-9]+){3}$/.test(text) && /(^|\.)0[0-9]/.test(text)) {
    return `${text} has leading zeros, which some software reads as octal; write the parts without them`;
  }
  if (/^[0-9]+(\.[0-9]+){0,2}$/.test(text)) return `${text} is a short form; write all four parts of an IPv4 address`;
  return `${text === "" ? "an empty text" : text} is not an IP address`;
}

function formatV4(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

function formatV6(value: bigint): string {
  const parts: number[] = [];
  for (let shift = 112n; shift >= 0n; shift -= 16n) parts.push(Number((value >> shift) & 0xffffn));
  return new ipaddr.IPv6(parts).toRFC5952String();
}
