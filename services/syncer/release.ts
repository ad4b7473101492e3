import { addWork, forgetTarget, listTargetRows, targetRow } from "../../adapters/store/index.ts";
import type { ReleaseAnswer, ReleaseRequest } from "../../core/api/shapes.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { unknownTarget } from "../../core/model/unknown-name.ts";
import type { Target } from "../../core/model/target.ts";
import { NO_PLAN_EFFECT, type PlanEffect } from "../../core/plan/effect.ts";
import { profileOf } from "../../core/verdict/profile.ts";
import { findingEntries } from "../findings.ts";
import type { HostTarget } from "../hosts.ts";
import { refuseReplaced } from "../replaced.ts";
import { clusterWriter } from "./apply.ts";
import type { SyncerContext } from "./context.ts";
import { auditTarget } from "./entries.ts";
import { endLease, takeLease } from "./held-lease.ts";
import { resolveTarget, type ResolvedTarget } from "./resolve.ts";
import { workOutRelease } from "./work-out.ts";

const LEASE_MS = 120_000;

type ClusterTarget = Extract<Target, { readonly kind: "cluster" }>;

/** What a release removes and opens, and how to carry it out. */
interface Release {
  readonly removes: readonly string[];
  readonly effect: PlanEffect;
  carryOut(): Promise<void>;
}

/**
 * Lets a target go that Git names no more: removes our objects and forgets it; or, not confirmed, only tells what that opens.
 *
 * @throws FirebreakError USAGE for a target that Git still names: it would be enforced again at once
 */
export async function release(context: SyncerContext, request: ReleaseRequest, actor: string): Promise<ReleaseAnswer> {
  const { store, trail } = context;
  const row = await targetRow(store, request.target);
  if (row === undefined) {
    // Answered again, because a process ended between the last write and its answer.
    if (request.confirm && context.facts.target(request.target).isReleased === true)
      return { target: request.target, removes: [], effect: NO_PLAN_EFFECT.finding, done: true };
    throw unknownTarget(
      request.target,
      (await listTargetRows(store)).map(({ id }) => id),
    );
  }
  if (row.inGit) throw new FirebreakError("USAGE", `${row.id} is still in Git; remove it there first, then release it`);
  const lease = await takeLease(context, row.id, LEASE_MS);
  try {
    const plan =
      request.forget || request.keep ? NOTHING : await planRelease(context, await resolveTarget(context, row.id), row.identity);
    const answer = { target: row.id, removes: plan.removes, effect: plan.effect.finding };
    if (!request.confirm) return { ...answer, done: false };
    const how = request.keep
      ? "its objects stay"
      : request.forget
        ? "it was not reached"
        : `${plan.removes.length} objects removed`;
    await trail.append([
      {
        id: `released-${row.id}-${lease.fencing}-${context.start}`,
        type: "target.released",
        target: auditTarget(row.id, row.identity ?? undefined),
        actor: { kind: "token", id: actor },
        effect: plan.effect.audit,
        reason: how,
      },
    ]);
    await plan.carryOut();
    await forgetTarget(store, row.id, context.now(), findingEntries(context.now()));
    context.memberships.forget(row.id);
    // Its workloads are members nowhere any more: the sets of others follow.
    const others = (await listTargetRows(store)).map(({ id }) => ({
      target: id,
      kind: "release" as const,
      detail: { released: row.id },
    }));
    await addWork(store, others, context.now());
    return { ...answer, done: true };
  } finally {
    await endLease(context, lease);
  }
}

const NOTHING: Release = { removes: [], effect: NO_PLAN_EFFECT, carryOut: async () => undefined };

async function planRelease(context: SyncerContext, { target }: ResolvedTarget, known: string | null): Promise<Release> {
  return target.kind === "cluster" ? await planClusterRelease(context, target, known) : await planHostRelease(context, target);
}

async function planClusterRelease(context: SyncerContext, { id, cluster }: ClusterTarget, known: string | null): Promise<Release> {
  const { signal, instance } = context;
  const connection = context.clusters.connection(id);
  const observation = await connection.readObservation(signal);
  refuseReplaced(id, context.facts.target(id).uid, observation.uid);
  refuseReplaced(id, known, observation.uid);
  const inventory = connection.inventory();
  const asked = { kind: "cluster", observation, inventory, profile: profileOf(cluster.enforcer), instance } as const;
  const { steps, effect } = await workOutRelease(context, asked);
  return {
    removes: steps.flatMap((step) => (step.kind === "delete" ? [`networkpolicy ${step.namespace}/${step.name}`] : [])),
    effect,
    carryOut: async () => {
      const send = clusterWriter(connection);
      for (const step of steps) await send(step, signal);
    },
  };
}

async function planHostRelease(context: SyncerContext, target: HostTarget): Promise<Release> {
  const { signal, instance } = context;
  const connection = await context.hosts.connection(target);
  const observation = await connection.observe(signal);
  if (observation.completeness !== "complete")
    throw new FirebreakError("INVENTORY_INCOMPLETE", `${target.id} was read back only in part`);
  const { transaction: step, effect } = await workOutRelease(context, { kind: "host", observation, instance });
  if (step === undefined) return NOTHING;
  return {
    removes: ["table inet firebreak"],
    effect,
    carryOut: async () => {
      const deadManSeconds = Math.max(2, Math.round(context.settings.hosts.deadMan / 1000));
      const outcome = await connection.apply(step, { deadManSeconds, signal });
      if (!outcome.confirmed)
        throw new FirebreakError("APPLY_NOT_CONFIRMED", `${target.id} was not reached after our table was removed`);
      if (observation.kept?.ruleset !== undefined) await connection.keep(undefined, signal); // or it is back after the next reboot
    },
  };
}
