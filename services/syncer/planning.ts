import { readMemberships, targetRow, type TargetRow } from "../../adapters/store/index.ts";
import { acceptedRevision } from "../accepted-revision.ts";
import { compileTarget, type TargetInputs } from "../../core/compile/inputs.ts";
import { membershipsDigest } from "../../core/membership/digest.ts";
import { clusterStructure } from "../../core/compile/structure.ts";
import type { ClusterWant } from "../../core/compile/want.ts";
import type { ClusterInventory } from "../../core/membership/inventory.ts";
import { countParts, feedersOf, relevantMemberships } from "../../core/membership/parts.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import type { Note } from "../../core/model/note.ts";
import { findTarget } from "../../core/model/target.ts";
import { releasedObjects } from "../../core/plan/cluster-release.ts";
import { planCluster } from "../../core/plan/cluster.ts";
import type { PlanEffect } from "../../core/plan/effect.ts";
import { bootText } from "../../core/plan/host-boot.ts";
import { judgeNodeClaim, type NodeClaim } from "../../core/plan/node-claim.ts";
import { planHost } from "../../core/plan/host.ts";
import { refuseOlder } from "./ahead.ts";
import { effectOf } from "./plan-effect.ts";
import { checkWant } from "./equivalence.ts";
import { hostFacts, type ClusterObservation, type HostObservation, type Observation } from "../../core/observed/observation.ts";
import type { Plan, PlanConflict } from "../../core/plan/plan.ts";
import { describeSteps, type StepSummary } from "../../core/plan/summary.ts";
import { wantDigest } from "../../core/render/digest.ts";
import type { Mark } from "../../core/render/mark.ts";
import { readMark } from "../../core/render/networkpolicy.ts";
import { renderRuleset } from "../../core/render/nft.ts";
import { readTable } from "../../core/render/nft-table.ts";
import { profileOf } from "../../core/verdict/profile.ts";
import type { SyncerContext } from "./context.ts";
import { digestInTurns } from "../digest.ts";
import type { HostTarget } from "../hosts.ts";
import { withOrphans } from "../orphans.ts";
import { refuseReplaced } from "../replaced.ts";
import { foreignToRemove } from "./foreign.ts";
import { sealSteps } from "./seals.ts";
import { resolveTarget, type ResolvedTarget } from "./resolve.ts";

/** A plan with everything it was made from and that is told of it. */
export interface Planned {
  readonly resolved: ResolvedTarget;
  readonly inputs: TargetInputs;
  readonly observation: Observation;
  readonly plan: Plan;
  readonly effect: PlanEffect;
  readonly summary: readonly StepSummary[];
  readonly notes: readonly Note[];
  readonly identity: string;
  readonly enforcer: string | undefined;
  /** The plan repairs and shrinks nothing: what it waits for before the target can be called applied. */
  readonly waitsFor: FirebreakError | undefined;
  readonly segments: number;
  readonly rules: number;
  /** What a host loads at its next start once this is confirmed; undefined for a cluster. */
  readonly boot?: () => string;
}

/**
 * Looks at a target and plans what it needs.
 *
 * @throws FirebreakError when the target cannot be seen whole; nothing is planned from a part
 */
export async function makePlan(context: SyncerContext, id: TargetId, signal: AbortSignal): Promise<Planned> {
  return await planFor(context, await resolveTarget(context, id), signal, undefined);
}

/**
 * Looks whether a plan that was carried out was reached, whatever revision or membership came since: then what is planned now has no steps.
 * What rendering means was checked when the plan was made.
 *
 * @param seen how the target read back already; otherwise it is looked at
 * @throws FirebreakError as `makePlan` does
 */
export async function readBack(
  context: SyncerContext,
  { resolved, inputs }: Planned,
  signal: AbortSignal,
  seen?: HostObservation,
): Promise<Planned> {
  return await planFor(context, resolved, signal, { inputs, seen });
}

/** A plan that was carried out, as its read-back needs it. */
interface CarriedOut {
  readonly inputs: TargetInputs;
  readonly seen: HostObservation | undefined;
}

async function planFor(
  context: SyncerContext,
  resolved: ResolvedTarget,
  signal: AbortSignal,
  earlier: CarriedOut | undefined,
): Promise<Planned> {
  return resolved.target.kind === "cluster"
    ? await planForCluster(context, resolved, signal, earlier?.inputs)
    : await planForHost(context, resolved, signal, earlier);
}

