import type {
  AcceptAnswer,
  ChannelTrouble,
  FindingAnswer,
  PlanAnswer,
  ReconcileAnswer,
  ReleaseAnswer,
  RepositoryStatus,
  ServiceTrouble,
  WatchGap,
  StatusAnswer,
  TargetStatus,
} from "../api/shapes.ts";
import { cutWords, effectLines } from "./effect.ts";
import { wouldDenyWords } from "./denials.ts";
import { ERRORS, type ErrorCode } from "../ground/error.ts";
import { formatNotes } from "./notes.ts";
import { formatAge, formatTable } from "../ground/table.ts";
import { visible } from "../ground/visible.ts";

/*
 * Answers of the API as people read them: the decision first, then the reason. Subjects, names and messages were written by
 * strangers, so they pass through `visible`. `now` in ms since the epoch.
 */

const SHORT_COMMIT = 10;

/** What `firebreak status` prints: the revision, the repository, a line per target, then what keeps targets from being in sync. */
export function formatStatus(answer: StatusAnswer, now: number): string {
  const { revision, repository, targets } = answer;
  const lines = [
    revision === null
      ? "revision  none yet: every target stays as it is"
      : `revision  ${revision.sequence} (${short(revision.commit)}) ${visible(revision.subject)}, in force for ${formatAge(revision.acceptedAt, now)}`,
    ...repositoryLines(repository, now),
    ...answer.troubles.map((trouble) => troubleLine(trouble, now)),
    ...gapLines(answer.gaps),
    "",
    targets.length === 0
      ? "no targets"
      : formatTable(
          TARGET_COLUMNS,
          targets.map((target) => targetCells(target, now)),
        ),
    ...observedLines(targets),
    ...targets.flatMap((target) => settling(target, now)),
    ...targets.flatMap((target) => targetError(target, now)),
    ...channelLines(answer.channels, now),
  ];
  return lines.join("\n");
}

function troubleLine({ service, since, error }: ServiceTrouble, now: number): string {
  const text = `trouble   ${visible(service)} for ${formatAge(since, now)}: ${error.code}: ${visible(error.message)}`;
  // A newer service may have codes that this version does not know.
  return Object.hasOwn(ERRORS, error.code) ? `${text}\n          ${ERRORS[error.code as ErrorCode].means}` : text;
}

/** At most so many; the log has all. */
const GAPS_SHOWN = 3;

function gapLines(gaps: readonly WatchGap[]): readonly string[] {
  const earlier = gaps.length - GAPS_SHOWN;
  return [
    ...(earlier > 0
      ? [`unwatched ${earlier === 1 ? "once" : `${earlier} times`} before that within a day; -o json lists all`]
      : []),
    ...gaps.slice(-GAPS_SHOWN).map(({ from, until }) => `unwatched from ${from} to ${until}: what came and went then is not known`),
  ];
}

function repositoryLines({ head, fetchedAt, error, refused }: RepositoryStatus, now: number): readonly string[] {
  const lines = [`git       ${head === null ? "not read yet" : `head ${short(head)}, read ${formatAge(fetchedAt, now)} ago`}`];
  if (error !== null) lines.push(`          ${error.code}: ${visible(error.message)}`);
  if (refused === null) return lines;
  const word = refused.code === "GUARDRAIL_UNSEEN" ? "waits  " : "refused";
  lines.push(`${word}   ${refused.commit} ${refused.code}: ${visible(refused.message)}`);
  if (refused.notes.length > 0) lines.push(indent(formatNotes(refused.notes), 10));
  return lines;
}

const TARGET_COLUMNS = ["target", "state", "mode", "revision", "segments", "rules", "read", "findings"];

function targetCells(target: TargetStatus, now: number): readonly string[] {
  return [
    visible(target.target),
    target.state,
    target.mode,
    revisionCell(target.revision, target.wanted),
    String(target.segments),
    String(target.rules),
    formatAge(target.lastReadAt, now),
    target.openFindings === 0 ? "-" : String(target.openFindings),
  ];
}

function revisionCell(revision: number | null, wanted: number | null): string {
  if (revision === null) return wanted === null ? "-" : `- → ${wanted}`;
  return wanted === null || wanted === revision ? String(revision) : `${revision} → ${wanted}`;
}

function settling({ target, settlesAt }: TargetStatus, now: number): readonly string[] {
  if (settlesAt === undefined) return [];
  const left = Math.max(1, Math.ceil((Date.parse(settlesAt) - now) / 1000));
  return [
    "",
    visible(target),
    `  settling for another ${left}s: everything passes until its kernel knows which sessions are open; then it is enforced`,
  ];
}

/** One line for all hosts that observe: who asks for more has a verb. */
function observedLines(targets: readonly TargetStatus[]): readonly string[] {
  const seen = targets.flatMap(({ wouldDeny }) => (wouldDeny === null ? [] : [wouldDeny]));
  const denied = seen.filter(({ connections }) => connections > 0);
  if (denied.length === 0) return [];
  const total = denied.reduce((sum, { connections }) => sum + connections, 0);
  const words = wouldDenyWords({ total, full: denied.flatMap(({ full }) => full) });
  return ["", `observed  ${words} on ${counted(denied.length, "host")} in 7 days: \`firebreak denials\``];
}

function targetError({ target, error, nextAttemptAt }: TargetStatus, now: number): readonly string[] {
  if (error === null) return [];
  const waitMs = nextAttemptAt === null ? undefined : Date.parse(nextAttemptAt) - now;
  const again = waitMs === undefined ? "" : waitMs <= 0 ? "; tried again now" : `; tried again in ${Math.ceil(waitMs / 1000)}s`;
  return ["", `${visible(target)}`, `  ${error.code}: ${visible(error.message)}${again}`];
}

