import { isOverBudget, overBudgetText } from "../../adapters/workers/index.ts";
import type { Definitions } from "../../core/model/kinds.ts";
import type { RevisionProblem } from "../../core/revision/judge.ts";
import { checkRevision, type RevisionCheck } from "../../core/revision/limits.ts";
import { isSmall } from "../workers/small.ts";
import type { SyncerContext } from "./context.ts";
import { enforcedElsewhere } from "./enforced.ts";

/**
 * What a candidate would empty or un-isolate beyond the limits, on the workloads of now; worked out by a worker where it is not little, because
 * its author sizes the work. What that does not decide within its budget is a reason to hold the candidate.
 */
export async function limitsBroken(
  context: SyncerContext,
  candidate: Definitions,
  commit: string,
): Promise<readonly RevisionProblem[]> {
  const { inForce, workers, signal } = context;
  const inventories = new Map([...context.clusters.connections()].map(([target, connection]) => [target, connection.inventory()]));
  const enforced = await enforcedElsewhere(context);
  const before = inForce?.definitions;
  const asked: RevisionCheck = { before, after: candidate, inventories, enforced };
  if (before === undefined || [before, candidate, inventories, enforced].every(isSmall)) return checkRevision(asked);
  const outcome = await workers.run("limits", asked, { lane: "branch", signal });
  if (outcome.kind === "done") return outcome.value;
  if (!isOverBudget(outcome)) throw outcome.error;
  const message = `Whether it un-isolates more than limits.unisolate lets through is not decided: ${overBudgetText(outcome)}. Make the change smaller, or run: firebreak accept ${commit}`;
  return [{ code: "LIMIT_EXCEEDED", message }];
}
