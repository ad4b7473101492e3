import { createHmac } from "node:crypto";
import type { TargetId } from "../../core/model/kinds.ts";
import type { Observation } from "../../core/observed/observation.ts";
import { objectKey, objectSubject, ownMark } from "../../core/plan/cluster-live.ts";
import type { ClusterPlan, ClusterStep } from "../../core/plan/plan.ts";
import type { Mark } from "../../core/render/mark.ts";
import { ANNOTATION, readMark } from "../../core/render/networkpolicy-mark.ts";
import type { NetworkPolicy } from "../../core/render/networkpolicy-types.ts";
import { liveMarks } from "../live-mark.ts";
import { mapInTurns } from "../turns.ts";
import type { SyncerContext } from "./context.ts";

/**
 * Seals of what is written to clusters.
 *
 * Whoever may write NetworkPolicies in one namespace can put our mark on his objects, with any number. A seal he cannot make: it is over the
 * target, the name of the object and the number, with a key that only who holds the log can make. So a number is believed only where it is
 * sealed, and a mark only on an object that Firebreak wrote. A host has one table of ours, which nobody but its root can write: it has no seal.
 */
export type SealParts = Pick<SyncerContext, "instance" | "sealKey" | "isLogNew" | "facts">;

/** The plan with a seal on everything that it writes; in turns of the event loop, because there may be many. */
export async function sealSteps(parts: SealParts, plan: ClusterPlan): Promise<ClusterPlan> {
  return { ...plan, steps: await mapInTurns(plan.steps, (step) => sealStep(parts, plan, step)) };
}

/** A step of a plan, with a seal on what it writes. */
export function sealStep(parts: SealParts, plan: Pick<ClusterPlan, "target" | "sequence">, step: ClusterStep): ClusterStep {
  if (step.kind === "delete") return step;
  const { metadata } = step.object;
  const seal = sealOf(parts, plan.target, step.object, plan.sequence);
  return {
    ...step,
    object: { ...step.object, metadata: { ...metadata, annotations: { ...metadata.annotations, [ANNOTATION.seal]: seal } } },
  };
}

function sealOf({ instance, sealKey }: SealParts, target: TargetId, object: NetworkPolicy, sequence: number): string {
  const text = JSON.stringify(["mark", instance, target, objectKey(object), sequence]);
  return createHmac("sha256", sealKey).update(text).digest("base64url").slice(0, 32);
}

/**
 * The marks of ours on a target whose numbers Firebreak gave: those of a cluster that are sealed, and that of a host. A log that began with this
 * process has a new key, so under it every mark counts: what is live is then all that is known.
 *
 * @param above only marks of a higher number are looked at: mostly none is, and a seal costs some 6 µs
 */
export function believedMarks(parts: SealParts, target: TargetId, observation: Observation, above: number): readonly Mark[] {
  const { instance, isLogNew } = parts;
  if (observation.kind === "host" || isLogNew) return liveMarks(observation, instance).filter(({ sequence }) => sequence > above);
  return observation.policies.flatMap(({ object }) => {
    const mark = readMark(object);
    const isAsked = mark?.instance === instance && mark.sequence > above && mark.seal !== undefined;
    return isAsked && mark.seal === sealOf(parts, target, object, mark.sequence) ? [mark] : [];
  });
}

/**
 * True when Firebreak wrote this object of a cluster: by its seal, or by the log where it has none, since older versions sealed nothing.
 * Whoever takes the seal off an object of ours does not make it somebody else's.
 */
export function isWritten(parts: SealParts, target: TargetId, object: NetworkPolicy): boolean {
  const mark = ownMark({ object, manager: undefined, managedAt: undefined }, parts.instance);
  if (mark === undefined) return false;
  return mark.seal === sealOf(parts, target, object, mark.sequence) || parts.facts.hasWritten(target, objectSubject(object));
}
