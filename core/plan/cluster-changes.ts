import type { ClusterWant } from "../compile/want.ts";
import { compareText } from "../membership/order.ts";
import type { Direction } from "../model/kinds.ts";
import type { Mark } from "../render/mark.ts";
import { renderNetworkPolicies } from "../render/networkpolicy.ts";
import type { NetworkPolicy } from "../render/networkpolicy-types.ts";
import { selectorKey } from "../selector/index.ts";
import type { Isolation } from "./cluster-isolation.ts";
import { objectKey, objectSubject, ownMark } from "./cluster-live.ts";
import { areCovered, isolatedDirections, isVast, normaliseSpec, specKey } from "./defaulting.ts";
import { keepLiveAddresses } from "./keep-addresses.ts";
import type { ClusterObservation, LivePolicy } from "../observed/observation.ts";
import type { HeldObject, PlanConflict } from "./plan.ts";
import { mayRelease } from "./cluster-release.ts";

/** A live object that becomes another. */
export interface Replacement {
  readonly live: LivePolicy;
  readonly object: NetworkPolicy;
}

/** What has to change, in no order yet; every list is sorted by namespace and name. */
export interface ClusterChanges {
  readonly creates: readonly NetworkPolicy[];
  readonly replaces: readonly Replacement[];
  readonly deletes: readonly LivePolicy[];
  readonly conflicts: readonly PlanConflict[];
  readonly held: readonly HeldObject[];
  /** Live objects that no step touches: other people's, held ones, and ours that are right. */
  readonly untouched: readonly NetworkPolicy[];
}

/** What `findChanges` needs beside want and observation. */
export interface ChangeOptions {
  readonly mark: Mark;
  readonly isolation: Isolation;
  /** False: pods may be missing from the picture, so an object is deleted only where another one surely isolates the same pods. */
  readonly podsComplete: boolean;
  /** Objects that may go although pods become open by it: all, none, or these (`releasedObjects`). */
  readonly mayUnisolate: boolean | ReadonlySet<string>;
  /** True: a feeder of address sets has not been seen yet, so no set shrinks and nothing is deleted. */
  readonly keepAddresses: boolean;
  /**
   * `NAMESPACE/NAME` of objects that are not ours and are to go (`foreign: remove`), also where pods become open by it. One that carries our
   * mark and that Firebreak never wrote is not ours.
   */
  readonly removeForeign: ReadonlySet<string>;
}

/**
 * Compares what is wanted with what is there, whole spec by whole spec.
 *
 * Ours is what carries our instance. An object with a wanted name and without our mark is a conflict, and is overwritten only when it
 * is named for removal: somebody may have taken the mark off an object of ours. What is already right is not touched, also when its
 * mark names an older revision. Nothing is deleted on an observation that is not complete, and nothing that would un-isolate a pod
 * unless the caller says so.
 */
export function findChanges(want: ClusterWant, observation: ClusterObservation, options: ChangeOptions): ClusterChanges {
  const { mark, removeForeign } = options;
  const wanted = new Map(renderNetworkPolicies(want, mark).map((object) => [objectKey(object), object]));
  const live = [...observation.policies].sort((a, b) => compareText(objectKey(a.object), objectKey(b.object)));
  const liveKeys = new Set(live.map(({ object }) => objectKey(object)));
  const replaces: Replacement[] = [];
  const conflicts: PlanConflict[] = [];
  const candidates: LivePolicy[] = [];
  const untouched: NetworkPolicy[] = [];
  const rightAlready: NetworkPolicy[] = [];
  for (const policy of live) {
    const key = objectKey(policy.object);
    const isOurs = ownMark(policy, mark.instance) !== undefined;
    const rendered = wanted.get(key);
    const object = rendered !== undefined && options.keepAddresses ? keepLiveAddresses(rendered, policy.object) : rendered;
    if (object === undefined && (isOurs || (removeForeign.has(key) && want.governed.includes(policy.object.metadata.namespace)))) {
      candidates.push(policy);
    } else if (object === undefined) untouched.push(policy.object);
    else if (!isOurs && removeForeign.has(key)) replaces.push({ live: policy, object });
    else if (!isOurs) {
      conflicts.push(conflictWith(policy));
      untouched.push(policy.object);
    } else if (isSame(object, policy.object) && !isAhead(policy, mark)) rightAlready.push(policy.object);
    else replaces.push({ live: policy, object });
  }
  const creates = [...wanted].filter(([key]) => !liveKeys.has(key)).map(([, object]) => object);
  const isolating = [...rightAlready, ...creates, ...replaces.map(({ object }) => object)];
  const { deletes, held, kept } = decideDeletes(want, observation, candidates, isolating, options);
  return { creates, replaces, deletes, conflicts, held, untouched: [...untouched, ...rightAlready, ...kept] };
}

