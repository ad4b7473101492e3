import type { Definitions } from "../model/kinds.ts";
import type { Source } from "../reach/source.ts";
import { checkGuardrails } from "./check.ts";
import type { ClaimResult, GuardrailResult, Outcome, TestResult } from "./results.ts";
import { checkTests } from "./tests.ts";

/** What workloads a check rests on: made up from the definitions, seen and saved, or seen by the running service now. */
export type Basis = "definitions" | "inventory" | "live";

/** Every guardrail and every test of a policy, checked; plain data, and the answer of `firebreak test -o json`. */
export interface TestReport {
  readonly basis: Basis;
  readonly guardrails: readonly GuardrailResult[];
  readonly tests: readonly TestResult[];
  /** What the check could not look at, each a sentence. */
  readonly gaps: readonly string[];
}

/**
 * Checks against several sources; of each claim the worst answer is kept, of equals that of the first source.
 *
 * @param overlapping made-up workloads that stand in several segments at once, asked where workloads are made up
 */
export function makeReport(
  definitions: Definitions,
  sources: readonly Source[],
  basis: Basis,
  gaps: readonly string[] = [],
  overlapping?: () => Overlapping,
): TestReport {
  const checked = sources.map((source) => ({
    guardrails: checkGuardrails(definitions, source).map((result) => (basis === "definitions" ? withoutProof(result) : result)),
    tests: checkTests(definitions, source),
  }));
  const guardrails = worstOf(checked.map((one) => one.guardrails));
  const tests = worstOf(checked.map((one) => one.tests));
  const isAsked = basis === "definitions" && [...guardrails, ...tests].some(isProof);
  if (overlapping === undefined || !isAsked) return { basis, guardrails, tests, gaps };
  const { source, gaps: untried } = overlapping();
  return {
    basis,
    guardrails: doubted(guardrails, checkGuardrails(definitions, source), untried),
    tests: doubted(tests, checkTests(definitions, source), untried),
    gaps,
  };
}

/** Made-up workloads that stand in several segments at once, and which could not be made up. */
export interface Overlapping {
  readonly source: Source;
  readonly gaps: readonly string[];
}

/** A claim that nobody reaches somebody, and that holds as far as was seen. */
function isProof(result: GuardrailResult | TestResult): boolean {
  return result.outcome === "passed" && ("kind" in result ? result.kind === "never" : result.expect === "denied");
}

/** What holds for made-up workloads that stand in one segment each, and not for those that stand in several, is undecided. */
function doubted<T extends GuardrailResult | TestResult>(
  results: readonly T[],
  overlaps: readonly T[],
  untried: readonly string[],
): readonly T[] {
  return results.map((result, index) => {
    const other = overlaps[index] as T; // the same claims
    if (!isProof(result)) return result;
    if (other.outcome === "passed") return untried.length === 0 ? result : { ...result, outcome: "uncertain", why: untried };
    return { ...other, outcome: "uncertain", why: [OVERLAP] };
  });
}

const OVERLAP =
  "undecided: a workload may stand in several of these segments at once, and then it is reached. Ask with --inventory, or the running service";

/** That somebody made up cannot be reached proves nothing: a real workload of that segment may stand in others, too (decision 0005). */
function withoutProof(result: GuardrailResult): GuardrailResult {
  if (result.kind !== "always" || result.outcome !== "violated") return result;
  return { ...result, outcome: "uncertain", why: [MADE_UP] };
}

const MADE_UP =
  "made-up workloads stand in one segment each and decide nothing about `always`: ask with --inventory, or the running service";

const BADNESS = { passed: 0, uncertain: 1, violated: 2 } as const satisfies Record<Outcome, number>;

/** Claim by claim; every list holds the same claims in the same order. */
function worstOf<T extends ClaimResult>(lists: readonly (readonly T[])[]): readonly T[] {
  const [first = [], ...others] = lists;
  return first.map((result, index) =>
    others.reduce((worst, list) => {
      const other = list[index] as T; // the same claims
      return BADNESS[other.outcome] > BADNESS[worst.outcome] ? other : worst;
    }, result),
  );
}

/** How a result is counted: a guardrail that only warns never fails a check. */
export type Standing = "passed" | "failed" | "warning" | "uncertain";

/** How one result is counted. */
export function standingOf(result: GuardrailResult | TestResult): Standing {
  if (result.outcome !== "violated") return result.outcome;
  return "severity" in result && result.severity === "warn" ? "warning" : "failed";
}

/** All results, guardrails first. */
export function resultsOf({ guardrails, tests }: TestReport): readonly (GuardrailResult | TestResult)[] {
  return [...guardrails, ...tests];
}
