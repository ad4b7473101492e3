import type { Incident } from "../../core/finding/incident.ts";
import type { Channel } from "../../core/notify/channel.ts";
import type { Notice } from "../../core/notify/notice.ts";
import { calm } from "../../core/ground/inert.ts";
import { channelUrl, post, withoutSecrets } from "./http.ts";

/** Alerts in one request: far below 1 MiB whatever is in them. */
const MOST_ALERTS = 50;
const HEADERS = { "content-type": "application/json" };

/** Severities told last, by fingerprint: a label that changes makes another alert, and the one before must be ended. */
type Severities = Readonly<Record<string, string>>;

/**
 * Prometheus Alertmanager (API v2, `POST /api/v2/alerts`): one alert per finding, its labels the same for ever but for the severity, so
 * that Alertmanager drops repeats itself and its own routes and silences hold.
 */
export function openAlertmanager(options: { readonly url: string }): Channel {
  const base = channelUrl(options.url, "alertmanager's url");
  const url = new URL(`${base.pathname.replace(/\/+$/, "")}/api/v2/alerts`, base);
  return {
    capabilities: { edit: true, thread: false, resolve: true, maxBytes: 1024 * 1024 },
    async send(notice, { ref }, signal) {
      const before = readSeverities(ref);
      const alerts = alertsOf(notice, before);
      for (let start = 0; start < alerts.length; start += MOST_ALERTS) {
        const body = JSON.stringify(alerts.slice(start, start + MOST_ALERTS));
        await post(url, { headers: HEADERS, body }, signal, "send alerts to Alertmanager");
      }
      return JSON.stringify(severitiesAfter(notice, before));
    },
    preview: (notice) => ({
      to: `POST ${withoutSecrets(url)}`,
      headers: HEADERS,
      body: JSON.stringify(alertsOf(notice, {}), undefined, 2),
    }),
  };
}

/** `endsAt` in the future keeps an alert firing until it is told again; in the past it ends it. */
function alertsOf(notice: Notice, before: Severities): readonly object[] {
  return [...notice.incidents, ...notice.ended].flatMap((incident) => {
    const { fingerprint, severity } = incident.finding;
    const was = before[fingerprint];
    const other = was === undefined || was === severity ? [] : [alertOf(notice, incident, was, new Date(notice.at).toISOString())];
    return [...other, alertOf(notice, incident, severity, incident.resolvedAt ?? new Date(notice.validUntil).toISOString())];
  });
}

/** Calm, because Alertmanager puts annotations into its own receivers' markup as they are. */
function alertOf({ group }: Notice, { finding, firstSeen }: Incident, severity: string, endsAt: string): object {
  return {
    labels: {
      alertname: "FirebreakFinding",
      fingerprint: finding.fingerprint,
      group,
      kind: finding.kind,
      severity,
      target: calm(finding.target),
    },
    annotations: {
      summary: calm(finding.summary),
      opens: calm(finding.effect.opened.join("; ")),
      closes: calm(finding.effect.closed.join("; ")),
      staysOpen: calm((finding.effect.stays ?? []).join("; ")),
      subject: calm(finding.subject),
      who: calm(finding.who ?? "unknown"),
    },
    startsAt: firstSeen,
    endsAt,
  };
}

/** Those still open. */
function severitiesAfter(notice: Notice, before: Severities): Severities {
  const told = [...notice.incidents, ...notice.ended];
  const ended = new Set(told.filter(({ resolvedAt }) => resolvedAt !== undefined).map(({ finding }) => finding.fingerprint));
  const now = { ...before, ...Object.fromEntries(told.map(({ finding }) => [finding.fingerprint, finding.severity])) };
  return Object.fromEntries(Object.entries(now).filter(([fingerprint]) => !ended.has(fingerprint)));
}

/** What this file wrote, or nothing. */
function readSeverities(ref: string | undefined): Severities {
  return ref === undefined ? {} : (JSON.parse(ref) as Severities); // the cast: only written above
}
