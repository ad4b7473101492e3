import { shortEffect } from "../finding/effect-lines.ts";
import type { Incident } from "../finding/incident.ts";
import { formatPosition } from "../model/note.ts";

/** One incident in messages for machines; a stable contract. */
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
      effect: shortEffect(finding.effect),
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
