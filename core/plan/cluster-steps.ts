import type { Direction } from "../model/kinds.ts";
import type { NetworkPolicy, NetworkPolicySpec } from "../render/networkpolicy-types.ts";
import type { ClusterChanges, Replacement } from "./cluster-changes.ts";
import type { Isolation } from "./cluster-isolation.ts";
import { objectKey } from "./cluster-live.ts";
import { areCovered, isolatedDirections, isVast, normaliseSpec } from "./defaulting.ts";
import type { LivePolicy } from "../observed/observation.ts";
import { EARLIER_STEP } from "./plan.ts";
import type { ClusterStep } from "./plan.ts";

/**
 * Puts changes in an order in which no step closes what both old and new allow, or opens what neither does.
 *
 * ```
 *   1 widen     objects that gain rules (one that also loses some gets old and new rules first)
 *   2 isolate   new objects; where pods get several at once, the first one lets everything through until all are there
 *   3 move      objects whose podSelector or direction was changed behind our back, or that became vast: these cannot be done in two
 *   4 narrow    objects that lose rules, and the ones of 2 that let everything through
 *   5 remove    objects wanted no more; where pods become open, the first one lets everything through before the rest goes
 * ```
 *
 * The bounds hold per pod and direction. Three exceptions, each said in the step's `why`: a pod that several objects isolate at once
 * when each of them also selects a pod that is isolated already (and the mirror image, several removed at once); an object moved in
 * step 3; and a connection of which one end closes and the other opens in one plan may pass in between.
 */
export function orderSteps(changes: ClusterChanges, isolation: Isolation): readonly ClusterStep[] {
  const moved = changes.replaces.filter(isMove);
  const inPlace = changes.replaces.filter((replacement) => !isMove(replacement));
  const widened = inPlace.filter(isWidening);
  const creates = planCreates(changes, isolation);
  const deletes = planDeletes(changes, isolation);
  return [
    ...widened.map(widenStep),
    ...creates.steps,
    ...moved.map(moveStep),
    ...inPlace.filter(isNarrowing).map((replacement) => narrowStep(replacement, widened.includes(replacement))),
    ...creates.narrowing,
    ...deletes.steps,
  ];
}

/** Object names cover subject and direction, and nothing of ours is vast, so this is somebody else's doing. */
function isMove({ live, object }: Replacement): boolean {
  if (isVast(live.object.spec) && !isVast(object.spec)) return true;
  const [before, after] = [normaliseSpec(live.object.spec), normaliseSpec(object.spec)];
  if (before.subject !== after.subject) return true;
  return isolatedDirections(object.spec).some((direction) => before[direction] === undefined);
}

function isWidening({ live, object }: Replacement): boolean {
  const [before, after] = [normaliseSpec(live.object.spec), normaliseSpec(object.spec)];
  return isolatedDirections(object.spec).some((direction) => !areCovered(after[direction] ?? [], before[direction] ?? []));
}

/** True when the last step of this object takes something away, or when nothing but its text changes. */
function isNarrowing(replacement: Replacement): boolean {
  const [before, after] = [normaliseSpec(replacement.live.object.spec), normaliseSpec(replacement.object.spec)];
  const loses = isolatedDirections(replacement.live.object.spec).some(
    (direction) => !areCovered(before[direction] ?? [], after[direction] ?? []) || after[direction] === undefined,
  );
  return loses || before.inert !== after.inert || !isWidening(replacement);
}

function widenStep(replacement: Replacement): ClusterStep {
  const { live, object } = replacement;
  const resourceVersion = live.object.metadata.resourceVersion ?? "";
  if (!isNarrowing(replacement)) return { kind: "replace", why: "widen: adds rules and takes none away", object, resourceVersion };
  const why = "widen: adds the new rules and keeps the old ones until the rest is in place";
  return { kind: "replace", why, object: { ...object, spec: unionSpec(live.object.spec, object.spec) }, resourceVersion };
}

function narrowStep({ live, object }: Replacement, isSecond: boolean): ClusterStep {
  const why = isSecond ? "narrow: takes the old rules away" : "narrow: makes it what the definitions say";
  return { kind: "replace", why, object, resourceVersion: isSecond ? EARLIER_STEP : (live.object.metadata.resourceVersion ?? "") };
}

