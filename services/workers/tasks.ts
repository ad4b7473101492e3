import { doGitWork, type GitWork } from "../../adapters/git/index.ts";
import { parseReadback } from "../../adapters/nftables/index.ts";
import type { Tasks } from "../../adapters/workers/index.ts";
import { adoptingEdit } from "../../core/adopt/edit.ts";
import { watchGuardrails, type WatchedWorld } from "../../core/guardrail/watch.ts";
import { parseDefinitions, type Allow, type ParsedDefinitions } from "../../core/model/parse.ts";
import type { SourceFile } from "../../core/model/source.ts";
import { planEffect, type EffectQuestion } from "../../core/plan/effect.ts";
import { wantAt } from "../../core/plan/expected.ts";
import { planRelease, type ReleaseQuestion } from "../../core/plan/release.ts";
import { planRun, wantOfRun } from "../../core/plan/run.ts";
import { reviewCandidate } from "../../core/review/candidate.ts";
import { checkRevision } from "../../core/revision/limits.ts";
import { candidateProblems } from "../../core/revision/candidate.ts";
import { Budget } from "../../core/verdict/budget.ts";
import { adoptionsOf } from "../adoptions.ts";
import { compareLook } from "../compare.ts";
import { diffOf, explainNow, liveDiff, reachNow, segmentsNow, testNow } from "./questions.ts";

/** What is to be said in Git, and what Git says now. */
interface AskedEdit {
  readonly files: Parameters<typeof adoptingEdit>[0];
  readonly adoption: Parameters<typeof adoptingEdit>[1];
  readonly world: Parameters<typeof adoptingEdit>[2];
}

/** What it may cost to tell what one plan does, in steps of 20 to 50 ns. */
const PLAN_STEPS = 160_000_000;

/**
 * What workers do, by name: functions of core, pure, whose input somebody else sizes; and Git, which has to inflate it. To add one, name it here and call
 * `parts.workers.run(NAME, INPUT, {lane, signal})`. Input and answer are copied, so they hold data only.
 */
export const TASKS = {
  /** A fetch, or reading what one brought. */
  git: async (work: GitWork) => await doGitWork(work, new AbortController().signal),
  /** What files of a commit say. */
  parse: ({ files, allow }: { readonly files: readonly SourceFile[]; readonly allow: Allow | undefined }): ParsedDefinitions =>
    parseDefinitions(files, { allow }),
  /** What merging a change would do. */
  review: reviewCandidate,
  /** Guardrails that a commit of the branch would break. */
  guardrails: candidateProblems,
  /** Limits that it would break. */
  limits: checkRevision,
  /** What a host answered. */
  readback: parseReadback,
  /** Where Git would say it. */
  "adopt-edit": ({ files, adoption, world }: AskedEdit) => adoptingEdit(files, adoption, world),
  /** What should be on a target. */
  expected: wantAt,
  /** How a target parts from what should be there. */
  look: compareLook,
  /** How Git could say what was found. */
  adopt: adoptionsOf,
  /** What a target needs, and what it shall enforce. */
  run: planRun,
  want: wantOfRun,
  /** What a plan of a target opens and closes; undefined beyond its budget. */
  "plan-effect": (asked: EffectQuestion) => planEffect(asked, new Budget(PLAN_STEPS)),
  /** What a target that is let go loses. */
  release: (asked: ReleaseQuestion) => planRelease(asked, PLAN_STEPS),
  /** Guardrails that are violated now. */
  watch: (world: WatchedWorld) => watchGuardrails(world),
  /** Questions over the API. */
  test: testNow,
  reach: reachNow,
  explain: explainNow,
  segments: segmentsNow,
  diff: diffOf,
  "diff-live": liveDiff,
} satisfies Tasks;
