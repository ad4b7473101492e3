import type { Incident } from "../finding/incident.ts";
import { formatPosition } from "../model/note.ts";
import { noticeKey, shownIncidents } from "../notify/notice.ts";
import type { Notice } from "../notify/notice.ts";
import { incidentMessage } from "./incident.ts";

/** The facts of one incident, in the order people want them; values are raw. */
export function incidentFacts({ finding, ...incident }: Incident): readonly (readonly [string, string])[] {
  return [
    ["Target", finding.target],
    ["What", finding.subject],
    ["Written by", finding.who ?? "unknown"],
    ...(finding.at === undefined ? [] : [["Definition", formatPosition(finding.at)] as const]),
    ["Since", incident.firstSeen],
    ...(incident.resolvedAt === undefined ? [] : [["Resolved", incident.resolvedAt] as const]),
    ["Repairs", String(incident.heals)],
    ...(finding.adoption?.kind === "unsayable" ? [["No pull request", finding.adoption.why] as const] : []),
  ];
}

/** Connections of one incident that a chat shows on each side. */
const MOST_CONNECTIONS = 5;

/** What an incident opens, closes and leaves open beside it, the first few of each; a connection is raw, how many more there are is our own words. */
export function incidentConnections({
  finding,
}: Incident): readonly { readonly verb: "opens" | "closes" | "stays open"; readonly what: string }[] {
  const { opened, closed, stays = [] } = finding.effect;
  return [
    ...opened.slice(0, MOST_CONNECTIONS).map((what) => ({ verb: "opens", what }) as const),
    ...closed.slice(0, MOST_CONNECTIONS).map((what) => ({ verb: "closes", what }) as const),
    ...stays.slice(0, MOST_CONNECTIONS).map((what) => ({ verb: "stays open", what }) as const),
  ];
}

/** How many connections {@link incidentConnections} leaves out; undefined: none. */
export function moreConnections({ finding }: Incident): string | undefined {
  const { opened, closed, stays = [] } = finding.effect;
  const more = [opened, closed, stays].reduce((sum, lines) => sum + Math.max(0, lines.length - MOST_CONNECTIONS), 0);
  return more === 0 ? undefined : `and ${more} more ${more === 1 ? "line" : "lines"}: firebreak findings`;
}

/** How many incidents a notice does not show when it shows `most`; undefined: it shows all. */
export function moreIncidents(notice: Notice, most?: number): string | undefined {
  const { more } = shownIncidents(notice, most);
  return more > 0 ? `and ${more} more ${more === 1 ? "finding" : "findings"} of the same group` : undefined;
}

/** One line on what the notice is, our own words only. */
export function noticeHeadline({ as, severity, incidents, ended, targets }: Notice): string {
  const state = as === "resolved" ? "Resolved" : `Severity ${severity}`;
  const count = `${incidents.length} ${incidents.length === 1 ? "finding" : "findings"}`;
  const over = ended.length === 0 ? "" : `; ${ended.length} more ended`;
  return `${state}: ${count} on ${targets} ${targets === 1 ? "target" : "targets"}${over}`;
}

/** Findings that one JSON message lists; `total` counts all. */
export const MOST_IN_JSON = 200;

/** The JSON message for machines; a stable contract. `key` names this telling: a receiver drops repeats by it. */
export function noticeMessage(notice: Notice, most: number = MOST_IN_JSON): Readonly<Record<string, unknown>> {
  const type = { message: "incident.opened", edit: "incident.updated", resolved: "incident.resolved" }[notice.as];
  return {
    type,
    timestamp: notice.incidents[0]?.resolvedAt ?? notice.incidents[0]?.lastSeen ?? null,
    data: {
      group: notice.group,
      version: notice.version,
      key: noticeKey(notice),
      why: notice.why,
      severity: notice.severity,
      title: notice.title,
      total: notice.incidents.length,
      targets: notice.targets,
      findings: notice.incidents.slice(0, most).map((incident) => incidentMessage(incident)["data"]),
      endedTotal: notice.ended.length,
      ended: notice.ended.slice(0, most).map((incident) => incidentMessage(incident)["data"]),
    },
  };
}