function moveStep({ live, object }: Replacement): ClusterStep {
  return {
    kind: "replace",
    why: isVast(live.object.spec)
      ? "move: it is larger than anything that is written here; this is one write"
      : "move: its podSelector or direction was changed; this is one write, so the pods of both selectors change at once",
    object,
    resourceVersion: live.object.metadata.resourceVersion ?? "",
  };
}

/** Old and new rules together, under everything the old spec isolates. */
function unionSpec(before: NetworkPolicySpec, after: NetworkPolicySpec): NetworkPolicySpec {
  const directions = new Set([...isolatedDirections(before), ...isolatedDirections(after)]);
  const join = <Rule>(old: readonly Rule[] = [], fresh: readonly Rule[] = []): readonly Rule[] => [
    ...new Map([...fresh, ...old].map((rule) => [JSON.stringify(rule), rule])).values(),
  ];
  return {
    podSelector: after.podSelector ?? {},
    policyTypes: [
      ...(directions.has("ingress") ? (["Ingress"] as const) : []),
      ...(directions.has("egress") ? (["Egress"] as const) : []),
    ],
    ...(directions.has("ingress") ? { ingress: join(before.ingress, after.ingress) } : {}),
    ...(directions.has("egress") ? { egress: join(before.egress, after.egress) } : {}),
  };
}

/** The object with one rule that lets everything through: it selects, and isolates nobody. */
function wideOpen(object: NetworkPolicy): NetworkPolicy {
  const [direction] = isolatedDirections(object.spec);
  const rules = direction === "egress" ? { egress: [{}] } : { ingress: [{}] };
  return { ...object, spec: { ...object.spec, ...rules } };
}

function hasRules(object: NetworkPolicy): boolean {
  return (object.spec.ingress ?? []).length + (object.spec.egress ?? []).length > 0;
}

/** Objects that together change whether pods are isolated at all, per direction, and which of them bridge the gap. */
interface Bridges {
  readonly wide: ReadonlySet<NetworkPolicy>;
  /** Per object, pods that pass through a state with a part of their rules, because no bridge was possible. */
  readonly gaps: ReadonlyMap<NetworkPolicy, number>;
}

/**
 * Among objects that appear (or vanish) together, those that have to let everything through meanwhile.
 *
 * A pod that goes from open to isolated by two objects with rules would have only the first one's rules for a moment. If one of its
 * objects selects no pod that `isolatedOtherwise` holds, that one may be wide open meanwhile: all its pods are open anyway.
 */
function findBridges(
  objects: readonly NetworkPolicy[],
  isolatedOtherwise: readonly NetworkPolicy[],
  isolation: Isolation,
): Bridges {
  const wide = new Set<NetworkPolicy>();
  const gaps = new Map<NetworkPolicy, number>();
  if (objects.length < 2) return { wide, gaps };
  for (const direction of ["ingress", "egress"] as const) {
    const others = isolation.isolated(isolatedOtherwise, direction);
    const involved = objects.filter((object) => hasRules(object) && isOnly(object, direction));
    const selectedBy = new Map<number, NetworkPolicy[]>();
    for (const object of involved) {
      for (const group of isolation.groupsOf(object))
        if (!others.has(group)) selectedBy.set(group, [...(selectedBy.get(group) ?? []), object]);
    }
    for (const [group, selecting] of selectedBy) {
      if (selecting.length < 2 || selecting.some((object) => wide.has(object))) continue;
      const bridge = selecting.find((object) => isDisjoint(isolation.groupsOf(object), others));
      if (bridge !== undefined) wide.add(bridge);
      else for (const object of selecting) gaps.set(object, (gaps.get(object) ?? 0) + isolation.countPods([group]));
    }
  }
  return { wide, gaps };
}

function isDisjoint(a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  for (const item of a) if (b.has(item)) return false;
  return true;
}

function isOnly(object: NetworkPolicy, direction: Direction): boolean {
  const directions = isolatedDirections(object.spec);
  return directions.length === 1 && directions[0] === direction;
}

