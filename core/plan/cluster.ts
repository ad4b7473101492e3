import canonicalize from "canonicalize";
import type { ClusterWant } from "../compile/want.ts";
import { sha256Hex } from "../membership/hash.ts";
import type { Pod } from "../membership/inventory.ts";
import { FirebreakError } from "../ground/error.ts";
import type { Mark } from "../render/mark.ts";
import { findChanges } from "./cluster-changes.ts";
import { isolationOf } from "./cluster-isolation.ts";
import { objectKey, observationDigest, ownMark } from "./cluster-live.ts";
import { orderSteps, stepKey } from "./cluster-steps.ts";
import { specKeyWithoutAddresses } from "./defaulting.ts";
import type { ClusterObservation } from "../observed/observation.ts";
import type { ClusterPlan, ClusterStep } from "./plan.ts";

export { observationDigest } from "./cluster-live.ts";

/** What a plan is made from; nothing else has a say in it. */
export interface ClusterPlanning {
  readonly want: ClusterWant;
  /** The mark of the revision wanted; `instance` tells which live objects are ours. */
  readonly mark: Mark;
  readonly observation: ClusterObservation;
  /** Of the observation, from who has it already; otherwise it is made. */
  readonly observationDigest?: string;
  /** The cluster's pods, to see what a step isolates or opens. hostNetwork pods do not matter. */
  readonly pods: readonly Pod[];
  /** False when pods may be missing from `pods`: nothing that might isolate somebody is then removed. Default true. */
  readonly podsComplete?: boolean;
  readonly membershipDigest: string;
  /**
   * What may go although pods become open by it, because an accepted revision says so: best the objects that it releases
   * (`releasedObjects`); true is everything. Default false: such objects stay and are told (`held`).
   */
  readonly mayUnisolate?: boolean | ReadonlySet<string>;
  /** True while a target that feeds address sets has not been seen since the store was lost: no set shrinks, nothing is deleted. */
  readonly keepAddresses?: boolean;
  /** `NAMESPACE/NAME` of foreign objects that widen and are to go, or make way for ours (a cluster with `foreign: remove`); see `findChanges`. */
  readonly removeForeign?: ReadonlySet<string>;
}

/**
 * The ordered writes that take a cluster from what is observed to what is wanted.
 *
 * An unchanged object is not written only to refresh an older mark, so marks of different sequences beside each other are normal; the
 * highest one tells the revision. Throws INVENTORY_INCOMPLETE for a failed observation, which knows nothing.
 */
export function planCluster(planning: ClusterPlanning): ClusterPlan {
  const { want, mark, observation } = planning;
  if (observation.completeness === "failed") {
    throw new FirebreakError("INVENTORY_INCOMPLETE", `plan ${want.target} from an observation that failed`);
  }
  const isolation = isolationOf(planning.pods);
  const changes = findChanges(want, observation, {
    mark,
    isolation,
    podsComplete: planning.podsComplete ?? true,
    keepAddresses: planning.keepAddresses ?? false,
    mayUnisolate: planning.mayUnisolate ?? false,
    removeForeign: planning.removeForeign ?? new Set(),
  });
  const steps = orderSteps(changes, isolation);
  const body = {
    kind: "cluster" as const,
    target: want.target,
    sequence: mark.sequence,
    observationDigest: planning.observationDigest ?? observationDigest(observation),
    membershipDigest: planning.membershipDigest,
    conflicts: changes.conflicts,
    held: changes.held,
    membersOnly: areMembersOnly(steps, observation, mark),
    steps,
  };
  return { ...body, id: sha256Hex(canonicalize(body) ?? "") };
}

/** True when every write changes nothing but address blocks of an object that already carries this sequence. */
function areMembersOnly(steps: readonly ClusterStep[], observation: ClusterObservation, mark: Mark): boolean {
  if (steps.length === 0) return false;
  const live = new Map(observation.policies.map((policy) => [objectKey(policy.object), policy]));
  return steps.every((step) => {
    const policy = live.get(stepKey(step));
    if (step.kind !== "replace" || policy === undefined) return false;
    if (ownMark(policy, mark.instance)?.sequence !== mark.sequence) return false;
    return specKeyWithoutAddresses(step.object.spec) === specKeyWithoutAddresses(policy.object.spec);
  });
}
