import type { Incident, IncidentEvent } from "../drift/incident.ts";
import { formatPosition } from "../model/note.ts";
import { code, mute } from "./inert.ts";

/** Forges take at most 255 (Gitea) or 256 (GitHub) characters. */
const MAX_TITLE = 250;

/** Title of an issue: decision first. One line, inert: titles are not Markdown, yet forges find `@name` and `#1` in them. */
export function incidentTitle({ finding }: Incident): string {
  return mute(`${finding.target}: ${finding.summary}`, MAX_TITLE);
}

/**
 * Body of an issue in Markdown: what opens and closes, then the reason, then the proof.
 *
 * Everything that came from outside stands in a code span, so that no name can mention people, draw a link or close a fence.
 */
export function incidentBody(incident: Incident): string {
  const { finding } = incident;
  const lines = [
    incidentMarker(finding.fingerprint),
    `**${HEADLINE[incident.event]}** ${code(finding.summary)}`,
    "",
    ...connectionLines("Opens", finding.effect.opened),
    ...connectionLines("Closes", finding.effect.closed),
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
    row("Fingerprint", finding.fingerprint),
  ];
  return `${lines.join("\n")}\n`;
}

/** Hidden first line of an issue: finds it again when every memory of it is lost. */
export function incidentMarker(fingerprint: string): string {
  return `<!-- firebreak finding ${fingerprint} -->`;
}

/** The JSON message of the webhook; a stable contract. */
export function incidentMessage(incident: Incident): Readonly<Record<string, unknown>> {
  const { finding } = incident;
  return {
    type: `finding.${incident.event}`,
    timestamp: incident.resolvedAt ?? incident.lastSeen,
    data: {
      fingerprint: finding.fingerprint,
      kind: finding.kind,
      severity: finding.severity,
      target: finding.target,
      subject: finding.subject,
      summary: finding.summary,
      effect: finding.effect,
      who: finding.who ?? null,
      at: finding.at === undefined ? null : formatPosition(finding.at),
      commit: incident.commit ?? null,
      firstSeen: incident.firstSeen,
      lastSeen: incident.lastSeen,
      resolvedAt: incident.resolvedAt ?? null,
      heals: incident.heals,
    },
  };
}

/** Our own words; whatever names somebody else chose follows in a code span. */
const HEADLINE = { opened: "Found.", updated: "Changed.", resolved: "Resolved." } as const satisfies Record<IncidentEvent, string>;

function connectionLines(title: string, connections: readonly string[]): readonly string[] {
  if (connections.length === 0) return [];
  return [`${title}:`, "", ...connections.map((connection) => `- ${code(connection)}`), ""];
}

function row(name: string, value: string): string {
  return `| ${name} | ${code(value)} |`;
}
