import type { EntryInput } from "../../core/audit/entry.ts";
import type { AuditTarget } from "../../core/audit/fields.ts";
import type { StoredError } from "../../adapters/store/index.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import type { Planned } from "./planning.ts";

/** One run that writes: what was planned, under which generation, and the id its entries share. */
export interface Run {
  readonly planned: Planned;
  readonly generation: number;
  readonly intentId: string;
}

export type Outcome =
  | { readonly kind: "ok"; readonly after: Planned }
  | { readonly kind: "failed"; readonly error: StoredError; readonly at: number };

export function planEntry({ planned, intentId }: Run): EntryInput {
  return {
    id: `plan-${intentId}`,
    type: "plan.computed",
    ...common(planned),
    effect: planned.effect.audit,
    detail: { steps: planned.summary.map(({ kind, subject, why }) => ({ kind, subject, why })) },
  };
}

export function intentEntry({ planned, generation, intentId }: Run): EntryInput {
  return {
    id: `intent-${intentId}`,
    type: "apply.intent",
    ...common(planned),
    generation,
    effect: planned.effect.audit,
    stateBefore: planned.plan.observationDigest,
  };
}

export function outcomeEntry({ planned, generation, intentId }: Run, causedBy: number, outcome: Outcome): EntryInput {
  const base = { id: `outcome-${intentId}`, type: "apply.outcome", ...common(planned), generation, causedBy } as const;
  if (outcome.kind === "failed") {
    const { code, message } = outcome.error;
    return { ...base, outcome: "failed", error: { code, messages: [message] } };
  }
  const { plan, observation } = outcome.after;
  const at = new Date(observation.at).toISOString();
  const readBack = {
    method: plan.kind === "host" ? "nft list ruleset over a new connection" : "list of every NetworkPolicy",
    at,
    verdict: "matches",
    digest: plan.observationDigest,
  } as const;
  return { ...base, outcome: "ok", stateBefore: planned.plan.observationDigest, stateAfter: plan.observationDigest, readBack };
}

/** What every entry about this plan carries. */
function common({ resolved, plan, identity }: Planned) {
  return {
    target: auditTarget(plan.target, identity),
    plan: plan.id,
    commit: resolved.commit,
    revision: resolved.sequence,
    actor: { kind: "system", id: "syncer" },
  } as const;
}

export function auditTarget(id: TargetId, uid: string | undefined): AuditTarget {
  return { kind: id.startsWith("cluster/") ? "cluster" : "host", id, ...(uid === undefined || uid === "" ? {} : { uid }) };
}
