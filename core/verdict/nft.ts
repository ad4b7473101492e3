import {
  anyAddress,
  anyV4,
  anyV6,
  emptySet,
  formatAddress,
  formatRange,
  isEmpty,
  isSubset,
  subtract,
  toRanges,
} from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import { exampleAddress, examplePort } from "../address/example.ts";
import { noPorts } from "../address/ports.ts";
import { phrasePorts } from "./effect-words.ts";
import { Budget, OverBudget } from "./budget.ts";
import { readListing } from "./nft/listing.ts";
import type { ListedTable, TableName } from "./nft/listing.ts";
import { boxesOf, costOf, intersectSpaces, isEmptySpace, spaceFromBoxes, subtractSpaces, wholeSpace } from "./nft/space.ts";
import type { Box, Space } from "./nft/space.ts";
import { boxesForPeople, changesBetween } from "./nft/gains.ts";
import { admittedBy, HOOK_STEPS, TOO_MUCH } from "./nft/walk.ts";
import type { Admitted } from "./nft/walk.ts";

export type { Box } from "./nft/space.ts";

/** What a host's table lets through. */
export interface HostAccess {
  /** False: no such table, so it stops nothing. */
  readonly exists: boolean;
  /** True: the table is listed in full and stops nothing. */
  readonly isDormant: boolean;
  /** New connections from other machines to the host, and back. */
  readonly input: Admitted;
  readonly output: Admitted;
  /** Objects and chains that are not interpreted, whatever direction they concern. */
  readonly uncertain: readonly string[];
}

/** One group of connections of a host that opened or closed; the host itself is the other end. */
export interface HostConnection {
  readonly direction: "input" | "output";
  readonly box: Box;
  /** `any`, `10.9.0.0/24`, `any IPv4 address`. */
  readonly peers: string;
  readonly ports: string;
  readonly witness: { readonly peer: string; readonly port: number; readonly protocol: string };
}

/** What the difference between two listings does to connections; like `Effect` for clusters. */
export interface HostEffect {
  readonly kind: "equivalent" | "opens" | "closes" | "both";
  readonly opened: readonly HostConnection[];
  readonly closed: readonly HostConnection[];
  /** What passes on for peers for whom something closed. */
  readonly stays: readonly HostConnection[];
  /** What one of the listings has, the other has not, and this reader does not understand. */
  readonly uncertain: readonly string[];
  /** Not understood either, but the same on both sides. */
  readonly notes: readonly string[];
  /** True when comparing them would have cost more than the budget: nothing is known of the difference, which `uncertain` says too. */
  readonly isOverBudget: boolean;
}

const OUR_TABLE: TableName = { family: "inet", name: "firebreak" };

/**
 * Reads what a table admits from `nft -j list table …` or `… ruleset`, without knowing how it was rendered.
 *
 * Only new connections with other machines are looked at: established ones and loopback always pass. Source ports are the peer's
 * choice. The result is an upper bound: what is not understood may admit, and is named in `uncertain`. `local` (the host's own
 * addresses) decides matches on the host's side of a packet. `budget`: what all of it may cost.
 */
export function hostAccess(listing: unknown, table: TableName = OUR_TABLE, local?: AddressSet, budget?: Budget): HostAccess {
  const listed = readListing(listing, table);
  return {
    exists: listed.exists,
    isDormant: listed.isDormant,
    input: admittedBy(listed, { hook: "input", local, budget }),
    output: admittedBy(listed, { hook: "output", local, budget }),
    uncertain: [...listed.strange.map((text) => `not interpreted: ${text}`), ...otherHooks(listed)],
  };
}

/** True when the host admits that new connection. */
export function admits(access: HostAccess, direction: "input" | "output", connection: Box): boolean {
  const asked = intersectSpaces(wholeSpace, spaceFromBoxes([connection]));
  return isEmptySpace(subtractSpaces(asked, access[direction].space));
}

/**
 * Which connections of a host open and close between two listings (either may lack the table).
 *
 * What costs more than the budget is no guess: nothing opened, nothing closed, and `isOverBudget`, which must not be read as harmless.
 */
export function hostEffect(
  before: unknown,
  after: unknown,
  table: TableName = OUR_TABLE,
  local?: AddressSet,
  budget: Budget = new Budget(4 * HOOK_STEPS),
): HostEffect {
  return accessDifference(hostAccess(before, table, local, budget), hostAccess(after, table, local, budget), budget);
}

/** The same of two listings that were read already. */
export function accessDifference(old: HostAccess, now: HostAccess, budget: Budget): HostEffect {
  if ([old.input, old.output, now.input, now.output].some(({ isOverBudget }) => isOverBudget)) return NOT_COMPARED;
  try {
    const [into, out] = [compare(old, now, "input", budget), compare(old, now, "output", budget)];
    const opened = [...into.opened, ...out.opened];
    const closed = [...into.closed, ...out.closed];
    const stays = [...into.stays, ...out.stays];
    const kind = kindOf(opened.length > 0, closed.length > 0);
    return { ...doubtsBetween(old, now), kind, opened, closed, stays, isOverBudget: false };
  } catch (error) {
    if (error instanceof OverBudget) return NOT_COMPARED;
    throw error;
  }
}

const NOT_COMPARED: HostEffect = {
  kind: "equivalent",
  opened: [],
  closed: [],
  stays: [],
  uncertain: [TOO_MUCH],
  notes: [],
  isOverBudget: true,
};

