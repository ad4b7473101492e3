import type { InventoryFile, SavedCluster } from "../observed/inventory-file.ts";
import type { PlanAnswer } from "../api/shapes.ts";
import { compileTarget, type OperatorInputs, type TargetInputs } from "../compile/inputs.ts";
import { clusterStructure, type ClusterStructure } from "../compile/structure.ts";
import type { Compiled, Want } from "../compile/want.ts";
import { computeMembership } from "../membership/compute.ts";
import { membershipsDigest } from "../membership/digest.ts";
import type { Membership, Memberships } from "../membership/membership.ts";
import { feedersOf, relevantMemberships } from "../membership/parts.ts";
import { FirebreakError } from "../ground/error.ts";
import type { Cluster, Definitions, TargetId } from "../model/kinds.ts";
import type { Note } from "../model/note.ts";
import { clusterTargetId, listTargets, type Target } from "../model/target.ts";
import { unknownTarget } from "../model/unknown-name.ts";
import { wantDigest } from "../render/digest.ts";
import type { Mark } from "../render/mark.ts";
import { readMark } from "../render/networkpolicy.ts";
import { readTable } from "../render/nft-table.ts";
import { profileOf } from "../verdict/profile.ts";
import { planCluster } from "./cluster.ts";
import { clusterPlanEffect, hostPlanEffect, type PlanEffect } from "./effect.ts";
import { requireEquivalence } from "./equivalence.ts";
import { planHost } from "./host.ts";
import { hostFacts, type HostObservation } from "../observed/observation.ts";
import { noteNotEnforcing } from "./not-enforcing.ts";
import type { Plan } from "./plan.ts";
import { describeSteps } from "./summary.ts";

/** Definitions, and what was seen of the targets when somebody saved it: everything a plan without the service is made from. */
export interface OfflineWorld {
  readonly definitions: Definitions;
  readonly seen: InventoryFile;
  readonly operator: OperatorInputs;
  /** The moment to plan for, ms since the epoch: what has expired by then is closed. Absent: when the targets were seen. */
  readonly now?: number;
}

/**
 * What these definitions would change on every target that they name, or on one; in order of target ids.
 *
 * The same planning as the service's, as for a revision that was just accepted. Two things only the service knows: which foreign
 * policies the drift detector found to widen (none is removed here), and the next sequence number. A host whose rules stay as they
 * are has no step here, though the service will write the new number into its table.
 *
 * @throws FirebreakError NOT_FOUND when the definitions name no such target
 */
export function planOffline(world: OfflineWorld, target: TargetId | undefined): readonly PlanAnswer[] {
  const memberships = offlineMemberships(world);
  return targetsAsked(world.definitions, target).map((asked) => {
    try {
      return planTarget(world, memberships, asked);
    } catch (error) {
      if (!(error instanceof FirebreakError)) throw error;
      return answerOf(asked, { error: { code: error.code, message: error.message } });
    }
  });
}

/** The target with this id, or all. @throws FirebreakError NOT_FOUND listing what there is */
export function targetsAsked(definitions: Definitions, id: TargetId | undefined): readonly Target[] {
  const targets = listTargets(definitions);
  if (id === undefined) return targets;
  const asked = targets.filter((target) => target.id === id);
  if (asked.length > 0) return asked;
  throw unknownTarget(
    id,
    targets.map((target) => target.id),
  );
}

/** What a target shall enforce, from what was seen. @throws FirebreakError INVENTORY_INCOMPLETE when it was not seen whole */
export function compileOffline(world: OfflineWorld, target: Target): Compiled<Want> {
  return compile(world, offlineMemberships(world), target).compiled;
}

/** The memberships of all clusters that were seen whole. */
function offlineMemberships({ definitions, seen }: OfflineWorld): Memberships {
  const at = Date.parse(seen.savedAt);
  const entries = [...definitions.clusters.values()].flatMap((cluster): readonly (readonly [TargetId, Membership])[] => {
    const id = clusterTargetId(cluster.name);
    const saved = seen.clusters[id];
    if (saved?.inventory.complete !== true) return [];
    return [[id, computeMembership(definitions, cluster, saved.inventory, at).membership]];
  });
  return new Map(entries);
}

interface CompiledTarget {
  readonly compiled: Compiled<Want>;
  readonly inputs: TargetInputs;
}

function compile(world: OfflineWorld, all: Memberships, target: Target): CompiledTarget {
  const { definitions, seen, operator } = world;
  const memberships = relevantMemberships(definitions, target, all);
  const common = { memberships, orphans: [], now: world.now ?? Date.parse(seen.savedAt) };
  const inputs: TargetInputs =
    target.kind === "cluster"
      ? { kind: "cluster", ...structureOf(world, target.cluster), ...common }
      : { kind: "host", ...hostFacts(savedHost(seen, target.id)), ...common };
  const { want, notes } = compileTarget(definitions, target, inputs, operator);
  return { compiled: { want, notes: [...notes, ...checkCompiled(world, target, want, inputs)] }, inputs };
}

/** As the service checks every want. @throws FirebreakError PLAN_INVARIANT_BROKEN */
function checkCompiled(
  { definitions, seen, operator }: OfflineWorld,
  target: Target,
  want: Want,
  inputs: TargetInputs,
): readonly Note[] {
  const whole = Object.values(seen.clusters).filter(({ inventory }) => inventory.complete);
  const inventories = new Map(whole.map(({ inventory }) => [inventory.target, inventory]));
  const { enforcer } = seen.clusters[target.id] ?? {};
  return requireEquivalence({ definitions, target, want, inputs, operator, inventories, enforcer });
}

