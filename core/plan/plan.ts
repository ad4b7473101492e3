import type { NetworkPolicy } from "../render/networkpolicy-types.ts";
import type { TargetId } from "../model/kinds.ts";

/**
 * The `resourceVersion` of a step on an object that an earlier step of the same plan wrote: the applier puts the version there
 * which the API server answered to that step. (No valid version, so that a forgotten one is refused instead of unfenced.)
 */
export const EARLIER_STEP = "earlier-step";

/**
 * One write to a cluster. Order is the plan's: every intermediate state lies between old∩new and old∪new.
 * `resourceVersion` fences it: the write is refused by the API server when the object has moved on. See also {@link EARLIER_STEP}.
 */
export type ClusterStep =
  | { readonly kind: "create"; readonly why: string; readonly object: NetworkPolicy }
  | { readonly kind: "replace"; readonly why: string; readonly object: NetworkPolicy; readonly resourceVersion: string }
  | {
      readonly kind: "delete";
      readonly why: string;
      readonly namespace: string;
      readonly name: string;
      readonly uid: string;
      readonly resourceVersion: string;
    };

/** One transaction on a host; steps run in order, each atomic. */
export interface HostStep {
  /**
   * settle: as final but accepting and logging, so that conntrack learns live sessions first · final: the wanted ruleset ·
   * elements: address sets only · release: our table goes, and its fence with it.
   */
  readonly kind: "settle" | "final" | "elements" | "release";
  readonly why: string;
  /** nft JSON (`nft -j -f -`), the fence's compare-and-swap included. */
  readonly transaction: readonly unknown[];
  /** The generation this leaves in the fence. */
  readonly generation: number;
}

/** Something in the way: an object with our name and without our mark; never overwritten. */
export interface PlanConflict {
  readonly subject: string;
  readonly detail: string;
}

/** An object of ours that is wanted no more and stays, because without it workloads would be isolated no more. */
export interface HeldObject {
  /** `networkpolicy NAMESPACE/NAME`. */
  readonly subject: string;
  readonly namespace: string;
  readonly name: string;
  readonly detail: string;
}

interface PlanBase {
  readonly target: TargetId;
  /** Sequence of the revision wanted. */
  readonly sequence: number;
  /** Digest of the enforcement objects it was made from, without the elements of address sets. */
  readonly observationDigest: string;
  /** Digest of the memberships it was made from. */
  readonly membershipDigest: string;
  /** Digest of this plan: its identity, `sha256` hex. */
  readonly id: string;
  readonly conflicts: readonly PlanConflict[];
  /** True when only elements of address sets change under the revision that is already there. */
  readonly membersOnly: boolean;
}

export interface ClusterPlan extends PlanBase {
  readonly kind: "cluster";
  readonly steps: readonly ClusterStep[];
  /** Each is a finding `would-un-isolate`. */
  readonly held: readonly HeldObject[];
}

export interface HostPlan extends PlanBase {
  readonly kind: "host";
  readonly steps: readonly HostStep[];
}

/** Immutable; applying it makes no choices. No steps: nothing to do. */
export type Plan = ClusterPlan | HostPlan;