async function planForCluster(
  context: SyncerContext,
  resolved: ResolvedTarget,
  signal: AbortSignal,
  fixed: TargetInputs | undefined,
): Promise<Planned> {
  const { target, definitions } = resolved;
  if (target.kind !== "cluster") throw new FirebreakError("PLAN_INVARIANT_BROKEN", `${target.id} is no cluster`);
  const connection = context.clusters.connection(target.id);
  const observation: ClusterObservation = await connection.readObservation(signal);
  const row = await targetRow(context.store, target.id);
  refuseReplaced(target.id, context.facts.target(target.id).uid, observation.uid);
  refuseReplaced(target.id, row?.identity, observation.uid);
  if (fixed === undefined) await refuseOlder(context, resolved, observation, row);
  await connection.synced(AbortSignal.any([signal, AbortSignal.timeout(SYNC_TIMEOUT_MS)]));
  const inventory = connection.inventory();
  if (!inventory.complete)
    throw (
      connection.refusal() ??
      new FirebreakError("INVENTORY_INCOMPLETE", `the inventory of ${target.id} is not current; nothing is planned from a part`)
    );
  await context.onStep("observed", target.id);
  const inputs = fixed ?? {
    kind: "cluster",
    ...clusterStructure(definitions, target.cluster, inventory),
    memberships: await membershipsFor(context, resolved),
    orphans: resolved.orphans,
    now: context.now(),
  };
  const { want, notes } = compileTarget(definitions, target, inputs, context.operator);
  if (want.kind !== "cluster") throw new FirebreakError("PLAN_INVARIANT_BROKEN", `${target.id} compiled to a ${want.kind}`);
  const mark = markOf(context, resolved, wantDigest(want));
  const isOurs = observation.policies.some(({ object }) => readMark(object)?.instance === context.instance);
  const missing = missingFeeders(resolved, inputs);
  const waitsFor = shrinkDoubt(target.id, missing, isOurs, row);
  const enforcer = target.cluster.enforcer === "auto" ? await connection.detectEnforcer(signal) : target.cluster.enforcer;
  const state = { target, want, mark, definitions };
  const unsealed = planCluster({
    want,
    mark,
    observation,
    observationDigest: await digestInTurns(observation),
    pods: inventory.pods,
    podsComplete: inventory.complete,
    membershipDigest: membershipsDigest(inputs.memberships),
    mayUnisolate: await releasedByRevision(context, row, resolved, { inputs, inventory }, want),
    removeForeign: await foreignToRemove(context, target.cluster, {
      kind: "cluster",
      states: [state],
      observation,
      inventory,
      enforcer,
    }),
    keepAddresses: waitsFor !== undefined,
  });
  const plan = sealSteps(context, unsealed);
  const checked = fixed === undefined ? checkWant(context, resolved, { want, inputs, inventory, enforcer }) : [];
  const live = observation.policies.map(({ object }) => object);
  const question = { kind: "cluster", live, steps: plan.steps, inventory, profile: profileOf(enforcer) } as const;
  const { effect, notes: untold } = await effectOf(context, target.id, question);
  return {
    resolved,
    inputs,
    observation,
    plan,
    effect,
    summary: describeSteps(plan),
    notes: [...notes, ...notesOfMissing(resolved, missing), ...checked, ...untold],
    identity: observation.uid,
    enforcer,
    waitsFor,
    ...countParts(definitions, target),
  };
}

/** How long a run waits for the first look at a cluster's workloads. */
const SYNC_TIMEOUT_MS = 10_000;

