import type { AddressSet } from "../address/index.ts";
import type { TargetId } from "../model/kinds.ts";

/**
 * Which addresses the workloads of one target show to the outside, per segment. This is what crosses targets: inside a
 * cluster rules stay label-based.
 *
 * Hosts need none: their addresses are in Git.
 */
export interface Membership {
  /** The target that feeds it. */
  readonly target: TargetId;
  /** Only segments with at least one member selector that can match in this target; an empty set is a known empty. */
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
