import { FINDING_LENGTH, tellLines } from "../finding/effect-lines.ts";
import type { Finding, Severity } from "../finding/finding.ts";
import { fingerprintOf } from "../finding/fingerprint.ts";
import type { TargetId } from "../model/kinds.ts";
import { formatCause, formatViolation } from "./say.ts";
import type { GuardrailResult, Violation } from "./results.ts";

/** What a finding about one rule of a guardrail is about; with the target it is its identity. */
export function subjectOf(rule: GuardrailResult["id"]): string {
  return `guardrail ${rule}`;
}

/**
 * Findings for what is violated now, whoever did it: one for each rule and target at which the connection ends (or, where nobody manages
 * that end, begins). `planned` are targets in `mode: plan`. The first list that names a pair of rule and target tells it, so the most telling source comes first.
 */
export function guardrailFindings(
  lists: readonly (readonly GuardrailResult[])[],
  planned: ReadonlySet<TargetId> = new Set(),
): readonly Finding[] {
  const found = new Map<string, Finding>();
  for (const result of lists.flat()) {
    if (result.outcome !== "violated") continue;
    const byTarget = Map.groupBy(result.violations, ({ target }) => target);
    for (const [target, violations] of byTarget) {
      if (target === null) continue;
      const finding = findingOf(result, target, violations, planned.has(target));
      if (!found.has(finding.fingerprint)) found.set(finding.fingerprint, finding);
    }
  }
  return [...found.values()];
}

function findingOf(result: GuardrailResult, target: TargetId, violations: readonly Violation[], isPlanned: boolean): Finding {
  const { id, guardrail, claim, kind, at } = result;
  const subject = subjectOf(id);
  const [first] = violations as readonly [Violation, ...Violation[]]; // a group has one at least
  const [verdict, part] = kind === "never" ? (["opens", "opened"] as const) : (["closes", "closed"] as const);
  return {
    fingerprint: fingerprintOf("guardrail-violated", target, subject),
    kind: "guardrail-violated",
    target,
    subject,
    severity: severityOf(result, violations, isPlanned),
    summary: `guardrail ${guardrail} is violated (${claim}): ${formatCause(first)}${isPlanned ? PLANNED : ""}`,
    effect: {
      verdict,
      ...tellLines({ opened: [], closed: [], [part]: violations }, (one) => formatViolation(one), FINDING_LENGTH),
    },
    who: undefined,
    at,
    healable: false,
    widens: kind === "never",
    foreign: false,
  };
}

/** Nobody knows whether it holds, because finding out takes too much work: told, never taken for fine. */
export function undecidedFinding(target: TargetId, about: string, summary: string, at: Finding["at"]): Finding {
  const subject = `${about}, not decided`;
  return {
    fingerprint: fingerprintOf("guardrail-violated", target, subject),
    kind: "guardrail-violated",
    target,
    subject,
    severity: "high",
    summary,
    effect: { verdict: "uncertain", opened: [], closed: [] },
    who: undefined,
    at,
    healable: false,
    widens: false,
    foreign: false,
  };
}

/** Added to what concerns a target that nothing is written to. */
const PLANNED = "; this target is in `mode: plan`, so nothing is enforced there yet";

/** What is open against a guardrail that blocks is as bad as it gets; what is still to be enforced was known to be open. */
function severityOf({ severity }: GuardrailResult, violations: readonly Violation[], isPlanned: boolean): Severity {
  if (severity === "warn") return "low";
  return isPlanned || violations.every(({ notYetEnforced }) => notYetEnforced) ? "medium" : "critical";
}
