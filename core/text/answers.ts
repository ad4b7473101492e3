import type { AcceptAnswer, FindingAnswer, PlanAnswer, ReconcileAnswer, ReleaseAnswer, StatusAnswer } from "../api/shapes.ts";
import { formatNotes } from "./notes.ts";
import { formatAge, formatTable } from "./table.ts";

const SHORT_COMMIT = 10;

/** What `firebreak status` prints: the repository, then a line per target. */
export function formatStatus(answer: StatusAnswer, now: number): string {
  const { revision, repository } = answer;
  const lines = [
    revision === null
      ? "revision  none yet"
      : `revision  ${revision.sequence} (${short(revision.commit)}) ${revision.subject}, in force for ${formatAge(revision.acceptedAt, now)}`,
    `git       ${repository.head === null ? "not read yet" : `head ${short(repository.head)}, read ${formatAge(repository.fetchedAt, now)} ago`}`,
  ];
  if (repository.error !== null) lines.push(`          ${repository.error.code}: ${repository.error.message}`);
  if (repository.refused !== null) {
    lines.push(`refused   ${short(repository.refused.commit)} ${repository.refused.code}: ${repository.refused.message}`);
    if (repository.refused.notes.length > 0) lines.push(formatNotes(repository.refused.notes));
  }
  const rows = answer.targets.map((target) => [
    target.target,
    target.state,
    revisionCell(target.revision, target.wanted),
    String(target.segments),
    String(target.rules),
    formatAge(target.lastReadAt, now),
    target.openFindings === 0 ? "-" : String(target.openFindings),
    target.error === null ? "" : `${target.error.code}: ${target.error.message}`,
  ]);
  lines.push("", formatTable(["target", "state", "revision", "segments", "rules", "read", "findings", ""], rows));
  return lines.join("\n");
}

function revisionCell(revision: number | null, wanted: number | null): string {
  if (revision === null) return wanted === null ? "-" : `- → ${wanted}`;
  return wanted === null || wanted === revision ? String(revision) : `${revision} → ${wanted}`;
}

/** What `firebreak findings` prints: a line each, then what each opens and closes. */
export function formatFindings(findings: readonly FindingAnswer[], now: number): string {
  if (findings.length === 0) return "no findings";
  return findings.map((finding) => formatFinding(finding, now)).join("\n\n");
}

function formatFinding(finding: FindingAnswer, now: number): string {
  const state =
    finding.resolvedAt === null
      ? `open for ${formatAge(finding.firstSeen, now)}`
      : `resolved ${formatAge(finding.resolvedAt, now)} ago`;
  const lines = [
    `${finding.fingerprint}  ${finding.severity}  ${finding.kind}  ${finding.target}  ${state}`,
    `  ${finding.summary}`,
    ...finding.effect.opened.map((connection) => `  opens   ${connection}`),
    ...finding.effect.closed.map((connection) => `  closes  ${connection}`),
  ];
  if (finding.who !== null) lines.push(`  written by ${finding.who}`);
  if (finding.at !== null) lines.push(`  defined at ${finding.at}`);
  if (finding.heals > 0)
    lines.push(
      `  healed ${finding.heals} time${finding.heals === 1 ? "" : "s"}${finding.stopped ? ", stopped: somebody writes it again and again" : ""}`,
    );
  return lines.join("\n");
}

/** What `firebreak plan` prints. */
export function formatPlans(plans: readonly PlanAnswer[]): string {
  const blocks = plans.map(formatPlan);
  const changing = plans.filter(({ steps }) => steps.length > 0).length;
  const failed = plans.filter(({ error }) => error !== undefined).length;
  blocks.push(
    `${plans.length} targets: ${changing} with changes, ${plans.length - changing - failed} without, ${failed} could not be planned`,
  );
  return blocks.join("\n\n");
}

function formatPlan(plan: PlanAnswer): string {
  const lines = [`${plan.target}${plan.mode === "plan" ? " (mode: plan, never written)" : ""}`];
  if (plan.error !== undefined) lines.push(`  ${plan.error.code}: ${plan.error.message}`);
  else if (plan.steps.length === 0) lines.push("  no changes");
  for (const connection of plan.effect.opened) lines.push(`  opens   ${connection}`);
  for (const connection of plan.effect.closed) lines.push(`  closes  ${connection}`);
  plan.steps.forEach((step, index) => lines.push(`  ${index + 1}. ${step.kind} ${step.subject}: ${step.why}`));
  for (const conflict of plan.conflicts) lines.push(`  conflict: ${conflict}`);
  if (plan.notes.length > 0) lines.push(formatNotes(plan.notes).replaceAll(/^/gm, "  "));
  return lines.join("\n");
}

/** What `firebreak release` prints before it asks, and after. */
export function formatRelease(answer: ReleaseAnswer): string {
  const lines = [
    answer.done ? `${answer.target} is released` : `releasing ${answer.target} would remove ${answer.removes.length} objects`,
  ];
  for (const object of answer.removes) lines.push(`  ${object}`);
  for (const connection of answer.effect.opened) lines.push(`  opens   ${connection}`);
  return lines.join("\n");
}

/** What `firebreak reconcile` prints. */
export function formatReconcile({ targets }: ReconcileAnswer): string {
  if (targets.length === 0) return "there is no target to reconcile";
  return [
    `asked for ${targets.length} target${targets.length === 1 ? "" : "s"}; \`firebreak status\` shows what comes of it`,
    ...targets.map((target) => `  ${target}`),
  ].join("\n");
}

/** What `firebreak accept` prints. */
export function formatAccept({ commit, accepted, sequence, message }: AcceptAnswer): string {
  if (!accepted) return `not accepted: ${message}`;
  return `accepted ${commit}${sequence === null ? "" : ` as revision ${sequence}`}`;
}

function short(commit: string): string {
  return commit.slice(0, SHORT_COMMIT);
}
