import { estateOf } from "../../core/estate/build.ts";
import { symbolicInventories } from "../../core/guardrail/symbolic.ts";
import { intentOf } from "../../core/intent/intent.ts";
import { definitionsAt } from "../../core/model/expiry.ts";
import type { Definitions } from "../../core/model/kinds.ts";
import { guardrailProblems, type JudgedRevision } from "../../core/revision/guardrails.ts";
import type { RevisionProblem } from "../../core/revision/judge.ts";
import { listOrphans, readOrphans } from "../orphans.ts";
import type { SyncerContext } from "./context.ts";

const FIRST_LOOK_MS = 5_000;

/**
 * Guardrails that a candidate would break, on the workloads of now.
 *
 * Judged by what was meant and by what enforcers can know of it. What is rendered lets through exactly the latter, which every plan
 * proves before it is carried out.
 */
export async function guardrailsBroken(
  context: SyncerContext,
  candidate: Definitions,
  commit: string,
): Promise<readonly RevisionProblem[]> {
  const { inForce } = context;
  if (candidate.guardrails.size === 0 && (inForce?.definitions.guardrails.size ?? 0) === 0) return [];
  await seenOnce(context);
  const inventories = new Map([...context.clusters.connections()].map(([target, connection]) => [target, connection.inventory()]));
  const orphans = await readOrphans(context, await listOrphans(context.store));
  const at = (definitions: Definitions): Definitions => definitionsAt(definitions, context.now()).definitions;
  const { inventories: madeUp } = symbolicInventories(at(candidate));
  const judged = (given: Definitions): JudgedRevision => {
    const definitions = at(given);
    const estate = estateOf(definitions, inventories, orphans);
    const { operator } = context;
    return {
      definitions,
      sources: (["approved", "enforceable"] as const).map((as) => intentOf(definitions, estate, { as, operator })),
      madeUp: intentOf(definitions, estateOf(definitions, madeUp), { as: "approved", operator }),
    };
  };
  return guardrailProblems(judged(candidate), inForce === undefined ? undefined : judged(inForce.definitions), commit);
}

/** Waits a little for clusters that were just connected: on half a picture little is certain, and what is undecided makes a commit wait. */
export async function seenOnce({ clusters, signal }: Pick<SyncerContext, "clusters" | "signal">): Promise<void> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(FIRST_LOOK_MS)]);
  await Promise.allSettled([...clusters.connections()].map(async ([, connection]) => await connection.synced(patience)));
}
