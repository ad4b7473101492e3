import type { ClusterWant } from "../compile/want.ts";
import type { Pod } from "../membership/inventory.ts";
import { objectKey, objectSubject } from "../plan/cluster-live.ts";
import { planCluster } from "../plan/cluster.ts";
import { specKey } from "../plan/defaulting.ts";
import type { ClusterObservation } from "../observed/observation.ts";
import type { Mark } from "../render/mark.ts";
import { renderNetworkPolicies } from "../render/networkpolicy.ts";
import type { NetworkPolicy } from "../render/networkpolicy-types.ts";
import type { Finding } from "../finding/finding.ts";

/**
 * While an apply has not told how it ended, a target may stand where it stood before, where it was going, or at a step between. Only what
 * is none of these is a finding: else every crash of ours would be told as somebody's tampering, and a real one could not be told at all.
 */

/**
 * What parts from every state that Firebreak may have left, as it parts from the last of them: that is what the next run makes it.
 *
 * @param states findings against each state, the one that is being reached last
 */
export function partsFromAll(states: readonly (readonly Finding[])[]): readonly Finding[] {
  const last = states.at(-1) ?? [];
  const others = states.slice(0, -1).map((findings) => new Set(findings.map(({ subject }) => subject)));
  return last.filter(({ kind, subject }) => kind === "not-comparable" || others.every((subjects) => subjects.has(subject)));
}

/** One of the two ends of an unfinished apply to a cluster. */
export interface ClusterEnd {
  readonly want: ClusterWant;
  readonly mark: Mark;
}

/**
 * Subjects of live objects that are as some step of the apply leaves them: the steps are those that its plan had, since a plan is a
 * function of both ends and the pods.
 */
export function subjectsAtAStep(
  from: ClusterEnd,
  to: ClusterEnd,
  observation: ClusterObservation,
  pods: readonly Pod[],
): ReadonlySet<string> {
  const before = renderNetworkPolicies(from.want, from.mark).map((object) => ({
    object,
    manager: undefined,
    managedAt: undefined,
  }));
  const { steps } = planCluster({
    want: to.want,
    mark: to.mark,
    observation: { ...observation, completeness: "complete", policies: before },
    pods,
    membershipDigest: "",
    mayUnisolate: true,
  });
  const written = new Set(steps.flatMap((step) => (step.kind === "delete" ? [] : [stateOf(step.object)])));
  const there = observation.policies.map(({ object }) => object);
  return new Set(there.filter((object) => written.has(stateOf(object))).map(objectSubject));
}

function stateOf(object: NetworkPolicy): string {
  return `${objectKey(object)} ${specKey(object.spec)}`;
}
