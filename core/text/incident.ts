import type { Incident } from "../drift/incident.ts";
import { formatPosition } from "../model/note.ts";

/** Longest text taken from a live object; the rest is cut, since names are written by strangers. */
const MAX_FIELD = 300;

/** Title of an issue: decision first. One line, inert. */
export function incidentTitle({ finding }: Incident): string {
  return plain(`${finding.target}: ${finding.summary}`);
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
    `**${headline(incident)}**`,
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

function headline({ event, finding }: Incident): string {
  const state = event === "resolved" ? "Resolved. " : "";
  return `${state}${escapeMarkdown(plain(finding.summary))}`;
}

function connectionLines(title: string, connections: readonly string[]): readonly string[] {
  if (connections.length === 0) return [];
  return [`${title}:`, "", ...connections.map((connection) => `- ${code(connection)}`), ""];
}

function row(name: string, value: string): string {
  return `| ${name} | ${code(value)} |`;
}

/** A code span that its content cannot end: no backquotes, no pipes, one line, bounded. */
function code(text: string): string {
  return `\`${plain(text).replaceAll("`", "'").replaceAll("|", "¦")}\``;
}

function plain(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is being removed
  const oneLine = text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, " ");
  return oneLine.length > MAX_FIELD ? `${oneLine.slice(0, MAX_FIELD)}…` : oneLine;
}

function escapeMarkdown(text: string): string {
  return text.replaceAll(/[\\`*_{}[\]()#+!|<>~@&]/g, (character) => `&#${character.codePointAt(0)};`);
}
