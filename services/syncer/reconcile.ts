import { randomUUID } from "node:crypto";
import {
  acquireLease,
  closeWork,
  openWork,
  recordApplied,
  recordFailure,
  recordIdentity,
  recordIntent,
  recordRead,
  recordSettled,
  targetRow,
  type Lease,
  type WorkRow,
} from "../../adapters/store/index.ts";
import { decodeInputs, encodeInputs, type EncodedInputs } from "../../core/compile/inputs.ts";
import { membershipChange, type SegmentChange } from "../../core/membership/change.ts";
import { FirebreakError, hasCode } from "../../core/ground/error.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import type { Plan } from "../../core/plan/plan.ts";
import { storedError } from "../stored-error.ts";
import { applyPlan } from "./apply.ts";
import type { SyncerContext } from "./context.ts";
import { auditTarget, intentEntry, outcomeEntry, planEntry, type Run } from "./entries.ts";
import { endLease, HeldLease } from "./held-lease.ts";
import { keepForNextStart } from "./keep.ts";
import { makePlan, readBack, type Planned } from "./planning.ts";
import { closeOpenIntents } from "./recover.ts";
import { takeOver } from "./takeover.ts";
import { countRepairs, tellOfDrift } from "./tell-of-drift.ts";

const LEASE_MS = 30_000;
const RENEW_MS = 10_000;
/** A plan that went stale is made anew this often within one run; after that the back-off decides. */
const STALE_TRIES = 3;
const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 5 * 60_000;
const LONGEST_WITHOUT_LOG_MS = 5_000;

/**
 * One run for one target: observe → plan → apply → read back → record.
 *
 * It holds the target's lease and closes only the work it read before it looked. A failure is recorded with the time of the next
 * attempt, and the run ends: the queue retries nothing (docs/design/contracts.md "Work, queue, store").
 */
export async function reconcile(context: SyncerContext, id: TargetId, jobSignal: AbortSignal): Promise<void> {
  const { store, log, now } = context;
  const only = context.only.signal();
  const lease = await acquireLease(store, id, `${context.holder}${randomUUID()}`, LEASE_MS);
  if (lease === undefined) return;
  await context.onStep("leased", id);
  const held = new HeldLease(store, lease, LEASE_MS);
  const lost = new AbortController();
  const signal = AbortSignal.any([context.signal, jobSignal, only, lost.signal]);
  const renewal = setInterval(() => {
    held.renew().catch((error: unknown) => lost.abort(error));
  }, RENEW_MS);
  try {
    const rows = await openWork(store, id, now());
    if (rows.length === 0) return;
    try {
      // What an earlier run's outcome could not say (a full disk) is said before anything new begins.
      await closeOpenIntents(context);
      const outcome = await runOnce(context, id, { lease, held, signal });
      await closeWork(store, rows, outcome, now());
      await context.onStep("work-closed", id);
    } catch (error) {
      if (context.signal.aborted) throw error;
      await fail(context, id, lease, rows, error);
    }
  } catch (error) {
    if (!context.signal.aborted) log.warn({ target: id, error }, "run ended without a record");
  } finally {
    clearInterval(renewal);
    await endLease(context, lease);
  }
}

/** What a run may write by: its lease, the proof of it, and the signal that ends it. */
interface Right {
  readonly lease: Lease;
  readonly held: HeldLease;
  readonly signal: AbortSignal;
}

async function runOnce(context: SyncerContext, id: TargetId, right: Right): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const planned = await makePlan(context, id, right.signal);
    // A host may have been away while we looked: on return only the newest revision is planned.
    if (isOutdated(context, planned)) continue;
    await context.onStep("planned", id);
    try {
      return await carryOut(context, planned, right);
    } catch (error) {
      if (!hasCode(error, "PLAN_STALE") || attempt >= STALE_TRIES) throw error;
    }
  }
}

/** True when another revision came into force since this plan's was read. */
function isOutdated({ inForce }: SyncerContext, { resolved }: Planned): boolean {
  return !resolved.orphaned && inForce !== undefined && inForce.sequence !== resolved.sequence;
}

async function carryOut(context: SyncerContext, planned: Planned, right: Right): Promise<string> {
  const { lease } = right;
  const { store, now } = context;
  const { resolved, plan, observation } = planned;
  const id = resolved.target.id;
  await logIdentity(context, id, planned.identity);
  await recordIdentity(store, id, {
    identity: planned.identity,
    notes: planned.notes,
    ...(planned.enforcer === undefined ? {} : { enforcer: planned.enforcer }),
  });
  await recordRead(store, id, { at: observation.at, ok: true, observationDigest: plan.observationDigest });
  if (resolved.target.mode === "plan") {
    await recordSettled(store, id, lease.fencing);
    return `plan only: ${plan.steps.length} steps`;
  }
  const row = await targetRow(store, id);
  const generation = lastGeneration(plan) ?? (row?.generation ?? 0) + (plan.steps.length > 0 ? 1 : 0);
  if (plan.steps.length > 0 && row !== undefined) await tellOfDrift(context, planned, row);
  const after = plan.steps.length === 0 ? planned : await apply(context, planned, generation, right);
  if (planned.waitsFor !== undefined) throw planned.waitsFor;
  await keepForNextStart(context, after, right.signal);
  await recordApplied(
    store,
    id,
    lease.fencing,
    {
      sequence: resolved.sequence,
      plan: plan.id,
      generation,
      membershipDigest: plan.membershipDigest,
      inputs: encodeInputs(planned.inputs),
      observationDigest: after.plan.observationDigest,
      segments: planned.segments,
      rules: planned.rules,
    },
    now(),
  );
  context.gaps.closed(id);
  await takeOver(context, id, planned.identity);
  await context.onStep("recorded", id);
  return plan.steps.length === 0 ? "nothing to do" : `applied ${plan.steps.length} steps`;
}

