import { emptySet, intersect, isEmpty, subtract, union } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import { membershipDigest } from "./digest.ts";
import { segmentOfKey, type Membership } from "./membership.ts";

/**
 * What is in force after a new membership arrived: stale is not empty.
 *
 * A complete one replaces what was there. An incomplete one can only add: the result is the union with the previous one, has the
 * previous one's age, and is not complete, so that no set shrinks because a watch died.
 */
export function mergeMembership(previous: Membership | undefined, next: Membership): Membership {
  if (next.complete || previous === undefined) return next;
  const segments = mapSegments(previous, next, union);
  return { ...next, segments, observedAt: previous.observedAt, digest: membershipDigest(segments) };
}

/**
 * The next membership with the clashing addresses frozen: an address that two targets claim is no identity, so it joins no further
 * set and leaves none (docs/design/contracts.md "Identity across targets").
 */
export function freezeAddresses(previous: Membership | undefined, next: Membership, clashing: AddressSet): Membership {
  if (isEmpty(clashing)) return next;
  const before = previous ?? { ...next, segments: new Map<string, AddressSet>() };
  const segments = mapSegments(before, next, (old, fresh) => union(subtract(fresh, clashing), intersect(old, clashing)));
  for (const [name, set] of segments) if (!next.segments.has(name) && !isCellLeft(name, set, next)) segments.delete(name);
  return { ...next, segments, digest: membershipDigest(segments) };
}

function mapSegments(
  previous: Membership,
  next: Membership,
  combine: (previous: AddressSet, next: AddressSet) => AddressSet,
): Map<string, AddressSet> {
  const names = new Set([...previous.segments.keys(), ...next.segments.keys()]);
  return new Map(
    [...names].map((name) => [name, combine(previous.segments.get(name) ?? emptySet, next.segments.get(name) ?? emptySet)]),
  );
}

/** A cell without pods is absent from the next membership; what is frozen in it stays while its segment is there. */
function isCellLeft(name: string, set: AddressSet, next: Membership): boolean {
  const segment = segmentOfKey(name);
  return segment !== name && next.segments.has(segment) && !isEmpty(set);
}
