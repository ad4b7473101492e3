import type { ClusterInventory } from "../membership/inventory.ts";
import { readTable } from "../render/nft-table.ts";
import { Budget } from "../verdict/budget.ts";
import type { Profile } from "../verdict/profile.ts";
import { planCluster } from "./cluster.ts";
import { NO_PLAN_EFFECT, planEffect, type PlanEffect } from "./effect.ts";
import type { ClusterObservation, HostObservation } from "../observed/observation.ts";
import type { ClusterStep, HostStep } from "./plan.ts";

/** A target that is let go, as it was seen; data only, so that another process may work it out. */
export type ReleaseQuestion =
  | {
      readonly kind: "cluster";
      readonly observation: ClusterObservation;
      readonly inventory: ClusterInventory;
      readonly profile: Profile;
      readonly instance: string;
    }
  | { readonly kind: "host"; readonly observation: HostObservation; readonly instance: string };

/** What takes everything of ours out of a target, and what that opens; undefined beyond its budget. */
export interface ReleaseAnswer {
  readonly effect: PlanEffect | undefined;
  /** For a cluster. */
  readonly steps: readonly ClusterStep[];
  /** For a host; undefined when there is nothing of ours. */
  readonly transaction: HostStep | undefined;
}

/** Works out a release. @param steps what telling its effect may cost */
export function planRelease(asked: ReleaseQuestion, steps: number): ReleaseAnswer {
  const budget = new Budget(steps);
  if (asked.kind === "host") {
    const step = planHostRelease(asked.observation, asked.instance);
    const effect =
      step === undefined ? NO_PLAN_EFFECT : planEffect({ kind: "host-release", observation: asked.observation }, budget);
    return { steps: [], transaction: step, effect };
  }
  const { observation, inventory, instance, profile } = asked;
  const plan = planClusterRelease(observation, inventory, instance);
  const live = observation.policies.map(({ object }) => object);
  const effect = planEffect({ kind: "cluster", live, steps: plan, inventory, profile }, budget);
  return { steps: plan, transaction: undefined, effect };
}

/** The writes that take everything of ours out of a cluster, in the order that opens nothing but what a release opens. */
function planClusterRelease(
  observation: ClusterObservation,
  inventory: ClusterInventory,
  instance: string,
): readonly ClusterStep[] {
  const governed = [...new Set(observation.policies.map(({ object }) => object.metadata.namespace))].sort();
  return planCluster({
    want: { kind: "cluster", target: observation.target, governed, objects: [] },
    mark: { instance, sequence: 0, digest: "" },
    observation,
    pods: inventory.pods,
    podsComplete: inventory.complete,
    membershipDigest: "",
    mayUnisolate: true,
  }).steps;
}

/** The transaction that takes our table off a host; undefined when there is none of ours. Fenced like every other. */
function planHostRelease(observation: HostObservation, instance: string): HostStep | undefined {
  const live = readTable(observation.ruleset);
  if (live === undefined || live.mark?.instance !== instance) return undefined;
  const table = { family: "inet", table: "firebreak" } as const;
  const fence =
    live.generation === undefined ? [] : [{ delete: { element: { ...table, name: "fence", elem: [live.generation] } } }];
  const transaction = [...fence, { delete: { table: { family: "inet", name: "firebreak" } } }];
  return { kind: "release", why: "the target is released", transaction, generation: 0 };
}
