import type { AddressSet } from "../address/index.ts";
import type { Workload } from "../estate/estate.ts";
import type { TargetId } from "../model/kinds.ts";
import type { Source } from "../reach/source.ts";
import type { EnforcedSource } from "./source.ts";

/** What is compared, of one target. */
export interface EquivalenceQuestion {
  readonly target: TargetId;
  /** The definitions as the enforcers can see them. */
  readonly intent: Source;
  /** What was rendered for the target, read back. Best of this target alone: others are not asked for. */
  readonly rendered: EnforcedSource;
  /** Addresses of which nobody knows right now whose they are: an inventory that moved on since it was compiled from. */
  readonly leftOut?: AddressSet;
  /** Whose ends are compared, of the target's workloads. Absent: all. */
  readonly isSubject?: (workload: Workload) => boolean;
  /** Looks that are taken at most: a peer that is known by several addresses takes one for each. */
  readonly limit?: number;
}
