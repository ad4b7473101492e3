import type { ClaimResult, GuardrailResult, Violation } from "../guardrail/results.ts";
import { resultsOf, standingOf, type Standing, type TestReport } from "../guardrail/report.ts";
import { formatCause, formatViolation, formatWitness } from "../guardrail/say.ts";
import { BASIS } from "./basis.ts";
import { legendOf } from "./legend.ts";
import { formatPosition, type Note, type Position } from "../model/note.ts";
import { visible } from "../ground/visible.ts";

/** One checked claim as it is printed: outcome, claim, place, then ways. */
export function formatResult(
  result: ClaimResult & Pick<GuardrailResult, "claim" | "id" | "at">,
  word: string,
  most: number = SHOWN,
): readonly string[] {
  const { violations, why } = result;
  const ways = distinct(violations);
  return [
    `${word.padEnd(9)}  ${visible(result.id)}  ${visible(result.claim)}  (${visible(formatPosition(result.at))})`,
    ...why.map((reason) => `             ${visible(reason)}`),
    ...ways.slice(0, most).flat(),
    ...(ways.length > most ? [`  and ${ways.length - most} more`] : []),
  ];
}

/** Ways in words, each once: workloads of one name that only a label tells apart read the same. */
function distinct(violations: readonly Violation[]): readonly (readonly string[])[] {
  const blocks = violations.map((violation) => [
    `  ${formatViolation(violation)}`,
    ...formatWitness(violation.witness).map((line) => `    ${line}`),
  ]);
  return [...new Map(blocks.map((block) => [block.join("\n"), block])).values()];
}

/** Ways that are printed of one claim; all are in JSON. */
const SHOWN = 5;

const WORDS = { passed: "ok", failed: "FAILED", warning: "warning", uncertain: "uncertain" } as const satisfies Record<
  Standing,
  string
>;

/** What `firebreak test` prints: every claim in a line, what breaks it below, then how many. */
export function formatReport(report: TestReport, isFull: boolean = false): string {
  const results = resultsOf(report);
  const lines = results.flatMap((result) =>
    formatResult(result, WORDS[standingOf(result)], isFull ? Number.MAX_SAFE_INTEGER : SHOWN),
  );
  const counts = (["passed", "failed", "warning", "uncertain"] as const)
    .map((standing) => [standing, results.filter((result) => standingOf(result) === standing).length] as const)
    .filter(([standing, count]) => count > 0 || standing === "passed" || standing === "failed")
    .map(([standing, count]) => `${count} ${standing}`);
  const what = `${counted(report.guardrails.length, "claim")} of guardrails, ${counted(report.tests.length, "test")}`;
  const isUncertain = results.some((result) => standingOf(result) === "uncertain");
  return [
    ...lines,
    ...(lines.length === 0 ? [] : [""]),
    ...legendOf(lines.join("\n")),
    `${what}, ${BASIS[report.basis]}: ${counts.join(", ")}`,
    ...(isUncertain ? [UNCERTAIN] : []),
  ].join("\n");
}

/** Nobody may take an answer that is missing for a good one. */
const UNCERTAIN = "uncertain is not ok: it was neither shown to hold nor to fail, and why stands with each";

function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}

/** The line to show a result at: the first rule that lets a violation through, for that is what an edit touched; else the claim. */
export function placeOf({ violations, at }: Pick<GuardrailResult, "violations" | "at">): Position {
  const lines = violations.flatMap(({ witness }) => witness.flatMap(({ ends }) => ends.flatMap(({ rules }) => rules)));
  return lines.find((line) => line.at !== null)?.at ?? at;
}

/** What is wrong, in one line. */
export function formatFailure({ claim, violations, why }: Pick<GuardrailResult, "claim" | "violations" | "why">): string {
  const [first] = violations;
  const cause = first === undefined ? why.map(visible).join("; ") : formatCause(first);
  const others = new Set(violations.map(formatCause)).size - 1;
  return `${visible(claim)}: ${cause}${others > 0 ? `, and ${others} more` : ""}`;
}

/** Failures, warnings and uncertain claims as notes, for annotations of a pull request. */
export function reportNotes(report: TestReport): readonly Note[] {
  return resultsOf(report).flatMap((result): readonly Note[] => {
    const standing = standingOf(result);
    if (standing === "passed") return [];
    const severity = standing === "failed" ? "error" : standing === "warning" ? "warning" : "info";
    const kind = "policy" in result ? "test" : "guardrail";
    const word = standing === "uncertain" ? "uncertain" : kind === "test" ? "failed" : "violated";
    return [{ severity, code: `${kind}-${word}`, at: placeOf(result), summary: `${result.id} ${word}: ${formatFailure(result)}` }];
  });
}
