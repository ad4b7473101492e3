import { checkGuardrails, isUndecided } from "../guardrail/check.ts";
import type { GuardrailResult } from "../guardrail/results.ts";
import { staleFor } from "../guardrail/stale.ts";
import type { Definitions, TargetId } from "../model/kinds.ts";
import { formatPosition } from "../model/note.ts";
import { findTarget } from "../model/target.ts";
import type { Source } from "../reach/source.ts";
import { formatCause } from "../guardrail/say.ts";
import type { Budget } from "../verdict/budget.ts";
import { asSeen } from "./as-seen.ts";
import { mayClose, mayOpen } from "./direction.ts";
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
 * broken before, what nobody isolated before, what cannot be decided by its nature and what only warns is not blocked
 * (docs/design/contracts.md "Who
 * may say what"). Before the first revision nothing was isolated, so it can add no connection, and can break only an `always`.
 *
 * What is known of a target that is not seen whole counts. Where what is not seen could break a guardrail, and the candidate could be
 * why, it is `GUARDRAIL_UNSEEN`: the commit waits (docs/decisions, 6).
 */
export function guardrailProblems(
  after: JudgedRevision,
  before: JudgedRevision | undefined,
  commit: string | undefined,
  budget?: Budget,
): readonly RevisionProblem[] {
  const found = new Map<string, Pick<RevisionProblem, "code" | "message">>();
  const unseen = new Map<string, string>();
  const pairs = after.sources.map((source, index) => ({ source, earlier: before?.sources[index], isMadeUp: false }));
  for (const { source, earlier, isMadeUp } of [...pairs, { source: after.madeUp, earlier: before?.madeUp, isMadeUp: true }]) {
    for (const result of resultsOn(after.definitions, before?.definitions, asSeen(source), earlier && asSeen(earlier), budget)) {
      if (result.severity !== "block" || (isMadeUp && result.kind === "always")) continue;
      const key = `${result.guardrail}: ${result.claim}`;
      const problem = problemOf(result);
      if (problem !== undefined && !found.has(key)) found.set(key, problem);
      const targets = isMadeUp || problem !== undefined ? [] : unseenFor(result, source, after.definitions, before?.definitions);
      if (targets.length > 0) unseen.set(key, unseenMessage(result, targets));
    }
  }
  const waiting = [...unseen].flatMap(([key, message]) => (found.has(key) ? [] : [{ code: "GUARDRAIL_UNSEEN" as const, message }]));
  return [
    ...withAdvice([...found.values()], commit, "Mend it in a new commit, or run:"),
    ...withAdvice(waiting, commit, "If that stays away, run:"),
  ];
}

function withAdvice(problems: readonly RevisionProblem[], commit: string | undefined, advice: string): readonly RevisionProblem[] {
  return problems.map(({ code, message }, index) => ({
    code,
    message: commit === undefined || index < problems.length - 1 ? message : `${message} ${advice} firebreak accept ${commit}`,
  }));
}

/**
 * Targets whose unseen workloads may break an undecided claim by what the candidate changes. A target that it adds is not one of them: what
 * runs there was open before, and is connected to only once it is in force.
 */
function unseenFor(
  result: GuardrailResult,
  { estate }: Source,
  after: Definitions,
  before: Definitions | undefined,
): readonly TargetId[] {
  if (result.outcome !== "uncertain" || before === undefined) return [];
  if (!(result.kind === "never" ? mayOpen(before, after) : mayClose(before, after))) return [];
  const stale = [before, after].flatMap((definitions) => {
    const rule = definitions.guardrails.get(result.guardrail)?.rules.find(({ id }) => id === result.id);
    return rule === undefined ? [] : staleFor(definitions, estate, [...rule.from, ...rule.to], rule.path === "transitive");
  });
  return [...new Set(stale)].filter((id) => findTarget(before, id) !== undefined).sort();
}

function unseenMessage({ guardrail, claim, at }: GuardrailResult, unseen: readonly TargetId[]): string {
  const names = unseen.length > 5 ? `${unseen.slice(0, 5).join(", ")} and ${unseen.length - 5} more` : unseen.join(", ");
  return `Guardrail ${guardrail} (${claim}, ${formatPosition(at)}) cannot be decided: ${names} ${unseen.length === 1 ? "is" : "are"} not seen whole. The commit waits until then; one that only takes rules away does not.`;
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
