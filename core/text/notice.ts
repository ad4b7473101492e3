import type { Incident } from "../drift/incident.ts";
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
  ];
}

/** How many incidents a notice does not show; undefined: it shows all. */
export function moreIncidents(notice: Notice): string | undefined {
  const { more } = shownIncidents(notice);
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
const MOST_IN_JSON = 200;

/** The JSON message for machines; a stable contract. `key` names this telling: a receiver drops repeats by it. */
export function noticeMessage(notice: Notice): Readonly<Record<string, unknown>> {
  const type = { message: "incident.opened", edit: "incident.updated", resolved: "incident.resolved" }[notice.as];
  return {
    type,
    timestamp: notice.incidents[0]?.resolvedAt ?? notice.incidents[0]?.lastSeen ?? null,
    data: {
      group: notice.group,
      version: notice.version,
      key: noticeKey(notice),
      severity: notice.severity,
      title: notice.title,
      total: notice.incidents.length,
      targets: notice.targets,
      findings: notice.incidents.slice(0, MOST_IN_JSON).map((incident) => incidentMessage(incident)["data"]),
      ended: notice.ended.slice(0, MOST_IN_JSON).map((incident) => incidentMessage(incident)["data"]),
    },
  };
}
