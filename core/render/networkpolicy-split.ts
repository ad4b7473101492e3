import { formatPrefix, fromPrefixes, isEmpty, networkOf, toCidrBlocks, toPrefixes } from "../address/index.ts";
import type { Address, AddressSet, Prefix } from "../address/index.ts";
import type { ClusterAllow, Peer } from "../compile/want.ts";
import { sha256Hex } from "../membership/hash.ts";

/** An object with more blocks than this is split. At 40 bytes a block it stays far below etcd's 1.5 MiB, and an update is small. */
export const MAX_BLOCKS_PER_OBJECT = 1000;

/** Blocks that a part aims at, so that growth does not change the number of parts every day. */
const BLOCKS_PER_PART = 500;

/** Addresses of one such block always share a part: /24 and /120, what a node has for its pods. */
const GRANULE_HOST_BITS = 8;

/** What the base object keeps, and what each further part adds; part N is at index N. */
export interface SplitAllows {
  readonly base: readonly ClusterAllow[];
  readonly parts: readonly (readonly ClusterAllow[])[];
}

/**
 * Splits the address peers of one object when it gets too big.
 *
 * Every granule (/24, /120) is hashed to one of a power of two of parts, by its low bits, so one address change touches one part,
 * and twice as many parts means that each gives away half. Blocks wider than a granule are few and stay in the base object.
 */
export function splitAllows(allows: readonly ClusterAllow[]): SplitAllows {
  if (countBlocks(allows) <= MAX_BLOCKS_PER_OBJECT) return { base: allows, parts: [] };
  const base = mapAddresses(allows, (set) => fromPrefixes(toPrefixes(set).filter((prefix) => !isNarrow(prefix))));
  let partCount = nextPowerOfTwo(Math.ceil(countBlocks(allows) / BLOCKS_PER_PART));
  for (; partCount < 1 << 16; partCount *= 2) {
    const parts = distribute(allows, partCount);
    if (parts.every((part) => countBlocks(part) <= MAX_BLOCKS_PER_OBJECT)) return { base, parts };
  }
  return { base, parts: distribute(allows, partCount) };
}

function distribute(allows: readonly ClusterAllow[], partCount: number): readonly (readonly ClusterAllow[])[] {
  const parts: ClusterAllow[][] = Array.from({ length: partCount }, () => []);
  for (const allow of allows) {
    if (allow.peers === "any") continue;
    for (const peer of allow.peers) {
      if (peer.kind !== "addresses") continue;
      const prefixes: Prefix[][] = Array.from({ length: partCount }, () => []);
      for (const prefix of toPrefixes(peer.addresses)) {
        if (isNarrow(prefix)) prefixes[partOf(prefix, partCount)]?.push(prefix);
      }
      prefixes.forEach((list, index) => {
        if (list.length > 0) parts[index]?.push({ ...allow, peers: [{ kind: "addresses", addresses: fromPrefixes(list) }] });
      });
    }
  }
  return parts;
}

/** The allows with other address sets; a peer whose set becomes empty is dropped, and an allow with its last peer. */
function mapAddresses(allows: readonly ClusterAllow[], change: (set: AddressSet) => AddressSet): readonly ClusterAllow[] {
  return allows.flatMap((allow): readonly ClusterAllow[] => {
    if (allow.peers === "any") return [allow];
    const peers = allow.peers.flatMap((peer): readonly Peer[] => {
      if (peer.kind === "pods") return [peer];
      const addresses = change(peer.addresses);
      return isEmpty(addresses) ? [] : [{ kind: "addresses", addresses }];
    });
    return peers.length === 0 ? [] : [{ ...allow, peers }];
  });
}

function countBlocks(allows: readonly ClusterAllow[]): number {
  let blocks = 0;
  for (const { peers } of allows) {
    if (peers === "any") continue;
    for (const peer of peers) {
      if (peer.kind !== "addresses") continue;
      for (const block of toCidrBlocks(peer.addresses)) blocks += 1 + block.except.length;
    }
  }
  return blocks;
}

function isNarrow(prefix: Prefix): boolean {
  return prefix.length >= (prefix.family === 4 ? 32 : 128) - GRANULE_HOST_BITS;
}

function partOf(prefix: Prefix, partCount: number): number {
  const address = { family: prefix.family, value: prefix.first } as Address; // family and first stem from one union member
  const granule = networkOf(address, (prefix.family === 4 ? 32 : 128) - GRANULE_HOST_BITS);
  return Number.parseInt(sha256Hex(formatPrefix(granule)).slice(0, 8), 16) & (partCount - 1);
}

function nextPowerOfTwo(count: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(2, count)));
}
