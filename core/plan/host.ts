import { createHash } from "node:crypto";
import type { HostWant } from "../compile/want.ts";
import { FirebreakError } from "../ground/error.ts";
import type { Mark } from "../render/mark.ts";
import { canonicalJson, elementsOf, tableDigest } from "../render/nft-canonical.ts";
import { renderRuleset } from "../render/nft.ts";
import type { NftRuleset, Phase } from "../render/nft.ts";
import { readTable } from "../render/nft-table.ts";
import type { ListedTable } from "../render/nft-table.ts";
import { createTransaction, elementsTransaction, isUpdatable, replaceTransaction, updateTransaction } from "./host-transaction.ts";
import { verifyRuleset } from "./host-verify.ts";
import { tableFacts, type HostObservation } from "../observed/observation.ts";
import type { HostPlan, HostStep, PlanConflict } from "./plan.ts";

export interface HostPlanning {
  readonly want: HostWant;
  readonly mark: Mark;
  /** A complete one: nothing is planned from a partial picture. */
  readonly observation: HostObservation;
  readonly membershipDigest: string;
  /**
   * True when connection tracking has run long enough on the host: no settle step then. Also for a host that was enforced before
   * and whose table somebody deleted: closing the hole must not wait.
   */
  readonly settled: boolean;
  /**
   * True when this installation enforced here before: a table with our name and without our mark is what somebody made of ours, and is
   * replaced. Absent: it is somebody else's, and a conflict.
   */
  readonly enforcedBefore?: boolean;
  /**
   * The generation of an apply that never told how it ended. Its timer may still be running, and restores what it found if the fence
   * holds that generation: so a newer one is written, even where everything else is as wanted.
   */
  readonly unfinished?: number | undefined;
  /** ms since the epoch: a new table's first generation, so that no two lives of a table share one. Absent: 1. */
  readonly now?: number;
}

const LAST_GENERATION = 2 ** 32 - 1;

/**
 * What to do so that the host enforces what is wanted; no steps when it does.
 *
 * Pure. Each step is one transaction that fails as a whole unless the fence still holds the generation it was planned against (or,
 * for a new table, unless there still is none). A host that enforces for the first time gets a settle step before the final one:
 * the caller waits between the two. Throws INVENTORY_INCOMPLETE on a partial observation, PLAN_INVARIANT_BROKEN when our own output
 * fails its check.
 */
export function planHost(planning: HostPlanning): HostPlan {
  const { want, mark, observation, membershipDigest } = planning;
  if (observation.completeness !== "complete") {
    throw new FirebreakError("INVENTORY_INCOMPLETE", `plan ${want.target} from a ${observation.completeness} observation`);
  }
  const live = readTable(observation.ruleset);
  const conflicts = live === undefined ? [] : findConflicts(live, planning);
  const steps = conflicts.length > 0 ? [] : planSteps(planning, live);
  const plan = {
    kind: "host" as const,
    target: want.target,
    sequence: mark.sequence,
    observationDigest: hostObservationDigest(observation),
    membershipDigest,
    conflicts,
    membersOnly: steps.length > 0 && steps.every((step) => step.kind === "elements") && sameMark(live?.mark, mark),
    steps,
  };
  return { ...plan, id: createHash("sha256").update(canonicalJson(plan)).digest("hex") };
}

/** Digest of our table as observed, without elements of address sets, generation and hits: churn does not change it. Hex. */
export function hostObservationDigest(observation: HostObservation): string {
  const { digest, mark } = observation.ours ?? tableFacts(observation.ruleset);
  const seen = digest === null ? null : { structure: digest, mark: mark ?? null };
  return createHash("sha256")
    .update(canonicalJson({ completeness: observation.completeness, seen }))
    .digest("hex");
}

/** A table with our name that nobody marked as ours, or another installation did: never overwritten. An empty one is nobody's. */
function findConflicts(live: ListedTable, { mark, enforcedBefore = false }: HostPlanning): readonly PlanConflict[] {
  const subject = "table inet firebreak";
  if (live.mark !== undefined && live.mark.instance !== mark.instance) {
    return [{ subject, detail: `belongs to the Firebreak installation ${live.mark.instance}` }];
  }
  if (!isUnmarked(live) || enforcedBefore || isEmpty(live)) return [];
  return [{ subject, detail: "has our name, no mark and no fence" }];
}

function isUnmarked({ mark, generation }: ListedTable): boolean {
  return mark === undefined && generation === undefined;
}

function isEmpty({ chains, sets, maps, counters, others }: ListedTable): boolean {
  return [chains, sets, maps, counters].every(({ size }) => size === 0) && others.length === 0;
}