async function planForHost(
  context: SyncerContext,
  resolved: ResolvedTarget,
  signal: AbortSignal,
  earlier: CarriedOut | undefined,
): Promise<Planned> {
  const fixed = earlier?.inputs;
  const { target, definitions } = resolved;
  if (target.kind !== "host") throw new FirebreakError("PLAN_INVARIANT_BROKEN", `${target.id} is no host`);
  const observation = earlier?.seen ?? (await (await context.hosts.connection(target)).observe(signal));
  const row = await targetRow(context.store, target.id);
  // A lost store, or one that somebody changed, makes no host one that was never applied: the log tells too.
  const wasApplied = (row?.appliedSequence ?? null) !== null || context.facts.target(target.id).applied !== undefined;
  refuseNode(context, target, judgeNodeClaim(observation, wasApplied));
  if (fixed === undefined) await refuseOlder(context, resolved, observation, row);
  await context.onStep("observed", target.id);
  const inputs = fixed ?? {
    kind: "host",
    ...hostFacts(observation),
    memberships: await membershipsFor(context, resolved),
    orphans: resolved.orphans,
    now: context.now(),
  };
  const { want, notes } = compileTarget(definitions, target, inputs, context.operator);
  if (want.kind !== "host") throw new FirebreakError("PLAN_INVARIANT_BROKEN", `${target.id} compiled to a ${want.kind}`);
  const isOurs = readTable(observation.ruleset)?.mark?.instance === context.instance;
  const missing = missingFeeders(resolved, inputs);
  const waitsFor = shrinkDoubt(target.id, missing, isOurs, row);
  if (waitsFor !== undefined) throw waitsFor;
  const mark = markOf(context, resolved, wantDigest(want));
  const plan = planHost({
    want,
    mark,
    observation,
    membershipDigest: membershipsDigest(inputs.memberships),
    settled: row !== undefined && row.appliedSequence !== null,
    enforcedBefore: row !== undefined && row.appliedSequence !== null,
    unfinished: fixed === undefined ? unfinishedGeneration(row, observation) : undefined,
    now: context.now(),
  });
  const checked = fixed === undefined ? checkWant(context, resolved, { want, inputs }) : [];
  const { effect, notes: untold } = await effectOf(context, target.id, {
    kind: "host",
    observation,
    want,
    mark,
    generation: plan.steps.at(-1)?.generation,
  });
  return {
    resolved,
    inputs,
    observation,
    plan,
    effect,
    summary: describeSteps(plan),
    notes: [...notes, ...notesOfMissing(resolved, missing), ...checked, ...untold],
    identity: observation.identity,
    boot: () => bootText(want, renderRuleset(want, mark, { generation: generationOf(observation), phase: "final" })),
    enforcer: undefined,
    waitsFor: inTheWay(target.id, plan.conflicts),
    ...countParts(definitions, target),
  };
}

function generationOf({ ruleset }: HostObservation): number {
  return readTable(ruleset)?.generation ?? 1;
}

/** Nothing was written, and the target must not be called applied. */
function inTheWay(id: TargetId, conflicts: readonly PlanConflict[]): FirebreakError | undefined {
  const [first] = conflicts;
  if (first === undefined) return undefined;
  return new FirebreakError(
    "APPLY_REFUSED",
    `${id} is not written: ${first.subject} ${first.detail}; remove it there, or rename it`,
  );
}

/**
 * The newest generation that a timer on the host may take for its own: of the intent that is still open, or as the host itself tells
 * (the store may be lost). Undefined when no apply is left in the middle.
 */
function unfinishedGeneration(row: TargetRow | undefined, { armed = [] }: HostObservation): number | undefined {
  const intent = row?.intent;
  const generations = [...armed, ...(intent ? [intent.generation] : [])];
  return generations.length === 0 ? undefined : Math.max(...generations);
}

/**
 * A host that is a node of a cluster is not written, for now: the cluster's enforcer owns its packet filter. That a cluster says so is not
 * enough: the root of any node may claim the address of any host.
 *
 * @throws FirebreakError APPLY_REFUSED
 */
function refuseNode(context: SyncerContext, target: HostTarget, { isBelieved, evidence }: NodeClaim): void {
  if (!isBelieved) return;
  const own = new Set(target.host.addresses);
  for (const [cluster, connection] of context.clusters.connections()) {
    const node = connection.inventory().nodes.find(({ addresses }) => addresses.some((address) => own.has(address)));
    if (node === undefined) continue;
    throw new FirebreakError(
      "APPLY_REFUSED",
      `${target.id} is node ${node.name} of ${cluster}${evidence.length === 0 ? "" : ` (it has ${evidence.join(", ")})`}, whose enforcer ` +
        "owns its packet filter: remove one of the two from Git",
    );
  }
}

function markOf({ instance }: SyncerContext, { sequence }: ResolvedTarget, digest: string): Mark {
  return { instance, sequence, digest };
}