function channelLines(channels: readonly ChannelTrouble[], now: number): readonly string[] {
  return channels.flatMap(({ channel, refused, refusedSince, failing, error }) => {
    const groups = [
      ...(refused > 0
        ? [
            `refuses ${counted(refused, "group")} of findings for ${formatAge(refusedSince, now)}; mend it, then \`firebreak notify retry\``,
          ]
        : []),
      ...(failing > 0 ? [`failed to take ${counted(failing, "group")} of findings, tried again`] : []),
    ];
    const why = error === null ? "" : `\n  ${error.code}: ${visible(error.message)}`;
    return ["", `channel ${visible(channel)} ${groups.join("; ")}${why}`];
  });
}

/** What `firebreak findings` prints: each finding with what it opens and closes, then how many. */
export function formatFindings(findings: readonly FindingAnswer[], now: number, isFull: boolean = false): string {
  if (findings.length === 0) return "no findings";
  const open = findings.filter(({ resolvedAt }) => resolvedAt === null).length;
  const blocks = findings.map((finding) => formatFinding(finding, now, isFull));
  const summary = `${counted(findings.length, "finding")}, ${open} open${cutWords(findings, isFull)}`;
  return [...blocks, summary].join("\n\n");
}

function formatFinding(finding: FindingAnswer, now: number, isFull: boolean): string {
  const { who, at, heals, stopped } = finding;
  const state =
    finding.resolvedAt === null
      ? `open for ${formatAge(finding.firstSeen, now)}`
      : `resolved ${formatAge(finding.resolvedAt, now)} ago`;
  const lines = [
    `${finding.severity}  ${finding.kind}  ${visible(finding.target)}  ${state}  (${finding.fingerprint})`,
    `  ${visible(finding.summary)}`,
    ...effectLines(finding.effect, isFull, finding.target),
  ];
  if (who !== null) lines.push(`  written by ${visible(who)}`);
  if (at !== null) lines.push(`  defined at ${visible(at)}`);
  if (heals > 0) lines.push(`  healed ${counted(heals, "time")}`);
  if (stopped)
    lines.push("  healing stopped: somebody writes it again and again. `firebreak reconcile` takes it up once they stopped");
  return lines.join("\n");
}

/** What `firebreak plan` prints: per target what opens and closes, then the steps that do it, then how many targets change. */
export function formatPlans(plans: readonly PlanAnswer[], isFull: boolean = false): string {
  const changing = plans.filter(({ steps }) => steps.length > 0).length;
  const failed = plans.filter(({ error }) => error !== undefined).length;
  const unchanged = plans.length - changing - failed;
  const summary = `${counted(plans.length, "target")}: ${changing} with changes, ${unchanged} without, ${failed} could not be planned${cutWords(plans, isFull)}`;
  return [...plans.map((plan) => formatPlan(plan, isFull)), summary].join("\n\n");
}

function formatPlan({ target, mode, error, effect, steps, conflicts, notes }: PlanAnswer, isFull: boolean): string {
  const isIdle = notes.some(({ code }) => code === "not-enforcing");
  const idle = isIdle ? " (nothing enforces policies there: what closes below stays open)" : "";
  const lines = [`${visible(target)}${mode === "plan" ? " (mode: plan, never written)" : ""}${idle}`];
  if (error !== undefined) lines.push(`  ${error.code}: ${visible(error.message)}`);
  else if (steps.length === 0) lines.push("  no changes");
  else if (effect.verdict === "equivalent") lines.push("  opens and closes nothing");
  if (error === undefined) lines.push(...effectLines(effect, isFull, target));
  lines.push(...steps.map((step, index) => `  ${index + 1}. ${step.kind} ${visible(step.subject)}: ${visible(step.why)}`));
  lines.push(...conflicts.map((conflict) => `  conflict, left as it is: ${visible(conflict)}`));
  if (notes.length > 0) lines.push(indent(formatNotes(notes, { isFolded: !isFull }), 2));
  return lines.join("\n");
}

/** What `firebreak release` prints before it asks, and after. */
export function formatRelease({ target, done, removes, effect }: ReleaseAnswer, isFull: boolean = false): string {
  const objects = counted(removes.length, "object");
  const head = done ? `${visible(target)} is released, ${objects} removed` : `releasing ${visible(target)} removes ${objects}`;
  const cut = cutWords([{ effect }], isFull);
  return [
    head,
    ...removes.map((object) => `  ${visible(object)}`),
    ...effectLines(effect, isFull, target),
    ...(cut === "" ? [] : [`  ${cut.slice(2)}`]),
  ].join("\n");
}

/** What `firebreak reconcile` prints. */
export function formatReconcile({ targets }: ReconcileAnswer): string {
  if (targets.length === 0) return "there is no target to reconcile";
  const head = `asked for ${counted(targets.length, "target")}; \`firebreak status\` shows what comes of it`;
  return [head, ...targets.map((target) => `  ${visible(target)}`)].join("\n");
}

/** What `firebreak accept` prints. */
export function formatAccept({ commit, accepted, sequence, message }: AcceptAnswer): string {
  if (!accepted) return `not accepted: ${visible(message)}`;
  return `accepted ${commit}${sequence === null ? "" : ` as revision ${sequence}`}`;
}

function indent(text: string, columns: number): string {
  return text.replaceAll(/^/gm, " ".repeat(columns));
}

function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}

function short(commit: string): string {
  return commit.slice(0, SHORT_COMMIT);
}
