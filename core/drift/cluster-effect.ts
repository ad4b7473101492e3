import type { ClusterInventory } from "../membership/inventory.ts";
import type { NetworkPolicy } from "../render/networkpolicy-types.ts";
import { connectivityDiff } from "../verdict/effect.ts";
import { formatConnections } from "../verdict/effect-words.ts";
import type { Profile } from "../verdict/profile.ts";
import type { PolicyObject } from "../verdict/world.ts";
import { areCovered, isolatedDirections, normaliseSpec } from "../plan/defaulting.ts";
import { worldOf } from "../plan/world.ts";
import type { FindingEffect } from "./finding.ts";

/**
 * Pods times objects that are compared one by one before the rest is judged by text alone: a look at 100,000 pods takes a second, and
 * nothing else runs meanwhile.
 */
const MAX_COMPARED_PODS = 400_000;

/** However small the cluster, no more than this many objects are compared. */
const MAX_COMPARED = 100;

/** However big the cluster, this many objects are compared. */
const MIN_COMPARED = 4;

/** Says what replacing one object by another does to connections; either may be absent. */
export type EffectOf = (before: NetworkPolicy | undefined, after: NetworkPolicy | undefined) => FindingEffect;

/** The two worlds a divergence is seen in, by `NAMESPACE/NAME`. */
export interface Worlds {
  /** As everything should be, other people's objects outside governed namespaces included. */
  readonly expected: ReadonlyMap<string, NetworkPolicy>;
  readonly live: ReadonlyMap<string, NetworkPolicy>;
}

/**
 * A judge of single divergences.
 *
 * Each is looked at in the live world and in the expected one, and the verdict that opens more counts: two objects opened together
 * hide each other in the live world, two deleted together do in the expected one. Where very many objects part, the texts alone are
 * compared beyond the first ones, and what they do not prove is called uncertain.
 */
export function effectJudge(worlds: Worlds, inventory: ClusterInventory, profile: Profile): EffectOf {
  const maxCompared = Math.max(MIN_COMPARED, Math.floor(MAX_COMPARED_PODS / Math.max(1, inventory.pods.length)));
  const workloads = worldOf(inventory);
  let compared = 0;
  const effectIn = (
    world: ReadonlyMap<string, NetworkPolicy>,
    before: NetworkPolicy | undefined,
    after: NetworkPolicy | undefined,
  ): FindingEffect => {
    const policies = { before: placed(world, before, after), after: placed(world, after, before) };
    const effect = connectivityDiff(
      { ...workloads, policies: policies.before },
      { ...workloads, policies: policies.after },
      profile,
    );
    const verdict =
      effect.kind === "equivalent" && (effect.uncertain.length > 0 || !inventory.complete) ? "uncertain" : effect.kind;
    return { verdict, opened: formatConnections(effect.opened), closed: formatConnections(effect.closed) };
  };
  return (before, after) => {
    compared += 1;
    if (compared > Math.min(maxCompared, MAX_COMPARED)) return effectOfTexts(before, after);
    const inLive = effectIn(worlds.live, before, after);
    if (opens(inLive)) return inLive;
    const inExpected = effectIn(worlds.expected, before, after);
    return opens(inExpected) || inLive.verdict === "equivalent" ? inExpected : inLive;
  };
}

/** True when connections open. */
export function opens(effect: FindingEffect): boolean {
  return effect.verdict === "opens" || effect.verdict === "both";
}

/**
 * True when the texts alone prove that nobody, now or later, may do more after the change. What is equivalent among the workloads
 * of today may open to the next pod, so it is no such proof.
 */
export function isSurelyNarrower(before: NetworkPolicy, after: NetworkPolicy): boolean {
  const { verdict } = effectOfTexts(before, after);
  return verdict === "closes" || verdict === "equivalent";
}

/** What the texts alone prove. An object that appears or goes may isolate or release pods, so it proves nothing. */
function effectOfTexts(before: NetworkPolicy | undefined, after: NetworkPolicy | undefined): FindingEffect {
  const unknown: FindingEffect = { verdict: "uncertain", opened: [], closed: [] };
  if (before === undefined || after === undefined) return unknown;
  const [old, now] = [normaliseSpec(before.spec), normaliseSpec(after.spec)];
  if (old.subject !== now.subject || isolatedDirections(before.spec).join() !== isolatedDirections(after.spec).join())
    return unknown;
  const pairs = (["ingress", "egress"] as const).map((direction) => [old[direction] ?? [], now[direction] ?? []] as const);
  const gains = pairs.some(([had, has]) => !areCovered(has, had));
  const loses = pairs.some(([had, has]) => !areCovered(had, has));
  if (!gains) return { ...unknown, verdict: loses ? "closes" : "equivalent" };
  return loses ? unknown : { ...unknown, verdict: "opens" };
}

/** The world with `object` in the place of itself and of `instead`. */
function placed(
  world: ReadonlyMap<string, NetworkPolicy>,
  object: NetworkPolicy | undefined,
  instead: NetworkPolicy | undefined,
): readonly PolicyObject[] {
  const key = (one: NetworkPolicy): string => `${one.metadata.namespace}/${one.metadata.name}`;
  const policies = new Map(world);
  if (instead !== undefined) policies.delete(key(instead));
  if (object !== undefined) policies.set(key(object), object);
  return [...policies.values()];
}
