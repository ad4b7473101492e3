import { targetRow, type TargetRow } from "../../adapters/store/index.ts";
import { acceptedRevision } from "../accepted-revision.ts";
import type { TargetInputs } from "../../core/compile/inputs.ts";
import type { Memberships } from "../../core/membership/membership.ts";
import type { Orphan } from "../../core/membership/orphans.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import type { Definitions, TargetId } from "../../core/model/kinds.ts";
import type { Note } from "../../core/model/note.ts";
import type { PlanEffect } from "../../core/plan/effect.ts";
import type { Checked } from "../../core/plan/equivalence.ts";
import { judgeNodeClaim, type NodeClaim } from "../../core/plan/node-claim.ts";
import type { ClusterRun, RunAnswer, RunKept } from "../../core/plan/run.ts";
import { tableFacts, type ClusterObservation, type HostObservation, type Observation } from "../../core/observed/observation.ts";
import type { Plan, PlanConflict } from "../../core/plan/plan.ts";
import type { StepSummary } from "../../core/plan/summary.ts";
import { readMark } from "../../core/render/networkpolicy.ts";
import { profileOf } from "../../core/verdict/profile.ts";
import type { SyncerContext } from "./context.ts";
import { digestInTurns } from "../digest.ts";
import type { HostTarget } from "../hosts.ts";
import { withOrphans } from "../orphans.ts";
import { refuseReplaced } from "../replaced.ts";
import { refuseOlder } from "./ahead.ts";
import { effectOf, type ToldEffect } from "./plan-effect.ts";
import { membershipsFor, missingFeeders, notesOfMissing, shrinkDoubt } from "./feeders.ts";
import { foreignToRemove } from "./foreign.ts";
import { sealSteps } from "./seals.ts";
import { resolveTarget, type ResolvedTarget } from "./resolve.ts";
import { workOut, workOutWant } from "./work-out.ts";

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
  /** What a host that is as wanted loads at its next start; undefined for one that keeps nothing, and for a cluster. */
  readonly boot?: string | undefined;
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
  const isOurs = observation.policies.some(({ object }) => readMark(object)?.instance === context.instance);
  const memberships = fixed?.memberships ?? (await membershipsFor(context, resolved));
  const missing = missingFeeders(resolved, memberships);
  const waitsFor = shrinkDoubt(target.id, missing, isOurs, row);
  const enforcer = target.cluster.enforcer === "auto" ? await connection.detectEnforcer(signal) : target.cluster.enforcer;
  const before = await appliedDefinitions(context, row, resolved, fixed?.orphans ?? resolved.orphans);
  const run: ClusterRun = {
    ...runOf(context, resolved, memberships, fixed),
    kind: "cluster",
    kept: { ...keptNow(context, definitions), ...(before === undefined ? {} : { before }), [target.id]: inventory },
    observation,
    observationDigest: await digestInTurns(observation),
    removeForeign: new Set(),
    keepAddresses: waitsFor !== undefined,
    enforcer,
  };
  const removeForeign = await foreignToRemove(context, target.cluster, observation, async () => {
    const wanted = await workOutWant(context, run);
    return { kind: "cluster", states: [{ target, definitions, ...wanted }], observation, inventory, enforcer };
  });
  const worked = await workOut(context, { ...run, removeForeign });
  if (worked.plan.kind !== "cluster") throw new FirebreakError("PLAN_INVARIANT_BROKEN", `${target.id} was planned as a host`);
  const plan = await sealSteps(context, worked.plan);
  const live = observation.policies.map(({ object }) => object);
  const question = { kind: "cluster", live, steps: plan.steps, inventory, profile: profileOf(enforcer) } as const;
  return {
    ...toldOf(context, resolved, missing, worked, await effectOf(context, target.id, question)),
    plan,
    observation,
    identity: observation.uid,
    enforcer,
    waitsFor,
  };
}

