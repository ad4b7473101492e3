import { isOverBudget, overBudgetText } from "../../adapters/workers/index.ts";
import type { Definitions } from "../../core/model/kinds.ts";
import type { RevisionProblem } from "../../core/revision/judge.ts";
import { listOrphans, readOrphans } from "../orphans.ts";
import type { SyncerContext } from "./context.ts";

const FIRST_LOOK_MS = 5_000;

/** Guardrails that a candidate would break, on the workloads of now; worked out by a worker, because its author sizes the work. */
export async function guardrailsBroken(
  context: SyncerContext,
  candidate: Definitions,
  commit: string,
): Promise<readonly RevisionProblem[]> {
  const { inForce, workers, operator, now, signal } = context;
  if (candidate.guardrails.size === 0 && (inForce?.definitions.guardrails.size ?? 0) === 0) return [];
  await seenOnce(context);
  const inventories = new Map([...context.clusters.connections()].map(([target, connection]) => [target, connection.inventory()]));
  const orphans = await readOrphans(context, await listOrphans(context));
  const given = { commit, candidate, inForce: inForce?.definitions, inventories, orphans, now: now(), operator };
  const outcome = await workers.run("guardrails", given, { lane: "branch", signal });
  if (outcome.kind === "done") return outcome.value;
  if (!isOverBudget(outcome)) throw outcome.error;
  const message = `Whether the guardrails hold is not decided: ${overBudgetText(outcome)}. Make the change smaller, or run: firebreak accept ${commit}`;
  return [{ code: "GUARDRAIL_UNDECIDED", message }];
}

/** Waits a little for clusters that were just connected: on half a picture little is certain, and what is undecided makes a commit wait. */
export async function seenOnce({ clusters, signal }: Pick<SyncerContext, "clusters" | "signal">): Promise<void> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(FIRST_LOOK_MS)]);
  await Promise.allSettled([...clusters.connections()].map(async ([, connection]) => await connection.synced(patience)));
}
