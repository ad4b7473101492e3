import { formatAddress, readAddress, unmap } from "./address.ts";
import type { Address, Parsed } from "./address.ts";

/** A CIDR block: `first` is the network address (no host bits), `length` the prefix length (0-32 or 0-128). */
export type Prefix =
  | { readonly family: 4; readonly first: number; readonly length: number }
  | { readonly family: 6; readonly first: bigint; readonly length: number };

const LENGTH = /^(0|[1-9][0-9]{0,2})$/;

/**
 * A CIDR block or a bare address (then /32 or /128).
 *
 * Host bits set is an error whose `corrected` is the network (Kubernetes and nft mask silently; a definition that says
 * 10.0.0.5/16 more likely forgot than meant 65,536 addresses). IPv4-mapped blocks (`::ffff:10.0.0.0/104`) are an error whose
 * `corrected` is the IPv4 block, because that is what kernels and Kubernetes match. See `parseAddress` for what else is refused.
 */
export function parsePrefix(text: string): Parsed<Prefix> {
  const slash = text.indexOf("/");
  const address = readAddress(slash < 0 ? text : text.slice(0, slash));
  if (typeof address === "string") return { error: address };
  const bits = familyBits(address.family);
  const lengthText = slash < 0 ? String(bits) : text.slice(slash + 1);
  if (!LENGTH.test(lengthText) || Number(lengthText) > bits) {
    return { error: `${text}: the prefix length must be a number from 0 to ${bits}` };
  }
  return checkPrefix(text, address, Number(lengthText));
}

/** Canonical text, always with the length: `10.0.0.0/8`, `2001:db8::1/128`. */
export function formatPrefix(prefix: Prefix): string {
  const { family, first, length } = prefix;
  return `${formatAddress({ family, value: first } as Address)}/${length}`; // family and first stem from one union member
}

/** The block of one address. */
export function prefixOf(address: Address): Prefix {
  if (address.family === 4) return { family: 4, first: address.value, length: 32 };
  return { family: 6, first: address.value, length: 128 };
}

/** Orders by family, then network, then wider first. */
export function comparePrefixes(a: Prefix, b: Prefix): number {
  if (a.family !== b.family) return a.family - b.family;
  if (a.first !== b.first) return a.first < b.first ? -1 : 1;
  return a.length - b.length;
}

/** 32 or 128. */
export function familyBits(family: 4 | 6): 32 | 128 {
  return family === 4 ? 32 : 128;
}

/** The network of that length which holds the address. */
export function networkOf(address: Address, length: number): Prefix {
  if (address.family === 4) {
    const size = 2 ** (32 - length);
    return { family: 4, first: address.value - (address.value % size), length };
  }
  const hostBits = BigInt(128 - length);
  return { family: 6, first: (address.value >> hostBits) << hostBits, length };
}

function checkPrefix(text: string, address: Address, length: number): Parsed<Prefix> {
  const unmapped = unmap(address);
  if (unmapped !== undefined && length >= 96) {
    const corrected = networkOf(unmapped, length - 96);
    return { error: `${text} is an IPv4-mapped IPv6 block; write ${formatPrefix(corrected)}`, corrected };
  }
  const network = networkOf(address, length);
  if (network.first === address.value) return { ok: network };
  return { error: `${text} has host bits set; the network is ${formatPrefix(network)}`, corrected: network };
}
