import type { Incident } from "../finding/incident.ts";
import { formatPosition } from "../model/note.ts";
import { fitted } from "../notify/notice.ts";
import type { Notice } from "../notify/notice.ts";
import { code, mute } from "../ground/inert.ts";

/** Forges take at most 255 (Gitea) or 256 (GitHub) characters. */
const MAX_TITLE = 250;
/** GitHub takes 65,536 characters. */
const MAX_BODY_BYTES = 60_000;
/** Targets that an issue lists besides the first. */
const MOST_LISTED = 128;

/** Title of an issue: decision first. One line, inert: titles are not Markdown, yet forges find `@name` and `#1` in them. */
export function issueTitle({ incidents, targets }: Notice): string {
  const [first] = incidents;
  if (first === undefined) return "Firebreak finding";
  const { target, summary } = first.finding;
  return mute(`${target}${targets > 1 ? ` and ${targets - 1} more` : ""}: ${summary}`, MAX_TITLE);
}

/** Labels of an issue: that it is ours, how grave it is, what kinds of findings are in it. */
export function issueLabels({ severity, incidents }: Notice): readonly string[] {
  const kinds = new Set(incidents.map(({ finding }) => finding.kind));
  return ["firebreak", `${OUR_LABELS}${severity}`, ...[...kinds].sort().map((kind) => `${OUR_LABELS}${kind}`)];
}

/** Labels that begin so are ours to take away. */
export const OUR_LABELS = "firebreak/";

/** Hidden first line of an issue: finds it again when every memory of it is lost. */
export function issueMarker(group: string): string {
  return `<!-- firebreak incident ${group} -->`;
}

/**
 * Body of an issue in Markdown: what opens and closes, then the reason, then the proof; further targets with the same cause in a list.
 *
 * Everything that came from outside stands in a code span, so that no name can mention people, draw a link or close a fence.
 */
export function issueBody(notice: Notice): string {
  return fitted(MAX_BODY_BYTES, (most) => bodyWith(notice, most), MOST_LISTED);
}

function bodyWith(notice: Notice, most: number): string {
  const [first, ...others] = notice.incidents;
  if (first === undefined) return `${issueMarker(notice.group)}\n`;
  const lines = [
    issueMarker(notice.group),
    `**${HEADLINE[notice.as]}** ${code(first.finding.summary)}`,
    "",
    ...factsOf(first),
    ...othersOf(others, most),
    ...(notice.ended.length === 0 ? [] : ["", `${notice.ended.length} more of this cause ended.`]),
  ];
  return `${lines.join("\n")}\n`;
}

/** Our own words; whatever names somebody else chose follows in a code span. */
const HEADLINE = { message: "Found.", edit: "Found.", resolved: "Resolved." } as const satisfies Record<Notice["as"], string>;

function factsOf(incident: Incident): readonly string[] {
  const { finding } = incident;
  return [
    ...connectionLines("Opens", finding.effect.opened),
    ...connectionLines("Closes", finding.effect.closed),
    ...connectionLines("Stays open", finding.effect.stays ?? []),
    `| | |`,
    `|---|---|`,
    row("Target", finding.target),
    row("What", finding.subject),
    row("Kind", finding.kind),
    row("Severity", finding.severity),
    row("Written by", finding.who ?? "unknown"),
    ...(finding.at === undefined ? [] : [row("Definition", formatPosition(finding.at))]),
    row("Compared with commit", incident.commit ?? "none"),
    row("First seen", incident.firstSeen),
    row("Last seen", incident.lastSeen),
    ...(incident.resolvedAt === undefined ? [] : [row("Resolved", incident.resolvedAt)]),
    row("Repairs", String(incident.heals)),
    ...(finding.adoption?.kind === "unsayable" ? [row("No pull request", finding.adoption.why)] : []),
    row("Fingerprint", finding.fingerprint),
  ];
}

function othersOf(others: readonly Incident[], most: number): readonly string[] {
  if (others.length === 0) return [];
  const shown = others.slice(0, most);
  return [
    "",
    `The same on ${others.length} more:`,
    "",
    "| Target | Severity | First seen | Fingerprint |",
    "|---|---|---|---|",
    ...shown.map(({ finding, firstSeen }) => {
      const cells = [finding.target, finding.severity, firstSeen, finding.fingerprint];
      return `| ${cells.map((cell) => code(cell, 200)).join(" | ")} |`;
    }),
    ...(others.length > shown.length ? ["", `And ${others.length - shown.length} more; \`firebreak findings\` lists all.`] : []),
  ];
}

function connectionLines(title: string, connections: readonly string[]): readonly string[] {
  if (connections.length === 0) return [];
  return [`${title}:`, "", ...connections.map((connection) => `- ${code(connection)}`), ""];
}

function row(name: string, value: string): string {
  return `| ${name} | ${code(value)} |`;
}