async function membershipsFor(context: SyncerContext, { definitions, target }: ResolvedTarget) {
  const known = context.memberships.known();
  await refuseUnknown(
    context,
    target.id,
    feedersOf(definitions, target).filter((feeder) => !known.has(feeder)),
  );
  return relevantMemberships(definitions, target, known);
}

/**
 * A store that tells of addresses which the state folder does not know is not believed, and nothing shrinks for want of them: until that cluster
 * was seen, its consumers stay as they are.
 *
 * @throws FirebreakError INVENTORY_INCOMPLETE
 */
async function refuseUnknown({ store }: SyncerContext, id: TargetId, missing: readonly TargetId[]): Promise<void> {
  if (missing.length === 0) return;
  const { memberships } = await readMemberships(store);
  const stored = missing.filter((feeder) => memberships.has(feeder));
  if (stored.length === 0) return;
  throw new FirebreakError(
    "INVENTORY_INCOMPLETE",
    `${id} needs the addresses of ${stored.join(", ")}: the store tells some, the state folder knows none, and the store alone is not ` +
      "believed. They are taken up as soon as the cluster was seen whole",
  );
}

/** Clusters whose addresses this target needs and that were never seen whole: closed, and told. */
function notesOfMissing({ target }: ResolvedTarget, missing: readonly TargetId[]): readonly Note[] {
  return missing.map((feeder) => ({
    severity: "warning" as const,
    code: "feeder-never-seen",
    summary: `${feeder} was never seen whole: its addresses are not opened on ${target.id}`,
    detail: `Look at the connection of ${feeder}; its addresses are added as soon as it was seen.`,
  }));
}

function missingFeeders({ definitions, target }: ResolvedTarget, inputs: TargetInputs): readonly TargetId[] {
  return feedersOf(definitions, target).filter((feeder) => !inputs.memberships.has(feeder));
}

/**
 * Why a target that was ours before the store was lost may not shrink yet: a cluster that feeds its sets was not seen whole since
 * (docs/design/contracts.md "Store lost"). Undefined when nothing is in doubt.
 */
function shrinkDoubt(
  id: TargetId,
  missing: readonly TargetId[],
  isOurs: boolean,
  row: TargetRow | undefined,
): FirebreakError | undefined {
  if (missing.length === 0 || !isOurs || row === undefined || row.appliedSequence !== null) return undefined;
  return new FirebreakError(
    "INVENTORY_INCOMPLETE",
    `the store was lost and ${missing.join(", ")} was not seen whole since: no set of ${id} shrinks`,
  );
}

/**
 * The objects that go because of a newer revision than the one that was applied: its limits were judged when it was accepted.
 *
 * What would go for any other reason (a label of a namespace, a store that was lost) is held.
 */
async function releasedByRevision(
  context: SyncerContext,
  row: TargetRow | undefined,
  resolved: ResolvedTarget,
  { inputs, inventory }: { readonly inputs: TargetInputs; readonly inventory: ClusterInventory },
  want: ClusterWant,
): Promise<ReadonlySet<string>> {
  const sequence = appliedOf(context, row);
  const applied = sequence === null || sequence === resolved.sequence ? undefined : await acceptedRevision(context, sequence);
  if (applied === undefined) return new Set();
  const before = await context.definitions.accepted(applied.commit, context.signal);
  const target = findTarget(before, resolved.target.id);
  if (target?.kind !== "cluster" || inputs.kind !== "cluster") return new Set();
  // Other definitions look at other services and labels of the same cluster.
  const then = { ...inputs, ...clusterStructure(before, target.cluster, inventory) };
  const { want: wanted } = compileTarget(await withOrphans(context, before, inputs.orphans), target, then, context.operator);
  return wanted.kind === "cluster" ? releasedObjects(wanted, want) : new Set();
}

/**
 * The revision that was applied; null when the store knows of none, and nothing may be un-isolated. Not an older one than the log tells of: with
 * every older one more would be called released by a newer one.
 */
function appliedOf({ facts }: SyncerContext, row: TargetRow | undefined): number | null {
  const stored = row?.appliedSequence ?? null;
  return row === undefined || stored === null ? null : Math.max(stored, facts.target(row.id).applied ?? 0);
}
