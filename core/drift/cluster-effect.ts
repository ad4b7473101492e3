import type { ClusterInventory } from "../membership/inventory.ts";
import type { NetworkPolicy } from "../render/networkpolicy-types.ts";
import { Budget, OverBudget } from "../verdict/budget.ts";
import { connectivityDiff } from "../verdict/effect.ts";
import { formatConnection } from "../verdict/effect-words.ts";
import type { Profile } from "../verdict/profile.ts";
import type { PolicyObject } from "../verdict/world.ts";
import { areCovered, isolatedDirections, normaliseSpec } from "../plan/defaulting.ts";
import { worldOf } from "../plan/world.ts";
import { FINDING_LENGTH, tellLines } from "../finding/effect-lines.ts";
import type { FindingEffect } from "../finding/finding.ts";

/**
 * What the comparisons of one look at a cluster may cost, in steps of 20 to 50 ns: some ten seconds, in a process of their own. Tenants write
 * policies, so they do not decide how long a look takes. A policy of 4,000 rules, each with a block, a selector and a port of its own, is 528 KiB
 * and is compared within it; 10,000 such rules are not.
 */
export const LOOK_STEPS = 800_000_000;

/** Text comparisons look at every pair of rules; more pairs than this prove nothing. */
const MAX_RULE_PAIRS = 250_000;

/** An effect, and whether it was told from connections. What was not is treated as if it opened. */
export interface JudgedEffect extends FindingEffect {
  readonly isNotCompared: boolean;
}

/** Says what replacing one object by another does to connections; either may be absent. */
export type EffectOf = (before: NetworkPolicy | undefined, after: NetworkPolicy | undefined) => JudgedEffect;

/** One divergence that is to be judged. */
export interface Divergence {
  readonly before: NetworkPolicy | undefined;
  readonly after: NetworkPolicy | undefined;
  readonly isForeign: boolean;
}

/** The two worlds a divergence is seen in, by `NAMESPACE/NAME`. */
export interface Worlds {
  /** As everything should be, other people's objects outside governed namespaces included. */
  readonly expected: ReadonlyMap<string, NetworkPolicy>;
  readonly live: ReadonlyMap<string, NetworkPolicy>;
}

/**
 * Judges divergences one by one, the riskiest first.
 *
 * Each is looked at in the live world and in the expected one, and the verdict that opens more counts: two objects opened together
 * hide each other in the live world, two deleted together do in the expected one. Every namespace has its share of the budget, so that
 * no tenant's objects take the place of another's; what is left over goes to whoever needs more. What the budget does not reach is told
 * from the texts alone, and what these do not prove is `isNotCompared`.
 *
 * @returns what was judged, to be asked with the very objects of `divergences`
 */
export function judgeEffects(
  divergences: readonly Divergence[],
  worlds: Worlds,
  inventory: ClusterInventory,
  profile: Profile,
  steps: number = LOOK_STEPS,
): EffectOf {
  const judge = effectJudge(worlds, inventory, profile);
  const known = new Map<NetworkPolicy, JudgedEffect>();
  const whole = new Budget(steps);
  const byRisk = [...divergences].sort((a, b) => riskOf(a) - riskOf(b));
  const namespaces = new Set(byRisk.map(namespaceOf));
  const shares = new Map([...namespaces].map((name) => [name, whole.part(steps / 2 / namespaces.size)]));
  const late: Divergence[] = [];
  for (const one of byRisk) {
    const share = shares.get(namespaceOf(one));
    const effect = share === undefined || share.isSpent ? undefined : withinBudget(() => judge(one, share));
    if (effect === undefined) late.push(one);
    else known.set(objectOf(one), effect);
  }
  for (const one of late) {
    const effect = whole.isSpent ? undefined : withinBudget(() => judge(one, whole));
    known.set(objectOf(one), effect ?? effectOfTexts(one.before, one.after));
  }
  return (before, after) => known.get((after ?? before) as NetworkPolicy) ?? effectOfTexts(before, after); // one of them is there
}

/** Ours first, then foreign objects that have rules; those without rules can only close. */
function riskOf(one: Divergence): number {
  if (!one.isForeign) return 0;
  return canOnlyClose(one) ? 2 : 1;
}

function canOnlyClose({ before, after }: Divergence): boolean {
  return before === undefined && after !== undefined && isWithoutRules(after);
}

/** True when the object isolates and lets nobody in or out: adding it opens nothing to anybody, now or later. */
export function isWithoutRules({ spec }: NetworkPolicy): boolean {
  return (spec.ingress ?? []).length === 0 && (spec.egress ?? []).length === 0;
}

function namespaceOf(one: Divergence): string {
  return objectOf(one).metadata.namespace;
}

function objectOf({ before, after }: Divergence): NetworkPolicy {
  return (after ?? before) as NetworkPolicy; // one of them is there
}

function withinBudget<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof OverBudget) return undefined;
    throw error;
  }
}

function effectJudge(
  worlds: Worlds,
  inventory: ClusterInventory,
  profile: Profile,
): (one: Divergence, budget: Budget) => JudgedEffect {
  const workloads = worldOf(inventory);
  const effectIn = (world: ReadonlyMap<string, NetworkPolicy>, { before, after }: Divergence, budget: Budget): FindingEffect => {
    budget.spend(world.size);
    const policies = { before: placed(world, before, after), after: placed(world, after, before) };
    const effect = connectivityDiff(
      { ...workloads, policies: policies.before },
      { ...workloads, policies: policies.after },
      profile,
      budget,
    );
    const verdict =
      effect.kind === "equivalent" && (effect.uncertain.length > 0 || !inventory.complete) ? "uncertain" : effect.kind;
    return { verdict, ...tellLines(effect, formatConnection, FINDING_LENGTH) };
  };
  return (one, budget) => {
    const inLive = effectIn(worlds.live, one, budget);
    if (opens(inLive)) return { ...inLive, isNotCompared: false };
    const inExpected = effectIn(worlds.expected, one, budget);
    const effect = opens(inExpected) || inLive.verdict === "equivalent" ? inExpected : inLive;
    return { ...effect, isNotCompared: false };
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
function effectOfTexts(before: NetworkPolicy | undefined, after: NetworkPolicy | undefined): JudgedEffect {
  const unknown: JudgedEffect = { verdict: "uncertain", opened: [], closed: [], isNotCompared: true };
  if (before === undefined || after === undefined) return unknown;
  const [old, now] = [normaliseSpec(before.spec), normaliseSpec(after.spec)];
  if (old.subject !== now.subject || isolatedDirections(before.spec).join() !== isolatedDirections(after.spec).join())
    return unknown;
  const pairs = (["ingress", "egress"] as const).map((direction) => [old[direction] ?? [], now[direction] ?? []] as const);
  if (pairs.some(([had, has]) => had.length * has.length > MAX_RULE_PAIRS)) return unknown;
  const gains = pairs.some(([had, has]) => !areCovered(has, had));
  const loses = pairs.some(([had, has]) => !areCovered(had, has));
  if (!gains) return { ...unknown, verdict: loses ? "closes" : "equivalent", isNotCompared: false };
  return loses ? unknown : { ...unknown, verdict: "opens", isNotCompared: false };
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