function structureOf({ definitions, seen }: OfflineWorld, cluster: Cluster): ClusterStructure {
  return clusterStructure(definitions, cluster, savedCluster(seen, clusterTargetId(cluster.name)).inventory);
}

function planTarget(world: OfflineWorld, all: Memberships, target: Target): PlanAnswer {
  const { compiled, inputs } = compile(world, all, target);
  const { plan, effect } =
    target.kind === "cluster" ? planSavedCluster(world, target, compiled, inputs) : planSavedHost(world, target, compiled, inputs);
  const idle = target.kind === "cluster" && readerOf(world.seen, target) === "none" ? [noteNotEnforcing(target.id)] : [];
  return answerOf(target, {
    steps: describeSteps(plan),
    effect: effect.finding,
    conflicts: plan.conflicts.map(({ subject, detail }) => `${subject}: ${detail}`),
    notes: [...idle, ...compiled.notes, ...missingFeeders(world.definitions, target, inputs.memberships)],
  });
}

interface PlannedTarget {
  readonly plan: Plan;
  readonly effect: PlanEffect;
}

function planSavedCluster(
  { seen }: OfflineWorld,
  target: Target,
  { want }: Compiled<Want>,
  { memberships }: TargetInputs,
): PlannedTarget {
  if (target.kind !== "cluster" || want.kind !== "cluster") throw wrongKind(target, want);
  const { inventory, policies } = savedCluster(seen, target.id);
  const objects = policies.map(({ object }) => object);
  const marks = objects.flatMap((object) => readMark(object) ?? []);
  const plan = planCluster({
    want,
    mark: nextMark(marks, seen.instance, wantDigest(want)),
    observation: {
      kind: "cluster",
      target: target.id,
      completeness: "complete",
      uid: inventory.uid,
      policies,
      at: Date.parse(seen.savedAt),
    },
    pods: inventory.pods,
    membershipDigest: membershipsDigest(memberships),
    mayUnisolate: true,
  });
  return { plan, effect: clusterPlanEffect(objects, plan.steps, inventory, profileOf(readerOf(seen, target))) };
}

/** What enforces there: as the Cluster names it, else as it was seen. */
function readerOf(seen: InventoryFile, { id, cluster }: Extract<Target, { readonly kind: "cluster" }>): string {
  return cluster.enforcer === "auto" ? (seen.clusters[id]?.enforcer ?? "auto") : cluster.enforcer;
}

function planSavedHost(
  { seen }: OfflineWorld,
  target: Target,
  { want }: Compiled<Want>,
  { memberships }: TargetInputs,
): PlannedTarget {
  if (want.kind !== "host") throw wrongKind(target, want);
  const observation = savedHost(seen, target.id);
  const live = readTable(observation.ruleset)?.mark;
  const mark = nextMark(live === undefined ? [] : [live], seen.instance, wantDigest(want));
  const settled = live?.instance === seen.instance;
  const plan = planHost({ want, mark, observation, membershipDigest: membershipsDigest(memberships), settled });
  return { plan, effect: hostPlanEffect(observation, want, mark, plan) };
}

/** The mark that is there when it says the same already, else the one after the highest. */
function nextMark(live: readonly Mark[], instance: string, digest: string): Mark {
  const ours = live.filter((mark) => mark.instance === instance);
  const highest = Math.max(0, ...ours.map(({ sequence }) => sequence));
  const isThere = ours.some((mark) => mark.sequence === highest && mark.digest === digest);
  return { instance, sequence: isThere ? highest : highest + 1, digest };
}

function savedCluster(seen: InventoryFile, id: TargetId): SavedCluster {
  const saved = seen.clusters[id];
  if (saved?.inventory.complete === true) return saved;
  throw new FirebreakError(
    "INVENTORY_INCOMPLETE",
    `the inventory of ${seen.savedAt} does not hold ${id} whole; nothing is planned from a part`,
  );
}

function savedHost(seen: InventoryFile, id: TargetId): HostObservation {
  const saved = seen.hosts[id];
  if (saved?.completeness === "complete") return saved;
  throw new FirebreakError(
    "INVENTORY_INCOMPLETE",
    `the inventory of ${seen.savedAt} does not hold ${id} whole; nothing is planned from a part`,
  );
}

function missingFeeders(definitions: Definitions, target: Target, memberships: Memberships): readonly Note[] {
  const missing = feedersOf(definitions, target).filter((feeder) => !memberships.has(feeder));
  return missing.map((feeder) => ({
    severity: "warning" as const,
    code: "feeder-never-seen",
    summary: `${feeder} is not in the inventory: its addresses are not opened on ${target.id}`,
    detail: `Save the inventory again once ${feeder} can be reached.`,
  }));
}

function answerOf(target: Target, parts: Partial<PlanAnswer>): PlanAnswer {
  const effect = { verdict: "uncertain", opened: [], closed: [] } as const;
  return { target: target.id, mode: target.mode, revision: null, steps: [], effect, conflicts: [], notes: [], ...parts };
}

function wrongKind(target: Target, want: Want): FirebreakError {
  return new FirebreakError("PLAN_INVARIANT_BROKEN", `${target.id} compiled to a ${want.kind}`);
}
