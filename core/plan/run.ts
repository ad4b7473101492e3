import { compileTarget, type OperatorInputs, type TargetInputs } from "../compile/inputs.ts";
import { clusterStructure } from "../compile/structure.ts";
import type { ClusterWant, HostWant, Want } from "../compile/want.ts";
import { FirebreakError } from "../ground/error.ts";
import { membershipsDigest } from "../membership/digest.ts";
import type { ClusterInventory } from "../membership/inventory.ts";
import type { Memberships } from "../membership/membership.ts";
import type { Orphan } from "../membership/orphans.ts";
import { countParts } from "../membership/parts.ts";
import type { Definitions, TargetId } from "../model/kinds.ts";
import type { Note } from "../model/note.ts";
import { findTarget, type Target } from "../model/target.ts";
import { hostFacts, type ClusterObservation, type HostObservation } from "../observed/observation.ts";
import { wantDigest } from "../render/digest.ts";
import type { Mark } from "../render/mark.ts";
import { readTable } from "../render/nft-table.ts";
import { renderRuleset } from "../render/nft.ts";
import { releasedObjects } from "./cluster-release.ts";
import { planCluster } from "./cluster.ts";
import { checkedWant, type Checked } from "./equivalence.ts";
import { bootText } from "./host-boot.ts";
import { planHost } from "./host.ts";
import type { Plan } from "./plan.ts";
import { describeSteps, type StepSummary } from "./summary.ts";

/** Everything that one run for a target is worked out from; data only, so that another process may do it. */
export type RunQuestion = ClusterRun | HostRun;

/** What is the same for many runs, by name. None of it ever changes, so that it need not travel with each. */
export interface RunKept {
  /** Of the revision that is planned, with the orphans as members. */
  readonly definitions: Definitions;
  /** Of the revision that was applied, when it is another one: what goes because of the newer one may go. */
  readonly before?: Definitions;
  /** What is known of the workloads of every cluster now; of the target itself as it was looked at. */
  readonly [cluster: `cluster/${string}`]: ClusterInventory;
}

interface RunBase {
  readonly kept: RunKept;
  readonly target: Target;
  readonly operator: OperatorInputs;
  readonly instance: string;
  /** Of the revision that is planned. */
  readonly sequence: number;
  readonly memberships: Memberships;
  readonly orphans: readonly Orphan[];
  /** ms since the epoch */
  readonly now: number;
  /** Those of a plan that was carried out: then the question is only whether that was reached. */
  readonly fixed: TargetInputs | undefined;
  /** The last check of this target that found no difference. */
  readonly checked: Checked | undefined;
}

export interface ClusterRun extends RunBase {
  readonly kind: "cluster";
  readonly observation: ClusterObservation;
  readonly observationDigest: string;
  /** `NAMESPACE/NAME` of objects of another hand that widen and are to go. */
  readonly removeForeign: ReadonlySet<string>;
  readonly keepAddresses: boolean;
  /** What was found enforcing there. */
  readonly enforcer: string;
}

export interface HostRun extends RunBase {
  readonly kind: "host";
  readonly observation: HostObservation;
  /** True when this installation enforced there before. */
  readonly wasApplied: boolean;
  /** The generation of an apply that never told how it ended. */
  readonly unfinished: number | undefined;
}

/** What a run came to. */
export interface RunAnswer {
  readonly inputs: TargetInputs;
  readonly plan: Plan;
  /** What it shall enforce, and under which mark. */
  readonly want: Want;
  readonly mark: Mark;
  readonly summary: readonly StepSummary[];
  /** Of compiling. */
  readonly notes: readonly Note[];
  /** That what is rendered means what was meant; undefined for `fixed` inputs, which were checked before. */
  readonly checked: Checked | undefined;
  readonly segments: number;
  readonly rules: number;
  /** What a host that is as wanted loads at its next start; only where it keeps something. */
  readonly boot?: string;
}

/**
 * Works out what one target needs: what it shall enforce, and the plan. What that opens and closes is another question, which may take far
 * longer, and no plan hangs on it.
 *
 * @throws FirebreakError PLAN_INVARIANT_BROKEN when what is rendered does not mean what the definitions say
 */
export function planRun(run: RunQuestion): RunAnswer {
  return run.kind === "cluster" ? clusterRun(run) : hostRun(run);
}

/** What a cluster shall enforce in a run, and under which mark. */
export function wantOfRun(run: ClusterRun): { readonly want: ClusterWant; readonly mark: Mark } {
  const { want, mark } = compileRun(run, inventoryOf(run));
  return { want, mark };
}

