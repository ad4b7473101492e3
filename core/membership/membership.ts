import type { AddressSet } from "../address/index.ts";
import type { Direction, TargetId } from "../model/kinds.ts";

/**
 * Which addresses the workloads of one target show to the outside, per segment. This is what crosses targets: inside a
 * cluster rules stay label-based.
 *
 * Hosts need none: their addresses are in Git.
 */
export interface Membership {
  /** The target that feeds it. */
  readonly target: TargetId;
  /**
   * By segment, only those that can have pods in this target; an empty set is a known empty. Beside them, only where the definitions ask
   * for it: `cellKey(segment, values)` for the part of a segment whose pods have these label values (absent: nobody has),
   * `boundaryKey(side)`, and `endpointsKey(service)` for addresses that are no pods behind a service without a selector.
   */
  readonly segments: ReadonlyMap<string, AddressSet>;
  /** False: the last known contents, of the age told by `observedAt`; nothing may shrink because of it. */
  readonly complete: boolean;
  /** When the feeder was last known to be current, ms since the epoch. */
  readonly observedAt: number;
  /** Digest over `segments`, hex. */
  readonly digest: string;
}

/** Memberships of all feeding targets by target id; a target that never fed has no entry. */
export type Memberships = ReadonlyMap<TargetId, Membership>;

/** Where a membership holds the addresses of one side of its cluster's boundary. No segment has a slash in its name. */
export function boundaryKey(side: Direction): string {
  return `boundary/${side}`;
}

/** Where a membership holds the addresses behind a service without a selector that are no pods. */
export function endpointsKey({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `endpoints/${namespace}/${name}`;
}

/** The segment that a key of a membership speaks of: itself, or the one of a cell. */
export function segmentOfKey(key: string): string {
  return key.split("?", 1)[0] ?? key;
}