/** What every run is worked out from. */
function runOf(
  context: SyncerContext,
  { target, orphans, sequence }: ResolvedTarget,
  memberships: Memberships,
  fixed: TargetInputs | undefined,
) {
  const { operator, instance } = context;
  return {
    target,
    operator,
    instance,
    sequence,
    memberships,
    orphans,
    now: context.now(),
    fixed,
    checked: lastChecks(context).get(target.id),
  };
}

/** What most runs share: it is sent to a worker once. */
function keptNow(context: SyncerContext, definitions: Definitions): RunKept {
  return {
    definitions,
    ...Object.fromEntries([...context.clusters.connections()].map(([id, connection]) => [id, connection.inventory()])),
  };
}

const checks = new WeakMap<SyncerContext, Map<TargetId, Checked>>();

/** The last check of each target that found no difference. */
function lastChecks(context: SyncerContext): Map<TargetId, Checked> {
  const known = checks.get(context) ?? new Map<TargetId, Checked>();
  checks.set(context, known);
  return known;
}

function toldOf(
  context: SyncerContext,
  resolved: ResolvedTarget,
  missing: readonly TargetId[],
  { inputs, summary, checked, segments, rules, notes: compiled }: RunAnswer,
  { effect, notes: untold }: ToldEffect,
) {
  if (checked !== undefined) lastChecks(context).set(resolved.target.id, checked);
  const notes = [...compiled, ...notesOfMissing(resolved, missing), ...(checked?.notes ?? []), ...untold];
  return { resolved, inputs, effect, summary, notes, segments, rules };
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
  const isKnown = (row?.appliedSequence ?? null) !== null || context.facts.target(target.id).applied !== undefined;
  refuseNode(context, target, judgeNodeClaim(observation, isKnown));
  if (fixed === undefined) await refuseOlder(context, resolved, observation, row);
  await context.onStep("observed", target.id);
  const isOurs = (observation.ours ?? tableFacts(observation.ruleset)).mark?.instance === context.instance;
  const memberships = fixed?.memberships ?? (await membershipsFor(context, resolved));
  const missing = missingFeeders(resolved, memberships);
  const doubt = shrinkDoubt(target.id, missing, isOurs, row);
  if (doubt !== undefined) throw doubt;
  const worked = await workOut(context, {
    ...runOf(context, resolved, memberships, fixed),
    kind: "host",
    kept: keptNow(context, definitions),
    observation,
    wasApplied: row !== undefined && row.appliedSequence !== null,
    unfinished: fixed === undefined ? unfinishedGeneration(row, observation) : undefined,
  });
  const { plan, want, mark, boot } = worked;
  if (plan.kind !== "host" || want.kind !== "host")
    throw new FirebreakError("PLAN_INVARIANT_BROKEN", `${target.id} was planned as a cluster`);
  const question = { kind: "host", observation, want, mark, generation: plan.steps.at(-1)?.generation } as const;
  return {
    ...toldOf(context, resolved, missing, worked, await effectOf(context, target.id, question)),
    plan,
    observation,
    identity: observation.identity,
    boot,
    enforcer: undefined,
    waitsFor: inTheWay(target.id, plan.conflicts),
  };
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

/** What the definitions said that were applied, when they are of another revision: its objects may go because of the newer one. */
async function appliedDefinitions(
  context: SyncerContext,
  row: TargetRow | undefined,
  resolved: ResolvedTarget,
  orphans: readonly Orphan[],
): Promise<Definitions | undefined> {
  const sequence = appliedOf(context, row);
  const applied = sequence === null || sequence === resolved.sequence ? undefined : await acceptedRevision(context, sequence);
  if (applied === undefined) return undefined;
  return await withOrphans(context, await context.definitions.accepted(applied.commit, context.signal), orphans);
}

/**
 * The revision that was applied; null when the store knows of none, and nothing may be un-isolated. Not an older one than the log tells of: with
 * every older one more would be called released by a newer one.
 */
function appliedOf({ facts }: SyncerContext, row: TargetRow | undefined): number | null {
  const stored = row?.appliedSequence ?? null;
  return row === undefined || stored === null ? null : Math.max(stored, facts.target(row.id).applied ?? 0);
}
