import { FirebreakError, hasCode } from "../../core/ground/error.ts";
import type { ClusterConnection } from "../../adapters/kubernetes/connection.ts";
import type { HostObservation } from "../../core/observed/observation.ts";
import { EARLIER_STEP, type ClusterPlan, type ClusterStep, type HostPlan, type Plan } from "../../core/plan/plan.ts";
import { pause } from "../pause.ts";
import type { SyncerContext } from "./context.ts";
import type { ResolvedTarget } from "./resolve.ts";

/** Asked before each step is sent. @throws FirebreakError TARGET_LOCKED when another run may write by now: nothing more is sent */
export type Fence = () => Promise<void>;

/**
 * Carries out a plan, step by step, in its order. It makes no choices: what to do was decided when the plan was made.
 *
 * @returns how a host read back over the connection that confirmed; undefined when the target is to be looked at by itself
 * @throws FirebreakError PLAN_STALE when something moved on since; APPLY_NOT_CONFIRMED when a host was not reached afterwards
 */
export async function applyPlan(
  context: SyncerContext,
  resolved: ResolvedTarget,
  plan: Plan,
  signal: AbortSignal,
  fence: Fence,
): Promise<HostObservation | undefined> {
  if (plan.kind === "host") return await applyToHost(context, resolved, plan, signal, fence);
  await applyToCluster(context, plan, signal, fence);
  return undefined;
}

async function applyToCluster(context: SyncerContext, plan: ClusterPlan, signal: AbortSignal, fence: Fence): Promise<void> {
  const send = clusterWriter(context.clusters.connection(plan.target));
  const failed = new Map<string, unknown>();
  for (const step of plan.steps) {
    const { namespace } = step.kind === "delete" ? step : step.object.metadata;
    // A namespace that refuses a write (a quota, say) keeps no other from being repaired; in it the order of steps matters.
    if (failed.has(namespace)) continue;
    signal.throwIfAborted();
    await fence();
    try {
      await send(step, signal);
    } catch (error) {
      if (hasCode(error, "CLUSTER_UNREACHABLE")) throw error;
      failed.set(namespace, error);
      continue;
    }
    await context.onStep("step-applied", plan.target);
  }
  for (const error of failed.values()) throw error;
}

/** Sends steps one after the other; one that builds on an earlier step of the same plan is fenced by the version that step left. */
export function clusterWriter(
  connection: Pick<ClusterConnection, "apply">,
): (step: ClusterStep, signal: AbortSignal) => Promise<void> {
  const left = new Map<string, string>();
  return async (step, signal) => {
    const { namespace, name } = step.kind === "delete" ? step : step.object.metadata;
    const key = `${namespace}/${name}`;
    const fenced =
      step.kind !== "create" && step.resourceVersion === EARLIER_STEP
        ? { ...step, resourceVersion: left.get(key) ?? EARLIER_STEP }
        : step;
    const version = await connection.apply(fenced, signal);
    if (version !== undefined) left.set(key, version);
  };
}

async function applyToHost(
  context: SyncerContext,
  { target }: ResolvedTarget,
  plan: HostPlan,
  signal: AbortSignal,
  fence: Fence,
): Promise<HostObservation | undefined> {
  if (target.kind !== "host") throw new FirebreakError("PLAN_INVARIANT_BROKEN", `${target.id} is no host`);
  const connection = await context.hosts.connection(target);
  const { settle, deadMan } = context.settings.hosts;
  const deadManSeconds = Math.max(2, Math.round(deadMan / 1000));
  let seen: HostObservation | undefined;
  for (const [index, step] of plan.steps.entries()) {
    signal.throwIfAborted();
    const isLast = index === plan.steps.length - 1;
    const outcome = await connection.apply(step, { deadManSeconds, signal, mayLoad: fence, readBack: isLast });
    if (!outcome.confirmed) {
      const state = outcome.restored
        ? "its previous ruleset is in force again"
        : "whether its previous ruleset is back is not known";
      throw new FirebreakError("APPLY_NOT_CONFIRMED", `${target.id} was not reached after the apply; ${state}`);
    }
    await context.onStep("step-applied", plan.target);
    // Conntrack must learn the sessions that live before anything is dropped (docs/design/hosts.md "Plan").
    if (step.kind === "settle" && !isLast) await pause(settle, signal);
    seen = outcome.seen;
  }
  return seen;
}