function planSteps(planning: HostPlanning, live: ListedTable | undefined): readonly HostStep[] {
  const generation = nextGeneration(live, planning);
  const final = renderChecked(planning, generation, "final");
  if (live !== undefined && isInForce(live, final)) {
    if (isBeyondTimers(live, planning)) return [];
    const why = "an earlier apply did not tell how it ended";
    return [{ kind: "final", why, transaction: elementsTransaction(live, final), generation }];
  }
  if (!needsSettling(planning, live)) return [planStep("final", live, final, generation)];
  const settle = renderChecked(planning, generation, "settle");
  const after = readTable(settle);
  const second = nextGeneration(after, {});
  return [planStep("settle", live, settle, generation), planStep("final", after, renderChecked(planning, second, "final"), second)];
}

function renderChecked({ want, mark }: HostPlanning, generation: number, phase: Phase): NftRuleset {
  const ruleset = renderRuleset(want, mark, { generation, phase });
  verifyRuleset(want, ruleset);
  return ruleset;
}

function planStep(kind: "settle" | "final", live: ListedTable | undefined, wanted: NftRuleset, generation: number): HostStep {
  if (live === undefined) {
    return { kind, why: "the host has no table of ours yet: it is made", transaction: createTransaction(wanted), generation };
  }
  if (!isUpdatable(live, wanted)) {
    return { kind, why: "the table cannot be changed in place", transaction: replaceTransaction(live, wanted), generation };
  }
  if (sameStructure(live, wanted)) {
    const why = sameMark(live.mark, readTable(wanted)?.mark) ? "addresses changed" : "the revision changed";
    const isElements = why === "addresses changed" && kind === "final";
    return { kind: isElements ? "elements" : kind, why, transaction: elementsTransaction(live, wanted), generation };
  }
  return { kind, why: "rules changed", transaction: updateTransaction(live, wanted), generation };
}

/** After the one in the fence, and after every one that a timer may still be waiting for. */
function nextGeneration(live: ListedTable | undefined, { now, unfinished = 0 }: Pick<HostPlanning, "now" | "unfinished">): number {
  const first = now === undefined ? 1 : (Math.floor(now / 1000) % LAST_GENERATION) + 1;
  const next = Math.max(live?.generation === undefined ? first : live.generation + 1, unfinished + 1);
  return next > LAST_GENERATION ? 1 : next;
}

/** True when no timer of an earlier apply can take the generation in force for its own. */
function isBeyondTimers({ generation }: ListedTable, { unfinished }: HostPlanning): boolean {
  return unfinished === undefined || (generation !== undefined && generation > unfinished);
}

function isInForce(live: ListedTable, wanted: NftRuleset): boolean {
  const want = readTable(wanted);
  if (want === undefined || live.generation === undefined || !sameMark(live.mark, want.mark)) return false;
  return sameStructure(live, wanted) && sameElements(live, want);
}

function sameStructure(live: ListedTable, wanted: NftRuleset): boolean {
  const want = readTable(wanted);
  return want !== undefined && tableDigest(live) === tableDigest(want);
}

function sameElements(live: ListedTable, want: ListedTable): boolean {
  const seen = elementsOf(live);
  const wanted = [...elementsOf(want)];
  return seen.size === wanted.length && wanted.every(([name, texts]) => sameTexts(texts, seen.get(name)));
}

function sameTexts(a: readonly string[], b: readonly string[] | undefined): boolean {
  return a.length === b?.length && a.every((text, index) => text === b[index]);
}

function sameMark(a: Mark | undefined, b: Mark | undefined): boolean {
  return a !== undefined && b !== undefined && a.instance === b.instance && a.sequence === b.sequence && a.digest === b.digest;
}

/**
 * True when the final ruleset closes something and connection tracking may not know the live sessions yet:
 * - there is no table of ours, and nobody says that the host was enforced before;
 * - a settle step was the last thing that happened, so a process died while it waited;
 * - the table hooks in nowhere (nothing was isolated so far) and something else is wanted now. The same want over a table without
 *   hooks is tampering, and a hole is closed at once.
 */
function needsSettling({ want, mark, settled }: HostPlanning, live: ListedTable | undefined): boolean {
  if (want.ingress.mode !== "enforce" && want.egress.mode !== "enforce") return false;
  if (live === undefined || isUnmarked(live)) return !settled;
  const chains = [...live.chains.values()];
  if (JSON.stringify(chains.map(({ rules }) => rules)).includes('"fb:settle ')) return true;
  return chains.every(({ body }) => body["hook"] === undefined) && live.mark?.digest !== mark.digest;
}