/** Bridges first, then objects with rules, then bare default denies, so that a pod with one object with rules needs no bridge. */
function planCreates(
  changes: ClusterChanges,
  isolation: Isolation,
): { readonly steps: readonly ClusterStep[]; readonly narrowing: readonly ClusterStep[] } {
  const liveNow = [
    ...changes.untouched,
    ...changes.replaces.map(({ live }) => live.object),
    ...changes.deletes.map(({ object }) => object),
  ];
  const { wide, gaps } = findBridges(changes.creates, liveNow, isolation);
  const bridges = changes.creates.filter((object) => wide.has(object));
  const others = changes.creates.filter((object) => !wide.has(object));
  const create = (object: NetworkPolicy): ClusterStep => ({ kind: "create", why: whyCreate(object, gaps, isolation), object });
  return {
    steps: [
      ...bridges.map((object): ClusterStep => ({
        kind: "create",
        why: "isolate: lets everything through until the other objects of its pods are there",
        object: wideOpen(object),
      })),
      ...others.filter(hasRules).map(create),
      ...others.filter((object) => !hasRules(object)).map(create),
    ],
    narrowing: bridges.map((object): ClusterStep => ({
      kind: "replace",
      why: `narrow: isolates ${isolation.countPods(isolation.groupsOf(object))} pod(s) as the definitions say`,
      object,
      resourceVersion: EARLIER_STEP,
    })),
  };
}

function whyCreate(object: NetworkPolicy, gaps: ReadonlyMap<NetworkPolicy, number>, isolation: Isolation): string {
  const why = `isolate: selects ${isolation.countPods(isolation.groupsOf(object))} pod(s) now`;
  const gap = gaps.get(object);
  return gap === undefined ? why : `${why}; ${gap} of them have only a part of their rules until all objects are there`;
}

/** Bare default denies first, then objects with rules, bridges last: the mirror image of `planCreates`. */
function planDeletes(changes: ClusterChanges, isolation: Isolation): { readonly steps: readonly ClusterStep[] } {
  const liveThen = [...changes.untouched, ...changes.creates, ...changes.replaces.map(({ object }) => object)];
  const objects = changes.deletes.map(({ object }) => object);
  const { wide, gaps } = findBridges(objects, liveThen, isolation);
  const bridges = changes.deletes.filter(({ object }) => wide.has(object));
  const others = changes.deletes.filter(({ object }) => !wide.has(object));
  return {
    steps: [
      ...bridges.map(({ object }): ClusterStep => ({
        kind: "replace",
        why: "release: lets everything through before the other objects of its pods go",
        object: wideOpen(withoutServerFields(object)),
        resourceVersion: object.metadata.resourceVersion ?? "",
      })),
      ...others.filter(({ object }) => !hasRules(object)).map((live) => deleteStep(live, gaps, false)),
      ...others.filter(({ object }) => hasRules(object)).map((live) => deleteStep(live, gaps, false)),
      ...bridges.map((live) => deleteStep(live, gaps, true)),
    ],
  };
}

function deleteStep({ object }: LivePolicy, gaps: ReadonlyMap<NetworkPolicy, number>, isSecond: boolean): ClusterStep {
  const { namespace, name, uid = "", resourceVersion = "" } = object.metadata;
  const gap = gaps.get(object);
  const why = "remove: no definition asks for it";
  return {
    kind: "delete",
    why: gap === undefined ? why : `${why}; ${gap} pod(s) have only a part of their rules until all objects are gone`,
    namespace,
    name,
    uid,
    resourceVersion: isSecond ? EARLIER_STEP : resourceVersion,
  };
}

function withoutServerFields({ apiVersion, kind, metadata, spec }: NetworkPolicy): NetworkPolicy {
  const { name, namespace, labels = {}, annotations = {} } = metadata;
  return { apiVersion, kind, metadata: { name, namespace, labels, annotations }, spec };
}

/** `NAMESPACE/NAME` of the object a step writes. */
export function stepKey(step: ClusterStep): string {
  return step.kind === "delete" ? `${step.namespace}/${step.name}` : objectKey(step.object);
}
