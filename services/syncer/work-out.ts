import { isOverBudget, overBudgetText, type Outcome } from "../../adapters/workers/index.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import type { Note } from "../../core/model/note.ts";
import { UNTOLD_EFFECT, type PlanEffect } from "../../core/plan/effect.ts";
import { planRelease, type ReleaseAnswer, type ReleaseQuestion } from "../../core/plan/release.ts";
import { planRun, wantOfRun, type ClusterRun, type RunAnswer, type RunQuestion } from "../../core/plan/run.ts";
import { isSmall } from "../workers/small.ts";
import type { SyncerContext } from "./context.ts";

/** What telling an effect may cost in this process: some 30 ms. */
const QUICK_STEPS = 500_000;

/** An answer that says an effect in any case, and a note when that could not be told. */
type Told<Answer> = Omit<Answer, "effect"> & { readonly effect: PlanEffect; readonly untold: readonly Note[] };

/**
 * Works out a run for a target. Definitions are as large as what was merged, and what is live besides ours as tenants and roots of hosts make
 * it, so what is not small is worked out by a worker.
 *
 * @throws FirebreakError LIMIT_EXCEEDED when that is more than a plan may take: then nothing is written
 */
export async function workOut(context: SyncerContext, run: RunQuestion): Promise<RunAnswer> {
  if (isSmallRun(run)) return planRun(run);
  return plannedValue(run.target.id, await context.workers.run("run", run, { lane: "plans", signal: context.signal }));
}

/** What a cluster shall enforce in a run, as {@link workOut} works it out. */
export async function workOutWant(context: SyncerContext, run: ClusterRun): Promise<ReturnType<typeof wantOfRun>> {
  if (isSmallRun(run)) return wantOfRun(run);
  return plannedValue(run.target.id, await context.workers.run("want", run, { lane: "plans", signal: context.signal }));
}

/** Works out what a release takes away and opens, as {@link workOut} does. */
export async function workOutRelease(context: SyncerContext, asked: ReleaseQuestion): Promise<Told<ReleaseAnswer>> {
  const quick = isSmall(asked) ? planRelease(asked, QUICK_STEPS) : undefined;
  if (quick?.effect !== undefined) return { ...quick, effect: quick.effect, untold: [] };
  const outcome = await context.workers.run("release", asked, { lane: "plans", signal: context.signal });
  const { target } = asked.observation;
  return told(target, plannedValue(target, outcome));
}

function isSmallRun({ kept, ...rest }: RunQuestion): boolean {
  const { definitions, before, ...inventories } = kept;
  return isSmall(rest) && isSmall([definitions, before]) && isSmall(inventories);
}

function plannedValue<Answer>(target: TargetId, outcome: Outcome<Answer>): Answer {
  if (outcome.kind === "done") return outcome.value;
  throw isOverBudget(outcome) ? cannotBePlanned(target, overBudgetText(outcome)) : outcome.error;
}

function told<Answer extends { readonly effect: PlanEffect | undefined }>(target: TargetId, answer: Answer): Told<Answer> {
  const { effect } = answer;
  if (effect !== undefined) return { ...answer, effect, untold: [] };
  const summary = `what the plan for ${target} opens and closes was not worked out: it takes more work than a plan may`;
  return { ...answer, effect: UNTOLD_EFFECT, untold: [{ severity: "warning", code: "effect-not-told", summary }] };
}

function cannotBePlanned(target: TargetId, why: string): FirebreakError {
  return new FirebreakError(
    "LIMIT_EXCEEDED",
    `${target} cannot be planned: what is there, or what the definitions say, is ${why}; nothing is written there until it is less`,
  );
}
