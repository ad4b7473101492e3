import type { Channel } from "../../core/notify/channel.ts";
import type { Notice } from "../../core/notify/notice.ts";
import { plain } from "../../core/text/inert.ts";
import { channelUrl, post, withoutSecrets } from "./http.ts";

/**
 * Prometheus Alertmanager (API v2, `POST /api/v2/alerts`): one alert per finding, its labels the same for ever, so that Alertmanager
 * drops repeats itself and its own routes and silences hold.
 */
export function openAlertmanager(options: { readonly url: string }): Channel {
  const base = channelUrl(options.url, "alertmanager's url");
  const url = new URL(`${base.pathname.replace(/\/+$/, "")}/api/v2/alerts`, base);
  return {
    capabilities: { edit: true, thread: false, resolve: true, maxBytes: 1024 * 1024 },
    async send(notice, _sending, signal) {
      const body = JSON.stringify(alertsOf(notice));
      await post(url, { headers: { "content-type": "application/json" }, body }, signal, "send alerts to Alertmanager");
      return undefined;
    },
    preview: (notice) => ({ to: `POST ${withoutSecrets(url)}`, body: JSON.stringify(alertsOf(notice), undefined, 2) }),
  };
}

/** `endsAt` in the future keeps an alert firing until it is told again; in the past it ends it. */
function alertsOf(notice: Notice): readonly object[] {
  return [...notice.incidents, ...notice.ended].map(({ finding, ...incident }) => ({
    labels: {
      alertname: "FirebreakFinding",
      fingerprint: finding.fingerprint,
      group: notice.group,
      kind: finding.kind,
      severity: finding.severity,
      target: plain(finding.target),
    },
    annotations: {
      summary: plain(finding.summary),
      opens: plain(finding.effect.opened.join("; ")),
      closes: plain(finding.effect.closed.join("; ")),
      subject: plain(finding.subject),
      who: plain(finding.who ?? "unknown"),
    },
    startsAt: incident.firstSeen,
    endsAt: incident.resolvedAt ?? new Date(notice.validUntil).toISOString(),
  }));
}
