import type { OperatorInputs } from "../compile/inputs.ts";
import type { Finding } from "../finding/finding.ts";
import { seenWorld, type Seen } from "./world.ts";
import type { Definitions, TargetId } from "../model/kinds.ts";
import { listTargets } from "../model/target.ts";
import type { Budget } from "../verdict/budget.ts";
import { checkGuardrails, isUndecided } from "./check.ts";
import { guardrailFindings, subjectOf, undecidedFinding } from "./findings.ts";

/** Definitions and all that was seen, at one moment; data only, so that another process may look. */
export interface WatchedWorld {
  readonly definitions: Definitions;
  readonly seen: Seen;
  /** ms since the epoch: which policies have expired */
  readonly now: number;
  readonly operator: OperatorInputs;
}

/** What the guardrails in force say about it. */
export interface Watched {
  /** What is violated, and what is not decided because it takes too much work. */
  readonly findings: readonly Finding[];
  /** Fingerprints of those that nothing on its way to a target will mend: the definitions say so themselves, or nobody can say. */
  readonly settled: readonly string[];
  /** Subjects of guardrails that are too much work to decide. */
  readonly undecided: readonly string[];
  /** Subjects of all of which nobody can say whether they hold now. */
  readonly uncertain: readonly string[];
  /** Clusters whose workloads are not known whole. */
  readonly stale: readonly TargetId[];
}

/**
 * Checks the guardrails in force on what is meant and on what is live.
 *
 * @param budget of each of these; what is beyond it is not decided
 */
export function watchGuardrails({ definitions, seen, now, operator }: WatchedWorld, budget?: () => Budget): Watched {
  const world = seenWorld(definitions, seen, now, operator);
  // Live first: it tells what is, and who lets it through.
  const sources = [world.live, world.enforceable, world.approved].filter((source) => source !== undefined);
  const lists = sources.map((source) => checkGuardrails(world.definitions, source, undefined, budget?.()));
  const results = lists.flat();
  const target = guardrailsTarget(definitions);
  const undecided = results.filter(isUndecided);
  const planned = new Set(listTargets(definitions).flatMap(({ id, mode }) => (mode === "plan" ? [id] : [])));
  const ofDefinitions = guardrailFindings(
    lists.map((list) => list.filter(({ on }) => on !== "live")),
    planned,
  );
  const unsaid = new Map<string, Finding>();
  for (const { id, guardrail, claim, why, at } of undecided) {
    if (target === undefined) break;
    const finding = undecidedFinding(target, subjectOf(id), `guardrail ${guardrail} (${claim}) is ${why.join("; ")}`, at);
    unsaid.set(finding.fingerprint, finding);
  }
  return {
    findings: [...guardrailFindings(lists, planned), ...unsaid.values()],
    settled: [...ofDefinitions.map(({ fingerprint }) => fingerprint), ...unsaid.keys()],
    undecided: [...new Set(undecided.map(({ id }) => subjectOf(id)))],
    uncertain: [...new Set(results.flatMap(({ id, outcome }) => (outcome === "uncertain" ? [subjectOf(id)] : [])))],
    stale: world.estate.stale,
  };
}

/** The same when there is no answer at all: nothing that was violated is over. */
export function unwatched(definitions: Definitions, why: string): Pick<Watched, "findings" | "settled"> {
  const target = guardrailsTarget(definitions);
  if (target === undefined) return { findings: [], settled: [] };
  const finding = undecidedFinding(target, "all guardrails", `whether the guardrails hold is not decided: ${why}`, undefined);
  return { findings: [finding], settled: [finding.fingerprint] };
}

/** Where findings about guardrails are told that concern no target more than another; undefined when there is none. */
function guardrailsTarget(definitions: Definitions): TargetId | undefined {
  const targets = listTargets(definitions);
  return (targets.find(({ mode }) => mode === "apply") ?? targets[0])?.id;
}
