import { checkGuardrails, isUndecided } from "../guardrail/check.ts";
import type { GuardrailResult } from "../guardrail/results.ts";
import type { Definitions } from "../model/kinds.ts";
import { formatPosition } from "../model/note.ts";
import type { Source } from "../reach/source.ts";
import { formatCause } from "../text/guardrail.ts";
import type { Budget } from "../verdict/budget.ts";
import type { RevisionProblem } from "./judge.ts";

/** One revision, as every source that it is judged by says it: intent, what the enforcers can see of it, what is rendered of it. */
export interface JudgedRevision {
  readonly definitions: Definitions;
  /** In the same order for both revisions. */
  readonly sources: readonly Source[];
  /**
   * The intent over workloads that are made up from the candidate (`symbolicInventories`), the same ones for both revisions: what a rule
   * opens is wrong before the first pod is there, and while no inventory is. Nothing is concluded from it about `always`.
   */
  readonly madeUp: Source;
}

/**
 * Guardrails that a candidate breaks, or breaks wider than the revision in force.
 *
 * One that takes more work than a check may is told, too. The guardrails in force count as they stand there, with the segments as they stand there: a commit cannot loosen a guardrail and
 * use the gap at once. Those that the candidate adds or changes count, too, but one that is in force keeps its severity. What was
 * broken before, what nobody isolated before, what is otherwise uncertain and what only warns is not blocked (DESIGN.md §4 "Who may say what").
 * Before the first revision nothing was isolated, so it can add no connection, and can break only an `always`.
 */
export function guardrailProblems(
  after: JudgedRevision,
  before: JudgedRevision | undefined,
  commit: string | undefined,
  budget?: Budget,
): readonly RevisionProblem[] {
  const found = new Map<string, Pick<RevisionProblem, "code" | "message">>();
  const pairs = after.sources.map((source, index) => ({ source, earlier: before?.sources[index], isMadeUp: false }));
  for (const { source, earlier, isMadeUp } of [...pairs, { source: after.madeUp, earlier: before?.madeUp, isMadeUp: true }]) {
    for (const result of resultsOn(after.definitions, before?.definitions, source, earlier, budget)) {
      if (result.severity !== "block" || (isMadeUp && result.kind === "always")) continue;
      const key = `${result.guardrail}: ${result.claim}`;
      const problem = problemOf(result);
      if (problem !== undefined && !found.has(key)) found.set(key, problem);
    }
  }
  return [...found.values()].map(({ code, message }, index, all) => ({
    code,
    message:
      commit === undefined || index < all.length - 1
        ? message
        : `${message} Mend it in a new commit, or run: firebreak accept ${commit}`,
  }));
}

/** Guardrails in force with the segments in force, then the candidate's with its own, both asked of what the candidate lets through. */
function resultsOn(
  after: Definitions,
  before: Definitions | undefined,
  source: Source,
  earlier: Source | undefined,
  budget: Budget | undefined,
): readonly GuardrailResult[] {
  return [
    ...(before === undefined ? [] : checkGuardrails(before, source, { source: earlier }, budget)),
    ...checkGuardrails(after, source, { source: earlier }, budget).map((result) => withSeverityInForce(result, before)),
  ];
}

function withSeverityInForce(result: GuardrailResult, before: Definitions | undefined): GuardrailResult {
  return { ...result, severity: before?.guardrails.get(result.guardrail)?.severity ?? result.severity };
}

/** Undefined when nothing is added. What is too much work to decide is nobody's to pass. */
function problemOf(result: GuardrailResult): Pick<RevisionProblem, "code" | "message"> | undefined {
  const { guardrail, claim, at } = result;
  if (isUndecided(result)) {
    const message = `Guardrail ${guardrail} (${claim}, ${formatPosition(at)}) is ${result.why.join("; ")}.`;
    return { code: "GUARDRAIL_UNDECIDED", message };
  }
  const message = violationText(result);
  return message === undefined ? undefined : { code: "GUARDRAIL_VIOLATED", message };
}

function violationText({ outcome, violations, guardrail, claim, at, reason }: GuardrailResult): string | undefined {
  const added = violations.filter((violation) => violation.added);
  const [first] = added;
  if (outcome !== "violated" || first === undefined) return undefined;
  const more = added.length > 1 ? ` and ${added.length - 1} more` : "";
  const why = reason === null ? "" : ` It stands for: ${reason}`;
  const verb = claim.startsWith("always") ? "closes" : "opens";
  return `Guardrail ${guardrail} (${claim}, ${formatPosition(at)}) would be broken: it ${verb} ${formatCause(first)}${more}.${why}`;
}
