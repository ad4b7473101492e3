import { isOverBudget, overBudgetText } from "../../adapters/workers/index.ts";
import { planEffect, UNTOLD_EFFECT, type EffectQuestion, type PlanEffect } from "../../core/plan/effect.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import type { Note } from "../../core/model/note.ts";
import { Budget } from "../../core/verdict/budget.ts";
import { isSmall } from "../workers/small.ts";
import type { SyncerContext } from "./context.ts";

/** What it may cost in this process: some 30 ms. */
const QUICK_STEPS = 500_000;

/** What a plan opens and closes, and a note when that could not be told. */
export interface ToldEffect {
  readonly effect: PlanEffect;
  readonly notes: readonly Note[];
}

/**
 * What a plan opens and closes: for people and for the log. What is live besides ours is as large as tenants and roots of hosts make it, so
 * what is not small is worked out by a worker. The plan waits for it and does not hang on it: beyond its budget it is uncertain, and said.
 */
export async function effectOf(context: SyncerContext, target: TargetId, asked: EffectQuestion): Promise<ToldEffect> {
  const isNothing = asked.kind === "cluster" ? asked.steps.length === 0 : asked.kind === "host" && asked.generation === undefined;
  const quick = isNothing || isSmall(asked) ? planEffect(asked, new Budget(QUICK_STEPS)) : undefined;
  if (quick !== undefined) return { effect: quick, notes: [] };
  const outcome = await context.workers.run("plan-effect", asked, { lane: "plans", signal: context.signal });
  if (outcome.kind === "done" && outcome.value !== undefined) return { effect: outcome.value, notes: [] };
  if (outcome.kind === "failed") throw outcome.error;
  const why = isOverBudget(outcome) ? overBudgetText(outcome) : "it takes more work than a plan may";
  const summary = `what the plan for ${target} opens and closes was not worked out: ${why}`;
  return { effect: UNTOLD_EFFECT, notes: [{ severity: "warning", code: "effect-not-told", summary }] };
}
