import type { OperatorInputs } from "../compile/inputs.ts";
import { estateOf } from "../estate/build.ts";
import { symbolicInventories } from "../guardrail/symbolic.ts";
import { intentOf } from "../intent/intent.ts";
import type { ClusterInventory } from "../membership/inventory.ts";
import { definitionsAt } from "../model/expiry.ts";
import type { Definitions, TargetId } from "../model/kinds.ts";
import type { Target } from "../model/target.ts";
import { guardrailProblems, type JudgedRevision } from "./guardrails.ts";
import type { RevisionProblem } from "./judge.ts";

/** A candidate and the moment it is judged at; data only, so that another process may judge. */
export interface GuardedCandidate {
  readonly commit: string;
  readonly candidate: Definitions;
  /** Undefined before the first revision. */
  readonly inForce: Definitions | undefined;
  readonly inventories: ReadonlyMap<TargetId, ClusterInventory>;
  /** Targets gone from Git that are still enforced. */
  readonly orphans: readonly Target[];
  /** ms since the epoch: what has expired by then is closed. */
  readonly now: number;
  readonly operator: OperatorInputs;
}

/**
 * Guardrails that a candidate would break, on the workloads of a moment.
 *
 * Judged by what was meant and by what enforcers can know of it. What is rendered lets through exactly the latter, which every plan
 * proves before it is carried out.
 */
export function candidateProblems(given: GuardedCandidate): readonly RevisionProblem[] {
  const { commit, candidate, inForce, inventories, orphans, now, operator } = given;
  const at = (definitions: Definitions): Definitions => definitionsAt(definitions, now).definitions;
  const { inventories: madeUp } = symbolicInventories(at(candidate));
  const judged = (written: Definitions): JudgedRevision => {
    const definitions = at(written);
    const estate = estateOf(definitions, inventories, orphans);
    return {
      definitions,
      sources: (["approved", "enforceable"] as const).map((as) => intentOf(definitions, estate, { as, operator })),
      madeUp: intentOf(definitions, estateOf(definitions, madeUp), { as: "approved", operator }),
    };
  };
  return guardrailProblems(judged(candidate), inForce && judged(inForce), commit);
}
