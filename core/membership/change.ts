import { count, emptySet, subtract, unionAll, type AddressSet } from "../address/index.ts";
import type { Memberships } from "./membership.ts";
import { compareText } from "./order.ts";

/** How the addresses of one segment changed, counted in addresses. */
export interface SegmentChange {
  readonly name: string;
  readonly added: number;
  readonly removed: number;
  readonly total: number;
}

/** Segments whose addresses differ between two states of all memberships, sorted by name. */
export function membershipChange(before: Memberships, after: Memberships): readonly SegmentChange[] {
  const names = new Set([...segmentNames(before), ...segmentNames(after)]);
  return [...names].sort(compareText).flatMap((name) => {
    const old = addressesOf(before, name);
    const fresh = addressesOf(after, name);
    const added = Number(count(subtract(fresh, old)));
    const removed = Number(count(subtract(old, fresh)));
    return added + removed === 0 ? [] : [{ name, added, removed, total: Number(count(fresh)) }];
  });
}

function segmentNames(memberships: Memberships): readonly string[] {
  return [...memberships.values()].flatMap(({ segments }) => [...segments.keys()]);
}

function addressesOf(memberships: Memberships, segment: string): AddressSet {
  return unionAll([...memberships.values()].map(({ segments }) => segments.get(segment) ?? emptySet));
}