/** Who a target is goes into the log before anything is known of it: a store that is lost, or that somebody changed, cannot say it. */
async function logIdentity({ facts, trail, start }: SyncerContext, id: TargetId, identity: string): Promise<void> {
  const { uid } = facts.target(id);
  if (identity === "" || uid === identity) return;
  const before = uid === undefined ? {} : { detail: { before: uid } };
  const name = `identified-${id}-${identity}-after-${uid ?? "none"}-${start}`;
  await trail.append([{ id: name, type: "target.identified", target: auditTarget(id, identity), ...before }]);
}

/** One apply. While it runs its intent is its own to close. */
async function apply(context: SyncerContext, planned: Planned, generation: number, right: Right): Promise<Planned> {
  const intentId = `${planned.resolved.target.id}-${planned.plan.id.slice(0, 32)}-${right.lease.fencing}-${context.start}`;
  const run = { planned, generation, intentId };
  const { id } = intentEntry(run);
  context.flying.add(id);
  try {
    return await applyUnderIntent(context, run, right);
  } finally {
    context.flying.delete(id);
  }
}

/** Intent, steps, read-back, outcome. @returns what a fresh look planned: nothing */
async function applyUnderIntent(context: SyncerContext, run: Run, { lease, held, signal }: Right): Promise<Planned> {
  const { store, trail, now } = context;
  const { planned, generation } = run;
  const { resolved, plan } = planned;
  const id = resolved.target.id;
  let causedBy: number | undefined;
  const tellIntent = async (): Promise<void> => {
    if (!plan.membersOnly) {
      const receipts = await trail.append([planEntry(run), intentEntry(run)]);
      causedBy = receipts.at(-1)?.seq;
      await context.onStep("intent-logged", id);
    }
    await recordIntent(store, id, lease.fencing, {
      sequence: resolved.sequence,
      plan: plan.id,
      generation,
      membershipDigest: plan.membershipDigest,
      inputs: encodeInputs(planned.inputs),
      at: now(),
    });
    await context.onStep("intent-stored", id);
  };
  // While the log makes it durable, a host may already keep what is in force. Nothing changes anywhere before it is told.
  const told = tellIntent();
  told.catch(() => undefined); // thrown by the first step
  try {
    const seen = await applyPlan(context, resolved, plan, signal, async () => {
      await told;
      await held.prove();
    });
    const after = await readBack(context, planned, signal, seen);
    await context.onStep("read-back", id);
    if (after.plan.steps.length > 0) {
      await countRepairs(context, id);
      const first = after.summary[0];
      throw new FirebreakError(
        "APPLY_NOT_CONFIRMED",
        `${id} reads back different from what was applied${first === undefined ? "" : ` (${first.subject}: ${first.why})`}`,
      );
    }
    if (causedBy !== undefined) await trail.append([outcomeEntry(run, causedBy, { kind: "ok", after })]);
    else await context.memberLog.add(id, plan.id, await changedSegments(context, planned));
    await context.onStep("outcome-logged", id);
    return after;
  } catch (error) {
    await told.catch(() => undefined); // whether there is an intent to close
    if (causedBy !== undefined && !context.signal.aborted) {
      await trail.append([outcomeEntry(run, causedBy, { kind: "failed", error: storedError(error), at: now() })]);
    }
    throw error;
  }
}

/** How the segments' addresses changed against what this target was last given. */
async function changedSegments(context: SyncerContext, { inputs, plan }: Planned): Promise<readonly SegmentChange[]> {
  const row = await targetRow(context.store, plan.target);
  // The cast: the column is only ever written from encodeInputs, above.
  const before = row?.appliedInputs as EncodedInputs | null | undefined;
  return membershipChange(before ? decodeInputs(before).memberships : new Map(), inputs.memberships);
}

function lastGeneration(plan: Plan): number | undefined {
  return plan.kind === "host" ? plan.steps.at(-1)?.generation : undefined;
}

async function fail(context: SyncerContext, id: TargetId, lease: Lease, rows: readonly WorkRow[], error: unknown): Promise<void> {
  const { store, log, now, random } = context;
  const failures = (await targetRow(store, id))?.failures ?? 0;
  // Without a log nothing is written, which is no fault of the target: it goes on soon after there is room again.
  const longest = hasCode(error, "AUDIT_UNAVAILABLE") ? LONGEST_WITHOUT_LOG_MS : LONGEST_BACKOFF_MS;
  const backoff = Math.min(longest, FIRST_BACKOFF_MS * 2 ** Math.min(failures, 9)) * (0.8 + 0.4 * random());
  await recordFailure(store, id, lease.fencing, storedError(error), Math.round(now() + backoff));
  log.warn({ target: id, error, causes: rows.map(({ kind }) => kind), backoffMs: Math.round(backoff) }, "run failed, will retry");
}