function isSame(object: NetworkPolicy, live: NetworkPolicy): boolean {
  return isVast(live.spec) === isVast(object.spec) && specKey(object.spec) === specKey(live.spec);
}

/** A mark that is newer than what is planned is nobody's but who raised it: the object is written again, or it would stay so for ever. */
function isAhead(policy: LivePolicy, mark: Mark): boolean {
  return (ownMark(policy, mark.instance)?.sequence ?? 0) > mark.sequence;
}

/**
 * `isolating`: objects of ours that are wanted. Other people's do not count, because whoever put one there can take it away again:
 * an object of ours that goes because of it would be gone for good.
 */
function decideDeletes(
  want: ClusterWant,
  observation: ClusterObservation,
  candidates: readonly LivePolicy[],
  isolating: readonly NetworkPolicy[],
  options: ChangeOptions,
): { readonly deletes: readonly LivePolicy[]; readonly held: readonly HeldObject[]; readonly kept: readonly NetworkPolicy[] } {
  if (observation.completeness !== "complete" || options.keepAddresses) {
    return { deletes: [], held: [], kept: candidates.map(({ object }) => object) };
  }
  if (options.mayUnisolate === true || candidates.length === 0) return { deletes: candidates, held: [], kept: [] };
  const isolated = {
    ingress: options.isolation.isolated(isolating, "ingress"),
    egress: options.isolation.isolated(isolating, "egress"),
  };
  const neighbours = Map.groupBy(isolating, (object) => object.metadata.namespace);
  const deletes: LivePolicy[] = [];
  const held: HeldObject[] = [];
  const kept: NetworkPolicy[] = [];
  for (const candidate of candidates) {
    const others = neighbours.get(candidate.object.metadata.namespace) ?? [];
    const key = objectKey(candidate.object);
    const isFree =
      ownMark(candidate, options.mark.instance) === undefined ||
      (options.removeForeign.has(key) && want.governed.includes(candidate.object.metadata.namespace)) ||
      mayRelease(options.mayUnisolate, key);
    const reason = isFree ? undefined : whyHeld(want, candidate.object, others, isolated, options);
    if (reason === undefined) deletes.push(candidate);
    else {
      const { namespace, name } = candidate.object.metadata;
      held.push({ subject: objectSubject(candidate.object), namespace, name, detail: reason });
      kept.push(candidate.object);
    }
  }
  return { deletes, held, kept };
}

function whyHeld(
  want: ClusterWant,
  object: NetworkPolicy,
  neighbours: readonly NetworkPolicy[],
  isolated: Readonly<Record<Direction, ReadonlySet<number>>>,
  { isolation, podsComplete }: ChangeOptions,
): string | undefined {
  const { namespace } = object.metadata;
  if (!want.governed.includes(namespace)) return `namespace ${namespace} is governed no more: it stays as it is`;
  const directions = isolatedDirections(object.spec).filter((direction) => !letsEverythingThrough(object, direction));
  if (directions.every((direction) => neighbours.some((other) => surelyIsolates(other, object, direction)))) {
    return undefined;
  }
  if (!podsComplete) return "the pods of the cluster are not all known, so it stays";
  const opened = new Set<number>();
  for (const direction of directions) {
    for (const group of isolation.groupsOf(object)) if (!isolated[direction].has(group)) opened.add(group);
  }
  if (opened.size === 0) return undefined;
  return `without it ${isolation.countPods(opened)} workload(s) in ${namespace} would be isolated no more`;
}

/** Such an object isolates nobody, whatever it selects. */
function letsEverythingThrough({ spec }: NetworkPolicy, direction: Direction): boolean {
  // Only rules without peers can. A tenant may put any number of others beside one, behind our mark.
  const ingress = (spec.ingress ?? []).filter(({ from = [] }) => from.length === 0);
  const egress = (spec.egress ?? []).filter(({ to = [] }) => to.length === 0);
  const { [direction]: rules = [] } = normaliseSpec({ ...spec, podSelector: {}, ingress, egress });
  return areCovered(EVERYTHING, rules);
}

const EVERYTHING = normaliseSpec({ policyTypes: ["Ingress"], ingress: [{}] }).ingress ?? [];

/** True when every pod that `object` selects, now or later, is isolated by `other` of the same namespace too. */
function surelyIsolates(other: NetworkPolicy, object: NetworkPolicy, direction: Direction): boolean {
  if (!isolatedDirections(other.spec).includes(direction)) return false;
  const key = selectorKey(other.spec.podSelector ?? {});
  return key === "{}" || key === selectorKey(object.spec.podSelector ?? {});
}

function conflictWith(policy: LivePolicy): PlanConflict {
  const who = policy.manager === undefined ? "" : `, last written by ${policy.manager}`;
  return {
    subject: objectSubject(policy.object),
    detail: `it has the name of an object of ours and not our mark${who}: it is not overwritten; rename or delete it`,
  };
}
