import type { AuditConnection, AuditEffect } from "../audit/fields.ts";
import type { HostWant } from "../compile/want.ts";
import { PLAN_LENGTH, tellLines } from "../finding/effect-lines.ts";
import type { FindingEffect } from "../finding/finding.ts";
import type { ClusterInventory } from "../membership/inventory.ts";
import type { Mark } from "../render/mark.ts";
import { renderRuleset } from "../render/nft.ts";
import type { NetworkPolicy } from "../render/networkpolicy-types.ts";
import { OverBudget, type Budget } from "../verdict/budget.ts";
import { type Effect } from "../verdict/effect-types.ts";
import { connectivityDiff, type Connection } from "../verdict/effect.ts";
import { formatConnection } from "../verdict/effect-words.ts";
import type { Profile } from "../verdict/profile.ts";
import { formatHostConnection, hostEffect, type HostConnection, type HostEffect } from "../verdict/nft.ts";
import type { HostObservation } from "../observed/observation.ts";
import type { ClusterStep, HostPlan } from "./plan.ts";
import { worldOf } from "./world.ts";

/** What a change does to connections: for people, and for the log. */
export interface PlanEffect {
  readonly finding: FindingEffect;
  readonly audit: AuditEffect;
}

export const NO_PLAN_EFFECT: PlanEffect = {
  finding: { verdict: "equivalent", opened: [], closed: [] },
  audit: { opened: [], closed: [], openedCount: 0, closedCount: 0 },
};

/** A plan, and what it is carried out on; data only, so that another process may tell what it does. */
export type EffectQuestion =
  | {
      readonly kind: "cluster";
      readonly live: readonly NetworkPolicy[];
      readonly steps: readonly ClusterStep[];
      readonly inventory: ClusterInventory;
      readonly profile: Profile;
    }
  | {
      readonly kind: "host";
      readonly observation: HostObservation;
      readonly want: HostWant;
      readonly mark: Mark;
      /** Of its last step; undefined when it has none. */
      readonly generation: number | undefined;
    }
  /** Our table goes. */
  | { readonly kind: "host-release"; readonly observation: HostObservation };

/**
 * What a plan opens and closes. Tenants and roots of hosts write part of what it is carried out on.
 *
 * @param budget what it may cost; beyond it: undefined
 */
export function planEffect(asked: EffectQuestion, budget?: Budget): PlanEffect | undefined {
  try {
    if (asked.kind === "cluster") return clusterPlanEffect(asked.live, asked.steps, asked.inventory, asked.profile, budget);
    const effect =
      asked.kind === "host-release"
        ? hostChange(
            asked.observation.ruleset,
            asked.observation.ruleset.filter((object) => !isOurTable(object)),
            budget,
          )
        : hostEffectOf(asked.observation, asked.want, asked.mark, asked.generation, budget);
    return budget?.isSpent === true ? undefined : effect;
  } catch (error) {
    if (error instanceof OverBudget) return undefined;
    throw error;
  }
}

/** Of a plan about which nobody can say it within the budget. */
export const UNTOLD_EFFECT: PlanEffect = { ...NO_PLAN_EFFECT, finding: { ...NO_PLAN_EFFECT.finding, verdict: "uncertain" } };

/** What the steps of a cluster's plan open and close between its workloads, and with addresses outside. */
export function clusterPlanEffect(
  live: readonly NetworkPolicy[],
  steps: readonly ClusterStep[],
  inventory: ClusterInventory,
  profile: Profile,
  budget?: Budget,
): PlanEffect {
  if (steps.length === 0) return NO_PLAN_EFFECT;
  const world = worldOf(inventory);
  const after = { ...world, policies: afterSteps(live, steps) };
  return describeEffect(connectivityDiff({ ...world, policies: live }, after, profile, budget));
}

/** The policies of a cluster once the steps are carried out. */
export function afterSteps(live: readonly NetworkPolicy[], steps: readonly ClusterStep[]): readonly NetworkPolicy[] {
  const policies = new Map(live.map((object) => [`${object.metadata.namespace}/${object.metadata.name}`, object]));
  for (const step of steps) {
    if (step.kind === "delete") policies.delete(`${step.namespace}/${step.name}`);
    else policies.set(`${step.object.metadata.namespace}/${step.object.metadata.name}`, step.object);
  }
  return [...policies.values()];
}

/** An effect of the verdict engine in both forms. Whatever is uncertain is never called equivalent. */
export function describeEffect(effect: Effect): PlanEffect {
  const verdict = effect.kind === "equivalent" && effect.uncertain.length > 0 ? "uncertain" : effect.kind;
  return {
    finding: { verdict, ...tellLines(effect, formatConnection, PLAN_LENGTH) },
    audit: {
      opened: effect.opened.map(auditConnection),
      closed: effect.closed.map(auditConnection),
      openedCount: effect.openedCount,
      closedCount: effect.closedCount,
    },
  };
}

function auditConnection({ from, to, ports }: Connection): AuditConnection {
  return { from, to, ports: ports.split(", ") };
}

/** What a host's plan opens and closes; a host without our table lets everything through. */
export function hostPlanEffect(observation: HostObservation, want: HostWant, mark: Mark, plan: HostPlan): PlanEffect {
  return hostEffectOf(observation, want, mark, plan.steps.at(-1)?.generation);
}

function hostEffectOf(
  observation: HostObservation,
  want: HostWant,
  mark: Mark,
  generation: number | undefined,
  budget?: Budget,
): PlanEffect {
  if (generation === undefined) return NO_PLAN_EFFECT;
  const after = renderRuleset(want, mark, { generation, phase: "final" });
  return hostChange(observation.ruleset, after, budget);
}

function hostChange(before: readonly unknown[], after: readonly unknown[], budget?: Budget): PlanEffect {
  return describeHostEffect(hostEffect({ nftables: before }, { nftables: after }, undefined, undefined, budget));
}

/** Objects of a listing that belong to our table, or are it. */
function isOurTable(object: unknown): boolean {
  const [value] = Object.values(object as Record<string, { family?: string; name?: string; table?: string }>);
  const name = value?.table ?? (Object.hasOwn(object as object, "table") ? value?.name : undefined);
  return value?.family === "inet" && name === "firebreak";
}

/** A host's effect in both forms. */
export function describeHostEffect(effect: HostEffect): PlanEffect {
  const verdict = effect.kind === "equivalent" && effect.uncertain.length > 0 ? "uncertain" : effect.kind;
  return {
    finding: { verdict, ...tellLines(effect, formatHostConnection, PLAN_LENGTH) },
    audit: {
      opened: effect.opened.map(auditHostConnection),
      closed: effect.closed.map(auditHostConnection),
      openedCount: effect.opened.length,
      closedCount: effect.closed.length,
    },
  };
}

function auditHostConnection({ direction, peers, ports }: HostConnection): AuditConnection {
  const ends = direction === "input" ? { from: peers, to: "this host" } : { from: "this host", to: peers };
  return { ...ends, ports: ports.split(", ") };
}