function compileRun(run: ClusterRun, inventory: ClusterInventory) {
  const { kept, target, memberships, orphans, now, operator } = run;
  if (target.kind !== "cluster") throw wrongKind(target, "cluster");
  const structure = clusterStructure(kept.definitions, target.cluster, inventory);
  const inputs = run.fixed ?? { kind: "cluster" as const, ...structure, memberships, orphans, now };
  const { want, notes } = compileTarget(kept.definitions, target, inputs, operator);
  if (want.kind !== "cluster") throw wrongKind(target, want.kind);
  return { inputs, want, notes, mark: markOf(run, want) };
}

function inventoryOf({ kept, target }: ClusterRun): ClusterInventory {
  const inventory = inventoriesOf(kept).get(target.id);
  if (inventory === undefined) throw new FirebreakError("INVENTORY_INCOMPLETE", `${target.id} was not seen`);
  return inventory;
}

function inventoriesOf({ definitions: _, before: __, ...inventories }: RunKept): ReadonlyMap<TargetId, ClusterInventory> {
  return new Map(Object.entries(inventories));
}

function clusterRun(run: ClusterRun): RunAnswer {
  const { observation, enforcer } = run;
  const inventory = inventoryOf(run);
  const { inputs, want, notes, mark } = compileRun(run, inventory);
  const plan = planCluster({
    want,
    mark,
    observation,
    observationDigest: run.observationDigest,
    pods: inventory.pods,
    podsComplete: inventory.complete,
    membershipDigest: membershipsDigest(inputs.memberships),
    mayUnisolate: releasedByRevision(run, inputs, inventory, want),
    removeForeign: run.removeForeign,
    keepAddresses: run.keepAddresses,
  });
  return { ...answerOf(run, { inputs, want, mark, plan, enforcer }), notes };
}

function hostRun(run: HostRun): RunAnswer {
  const { kept, target, observation, memberships, orphans, now } = run;
  if (target.kind !== "host") throw wrongKind(target, "host");
  const inputs = run.fixed ?? { kind: "host" as const, ...hostFacts(observation), memberships, orphans, now };
  const { want, notes } = compileTarget(kept.definitions, target, inputs, run.operator);
  if (want.kind !== "host") throw wrongKind(target, want.kind);
  const mark = markOf(run, want);
  const plan = planHost({
    want,
    mark,
    observation,
    membershipDigest: membershipsDigest(inputs.memberships),
    settled: run.wasApplied,
    enforcedBefore: run.wasApplied,
    unfinished: run.unfinished,
    now,
  });
  const answer = answerOf(run, { inputs, want, mark, plan });
  const boot = plan.steps.length === 0 ? bootOf(observation, want, mark) : undefined;
  return { ...answer, notes, ...(boot === undefined ? {} : { boot }) };
}

/** What a run compiled and planned. */
interface Made {
  readonly inputs: TargetInputs;
  readonly want: Want;
  readonly mark: Mark;
  readonly plan: Plan;
  readonly enforcer?: string;
}

function answerOf(run: RunQuestion, { inputs, want, mark, plan, enforcer }: Made): Omit<RunAnswer, "notes"> {
  const { kept, target, operator, fixed, checked: last, sequence } = run;
  const { definitions } = kept;
  const compiled = { definitions, target, want, inputs, operator, inventories: inventoriesOf(kept), enforcer };
  const checked = fixed === undefined ? checkedWant(compiled, sequence, last) : undefined;
  return {
    inputs,
    want,
    mark,
    plan,
    summary: describeSteps(plan),
    checked,
    ...countParts(definitions, target),
  };
}

/**
 * The objects that go because of a newer revision than the one that was applied: its limits were judged when it was accepted.
 *
 * What would go for any other reason (a label of a namespace, a store that was lost) is held.
 */
function releasedByRevision(
  { kept, target, operator }: ClusterRun,
  inputs: TargetInputs,
  inventory: ClusterInventory,
  want: ClusterWant,
): ReadonlySet<string> {
  const { before } = kept;
  const named = before === undefined ? undefined : findTarget(before, target.id);
  if (before === undefined || named?.kind !== "cluster" || inputs.kind !== "cluster") return new Set();
  // Other definitions look at other services and labels of the same cluster.
  const then = { ...inputs, ...clusterStructure(before, named.cluster, inventory) };
  const { want: wanted } = compileTarget(before, named, then, operator);
  return wanted.kind === "cluster" ? releasedObjects(wanted, want) : new Set();
}

function bootOf(observation: HostObservation, want: HostWant, mark: Mark): string | undefined {
  const { kept, ruleset } = observation;
  if (kept?.wanted !== true || kept.start === "none") return undefined;
  const generation = readTable(ruleset)?.generation ?? 1;
  return bootText(want, renderRuleset(want, mark, { generation, phase: "final" }));
}

function markOf({ instance, sequence }: RunQuestion, want: Want): Mark {
  return { instance, sequence, digest: wantDigest(want) };
}

function wrongKind({ id }: Target, kind: string): FirebreakError {
  return new FirebreakError("PLAN_INVARIANT_BROKEN", `${id} compiled to a ${kind}`);
}