function kindOf(opens: boolean, closes: boolean): HostEffect["kind"] {
  if (opens) return closes ? "both" : "opens";
  return closes ? "closes" : "equivalent";
}

function doubtsBetween(old: HostAccess, now: HostAccess): Pick<HostEffect, "uncertain" | "notes"> {
  const doubtsOld = new Set(doubtsOf(old));
  const doubtsNow = new Set(doubtsOf(now));
  return {
    uncertain: [...[...doubtsNow].filter((text) => !doubtsOld.has(text)), ...[...doubtsOld].filter((text) => !doubtsNow.has(text))],
    notes: [...doubtsNow].filter((text) => doubtsOld.has(text)),
  };
}

/** `opens any → this host: 8080/tcp`, `closes this host → 10.0.0.0/24: any port`, `stays open …`, then what is uncertain. */
export function formatHostEffect(effect: HostEffect): readonly string[] {
  const changes = [
    ...effect.opened.map((connection) => `opens ${formatHostConnection(connection)}`),
    ...effect.closed.map((connection) => `closes ${formatHostConnection(connection)}`),
    ...effect.stays.map((connection) => `stays open ${formatHostConnection(connection)}`),
  ];
  const nothing = changes.length === 0 && effect.uncertain.length === 0 ? ["opens nothing, closes nothing"] : [];
  return [...changes, ...nothing, ...effect.uncertain.map((text) => `uncertain: ${text}`)];
}

/** `any → this host: 8080/tcp`; in full with all ranges of the peers. */
export function formatHostConnection({ direction, box, peers: few, ports }: HostConnection, isFull: boolean = false): string {
  const peers = isFull ? formatPeers(box.peers, FULL_RANGES) : few;
  return direction === "input" ? `${peers} → this host: ${ports}` : `this host → ${peers}: ${ports}`;
}

/** The boxes of what a hook admits, for comparing with an intent and for tests. */
export function admittedBoxes(admitted: Admitted): readonly Box[] {
  return boxesOf(admitted.space);
}

function doubtsOf(access: HostAccess): readonly string[] {
  return [...access.input.uncertain, ...access.output.uncertain, ...access.uncertain];
}

type Sides = Readonly<Record<"opened" | "closed" | "stays", readonly HostConnection[]>>;

function compare(old: HostAccess, now: HostAccess, direction: "input" | "output", budget: Budget): Sides {
  const [before, after] = [old[direction].space, now[direction].space];
  budget.spend(COST_OF_CHANGES * (costOf(before) + costOf(after)));
  const { opened, closed, stays } = changesBetween(before, after);
  const write = (space: Space): readonly HostConnection[] => connectionsOf(space, direction, budget);
  return { opened: write(opened), closed: write(closed), stays: write(stays) };
}

/** The two sets are walked a few times, and the addresses of what closed are sorted. */
const COST_OF_CHANGES = 8;

function connectionsOf(space: Space, direction: "input" | "output", budget: Budget): readonly HostConnection[] {
  // Every step is held against the sets gathered so far.
  budget.spend(costOf(space) * 4 + space.starts.length ** 2 / 8);
  return boxesForPeople(space).map((box) => {
    budget.spend(costOf(space));
    return {
      direction,
      box,
      peers: formatPeers(box.peers),
      ports: phrasePorts(box.ports),
      witness: witnessOf(intersectSpaces(space, spaceFromBoxes([box]))),
    };
  });
}

function witnessOf(space: Space): HostConnection["witness"] {
  const [box] = boxesOf(space);
  const address = exampleAddress(box?.peers ?? emptySet);
  return { peer: address === undefined ? "nobody" : formatAddress(address), ...examplePort(box?.ports ?? noPorts) };
}

/** What a whole family (or both) is called. */
const WHOLE: readonly (readonly [AddressSet, string])[] = [
  [anyAddress, "any"],
  [anyV4, "any IPv4 address"],
  [anyV6, "any IPv6 address"],
];

/** Ranges named before "and N more", in a short text and in a full one: the bound on what one line can cost. */
const SHORT_RANGES = 3;
const FULL_RANGES = 1_000;

/** Addresses in words: `any`, `any but 10.9.0.0/24`, or ranges, whichever is shorter. */
function formatPeers(peers: AddressSet, most: number = SHORT_RANGES): string {
  let best = { words: "", left: peers };
  for (const [whole, words] of WHOLE) {
    const left = subtract(whole, peers);
    if (isSubset(peers, whole) && rangeCount(left) < rangeCount(best.left)) best = { words, left };
  }
  if (isEmpty(best.left)) return best.words;
  const ranges = toRanges(best.left).map(formatRange);
  const said =
    ranges.length <= most + 1 ? ranges.join(", ") : `${ranges.slice(0, most).join(", ")} and ${ranges.length - most} more ranges`;
  return best.words === "" ? said : `${best.words} but ${said}`;
}

function rangeCount({ v4, v6 }: AddressSet): number {
  return (v4.length + v6.length) / 2;
}

/** Chains that hold packets before or after the two hooks that are followed; forwarded traffic is not the host's. */
function otherHooks(listed: ListedTable): readonly string[] {
  return [...listed.chains.values()]
    .filter(({ hook }) => hook !== undefined && hook !== "input" && hook !== "output" && hook !== "forward")
    .map(({ name, hook }) => `chain ${name} at hook ${hook ?? ""} is not interpreted`);
}
