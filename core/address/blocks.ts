import type { Flips } from "./intervals.ts";
import { flipsUpTo } from "./intervals.ts";
import { formatPrefix } from "./prefix.ts";
import type { Prefix } from "./prefix.ts";
import type { AddressSet } from "./set.ts";

/** A NetworkPolicy `ipBlock`: `cidr` without the blocks in `except`, all in CIDR text. */
export interface CidrBlock {
  readonly cidr: string;
  readonly except: readonly string[];
}

/** The smallest list of blocks that is exactly the set, IPv4 first, ascending. */
export function toPrefixes(set: AddressSet): readonly Prefix[] {
  const prefixes: Prefix[] = [];
  for (let i = 0; i + 1 < set.v4.length; i += 2) appendV4(prefixes, set.v4[i] as number, set.v4[i + 1] as number);
  for (let i = 0; i + 1 < set.v6.length; i += 2) appendV6(prefixes, set.v6[i] as bigint, set.v6[i + 1] as bigint);
  return prefixes;
}

/**
 * The set in `ipBlock` form with the fewest CIDRs in total (`cidr`s and `except`s counted alike; ties: without `except`).
 *
 * Blocks of one peer list add up, so a block may lie inside what another excepts. An empty set gives no block, and the caller must
 * drop the peer: a peer without a block would mean anyone.
 *
 * @example 10.0.0.0/8 without 10.1.2.3 is 1 + 1 CIDRs instead of 24
 */
export function toCidrBlocks(set: AddressSet): readonly CidrBlock[] {
  const blocks: CidrBlock[] = [];
  if (set.v4.length > 0) {
    const halves = (first: number, length: number): number => first + 2 ** (31 - length);
    appendBlocks(
      blocks,
      plan(set.v4, 0, 2 ** 32, 0, halves, (first, length): Prefix => ({ family: 4, first, length })),
    );
  }
  if (set.v6.length > 0) {
    const halves = (first: bigint, length: number): bigint => first + (1n << BigInt(127 - length));
    appendBlocks(
      blocks,
      plan(set.v6, 0n, 1n << 128n, 0, halves, (first, length): Prefix => ({ family: 6, first, length })),
    );
  }
  return blocks;
}

/** A binary tree of leaves, so that joining two lists costs nothing; flattened once. */
type Rope<T> = undefined | { readonly leaf: T } | { readonly left: Rope<T>; readonly right: Rope<T> };

interface Block {
  readonly cidr: Prefix;
  readonly holes: Rope<Prefix>;
}

/**
 * How to write one node of the binary tree of blocks, in two situations.
 *
 * `inside`: nothing around it is covered: the blocks that are exactly the set within the node. `outside`: a wider block covers it:
 * what to except, and which blocks to add again inside of that. `cost` counts CIDRs.
 */
interface Plan {
  readonly inside: { readonly cost: number; readonly blocks: Rope<Block> };
  readonly outside: { readonly cost: number; readonly holes: Rope<Prefix>; readonly blocks: Rope<Block> };
}

/** The cheapest way to write `flips` within the block [first, end) of the given length. */
function plan<V extends number | bigint>(
  flips: Flips<V>,
  first: V,
  end: V,
  length: number,
  halfOf: (first: V, length: number) => V,
  prefix: (first: V, length: number) => Prefix,
): Plan {
  const passed = flipsUpTo(flips, first);
  const next = flips[passed];
  if (next === undefined || next >= end)
    return passed % 2 === 1 ? fullPlan(prefix(first, length)) : emptyPlan(prefix(first, length));
  const middle = halfOf(first, length);
  const left = plan(flips, first, middle, length + 1, halfOf, prefix);
  const right = plan(flips, middle, end, length + 1, halfOf, prefix);
  return joinPlans(prefix(first, length), left, right);
}

function fullPlan(block: Prefix): Plan {
  return {
    inside: { cost: 1, blocks: { leaf: { cidr: block, holes: undefined } } },
    outside: { cost: 0, holes: undefined, blocks: undefined },
  };
}

function emptyPlan(block: Prefix): Plan {
  return { inside: { cost: 0, blocks: undefined }, outside: { cost: 1, holes: { leaf: block }, blocks: undefined } };
}

/** Both halves apart, or the whole node with a switch of situation: covered with holes, or excepted with blocks added again. */
function joinPlans(cidr: Prefix, left: Plan, right: Plan): Plan {
  const inside = { cost: left.inside.cost + right.inside.cost, blocks: joinRopes(left.inside.blocks, right.inside.blocks) };
  const outside = {
    cost: left.outside.cost + right.outside.cost,
    holes: joinRopes(left.outside.holes, right.outside.holes),
    blocks: joinRopes(left.outside.blocks, right.outside.blocks),
  };
  const covered = { cost: 1 + outside.cost, blocks: joinRopes({ leaf: { cidr, holes: outside.holes } }, outside.blocks) };
  const excepted = { cost: 1 + inside.cost, holes: { leaf: cidr }, blocks: inside.blocks };
  return {
    inside: inside.cost <= covered.cost ? inside : covered,
    outside: outside.cost <= excepted.cost ? outside : excepted,
  };
}

function joinRopes<T>(left: Rope<T>, right: Rope<T>): Rope<T> {
  if (left === undefined) return right;
  return right === undefined ? left : { left, right };
}

function* leavesOf<T>(rope: Rope<T>): Generator<T> {
  const stack: Rope<T>[] = [rope];
  while (stack.length > 0) {
    const node = stack.pop();
    if (node === undefined) continue;
    if ("leaf" in node) yield node.leaf;
    else stack.push(node.right, node.left);
  }
}

function appendBlocks(blocks: CidrBlock[], plan: Plan): void {
  for (const { cidr, holes } of leavesOf(plan.inside.blocks)) {
    blocks.push({ cidr: formatPrefix(cidr), except: [...leavesOf(holes)].map(formatPrefix) });
  }
}

function appendV4(prefixes: Prefix[], start: number, end: number): void {
  let first = start;
  while (first < end) {
    let size = first === 0 ? 2 ** 32 : (first & -first) >>> 0;
    while (first + size > end) size /= 2;
    prefixes.push({ family: 4, first, length: 32 - Math.log2(size) });
    first += size;
  }
}

function appendV6(prefixes: Prefix[], start: bigint, end: bigint): void {
  let first = start;
  while (first < end) {
    let hostBits = first === 0n ? 128 : trailingZeros(first);
    while (first + (1n << BigInt(hostBits)) > end) hostBits -= 1;
    prefixes.push({ family: 6, first, length: 128 - hostBits });
    first += 1n << BigInt(hostBits);
  }
}

function trailingZeros(value: bigint): number {
  return (value & -value).toString(2).length - 1;
}
