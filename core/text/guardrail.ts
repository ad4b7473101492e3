import type { EndAnswer } from "../explain/end.ts";
import type { ClaimResult, GuardrailResult, Violation } from "../guardrail/results.ts";
import { resultsOf, standingOf, type Standing, type TestReport } from "../guardrail/report.ts";
import type { Hop } from "../guardrail/witness.ts";
import { BASIS } from "./basis.ts";
import { formatPosition, type Note, type Position } from "../model/note.ts";
import { visible } from "./visible.ts";

/** `eu shop/web[Deployment] → eu shop/db[StatefulSet]: 5432/tcp (3 to 1 workloads), not yet enforced`. */
export function formatViolation({ from, to, ports, counts, notYetEnforced, witness }: Violation): string {
  const through = witness.slice(0, -1).map((hop) => hop.to);
  const path = [from, ...through, to].join(" → ");
  const many = counts.from > 1 || counts.to > 1 ? ` (${counts.from} to ${counts.to} workloads)` : "";
  return `${visible(path)}: ${ports}${many}${notYetEnforced ? ", not yet enforced" : ""}`;
}

/** What lets a way through, at both ends of every hop; one line each, most telling first. */
export function formatWitness(hops: readonly Hop[]): readonly string[] {
  return hops.flatMap((hop) => [
    ...(hops.length > 1 ? [`${visible(hop.from)} → ${visible(hop.to)}: ${hop.ports}`] : []),
    ...hop.ends.map((end) => `${hops.length > 1 ? "  " : ""}${formatEnd(end)}`),
  ]);
}

/** One end in a line: `ingress  allowed by order-flow/0 (policies/order-flow.yaml:7)`. Places that the sentence names are not repeated. */
export function formatEnd({ direction, text, rules, segments, uncertain }: EndAnswer): string {
  const parts = [...rules, ...segments].flatMap(({ name, at }) => {
    if (at === null || text.includes(`${at.file}:${at.line}`)) return [];
    return [`${visible(name)} at ${visible(formatPosition(at))}`];
  });
  const places = parts.length === 0 ? "" : ` (${parts.join(", ")})`;
  const doubt = uncertain.length === 0 ? "" : `; uncertain: ${uncertain.map(visible).join("; ")}`;
  return `${direction.padEnd(7)}  ${visible(text)}${places}${doubt}`;
}

/** The first violation of a result in one line, for a refusal or a finding: the connection, and what lets it through or closes it. */
export function formatCause(violation: Violation): string {
  const closing = violation.witness.flatMap(({ ends }) => ends.filter(({ passes }) => !passes));
  const places = violation.witness.flatMap(({ ends }) =>
    ends.flatMap(({ direction, mode, passes, rules, segments }) => {
      if (mode === "unmanaged" || (closing.length > 0 && passes)) return [];
      if (!passes) return [`${direction} isolated${segments.map(({ name }) => ` (${visible(name)})`).join("")}`];
      if (mode === "open") return [`${direction} not isolated${segments.map(({ name }) => ` (${visible(name)})`).join("")}`];
      return rules.map(({ name, at }) => `${visible(name)}${at === null ? "" : ` at ${visible(formatPosition(at))}`}`);
    }),
  );
  const by = [...new Set(places)];
  return `${formatViolation(violation)}${by.length === 0 ? "" : `, by ${by.join(", ")}`}`;
}

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
  return [...lines, ...(lines.length === 0 ? [] : [""]), `${what}, ${BASIS[report.basis]}: ${counts.join(", ")}`].join("\n");
}

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
