import { createTransport } from "nodemailer";
import { FirebreakError } from "../../core/ground/error.ts";
import type { Channel } from "../../core/notify/channel.ts";
import { fitted, noticeKey, shownIncidents } from "../../core/notify/notice.ts";
import type { Notice } from "../../core/notify/notice.ts";
import { html, mailText, mute } from "../../core/ground/inert.ts";
import { incidentFacts, moreIncidents, noticeHeadline } from "../../core/text/notice.ts";

export interface EmailOptions {
  /** `smtp://HOST:PORT` or `smtps://USER:PASSWORD@HOST`; a secret. */
  readonly smtp: string;
  readonly from: string;
  readonly to: readonly string[];
}

const TIMEOUT_MS = 20_000;
/** Of each of the two bodies. */
const MAX_BYTES = 256 * 1024;

/**
 * Mail over SMTP. All mails of a group are one thread: they refer to the first one's Message-ID (RFC 5322 §3.6.4), and every
 * Message-ID is the telling's key, by which many mail systems drop repeats.
 */
export function openEmail(options: EmailOptions): Channel {
  const domain = options.from.split("@").at(-1)?.replace(/>$/, "") ?? "firebreak.invalid";
  const transport = createTransport(options.smtp, { from: options.from });
  const idOf = (key: string) => `<${key}@${domain}>`;

  function mailOf(notice: Notice, first: string | undefined) {
    return {
      from: options.from,
      to: [...options.to],
      subject: `[firebreak] ${mute(notice.title, 150)}`,
      messageId: idOf(noticeKey(notice)),
      ...(first === undefined ? {} : { inReplyTo: first, references: [first] }),
      text: fitted(MAX_BYTES, (most) => textOf(notice, most)),
      html: fitted(MAX_BYTES, (most) => htmlOf(notice, most)),
      headers: { "X-Firebreak-Group": notice.group, "Auto-Submitted": "auto-generated" },
      disableFileAccess: true,
      disableUrlAccess: true,
    };
  }

  return {
    capabilities: { edit: false, thread: true, resolve: true, maxBytes: MAX_BYTES },
    async send(notice, { ref }, signal) {
      signal.throwIfAborted();
      try {
        await within(transport.sendMail(mailOf(notice, ref)), AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]));
      } catch (cause) {
        throw failureOf(cause);
      }
      return ref ?? idOf(noticeKey(notice));
    },
    preview(notice) {
      const { subject, text, html: markup, messageId, from, to, headers } = mailOf(notice, undefined);
      const named = { From: from, To: to.join(", "), Subject: subject, "Message-ID": messageId, ...headers };
      return { to: `mail to ${to.join(", ")}`, headers: named, body: `${text}\n\nThe same as HTML:\n\n${markup}` };
    },
  };
}

/** SMTP's replies from 500 on are for good (RFC 5321 §4.2.1); 535 and its kin are about who we are. */
function failureOf(cause: unknown): FirebreakError {
  const { code, responseCode = 0 } = cause instanceof Error ? (cause as { code?: unknown; responseCode?: number }) : {};
  const kind = code === "EAUTH" ? "AUTH_DENIED" : responseCode >= 500 ? "CHANNEL_REFUSED" : "CHANNEL_FAILED";
  return new FirebreakError(kind, "send an alert by mail", { cause });
}

/** nodemailer takes no signal; a mail that is on its way when we stop waiting may still arrive, and its id drops the repeat. */
async function within<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function textOf(notice: Notice, most: number): string {
  const lines = [noticeHeadline(notice), ""];
  for (const incident of shownIncidents(notice, most).shown) {
    lines.push(mailText(incident.finding.summary));
    for (const connection of incident.finding.effect.opened) lines.push(`  opens  ${mailText(connection)}`);
    for (const connection of incident.finding.effect.closed) lines.push(`  closes ${mailText(connection)}`);
    for (const connection of incident.finding.effect.stays ?? []) lines.push(`  stays open ${mailText(connection)}`);
    for (const [name, value] of incidentFacts(incident)) lines.push(`  ${name}: ${mailText(value)}`);
    lines.push("");
  }
  return [...lines, ...[moreIncidents(notice, most)].filter((more) => more !== undefined)].join("\n");
}

function htmlOf(notice: Notice, most: number): string {
  const blocks = shownIncidents(notice, most).shown.map((incident) => {
    const { finding } = incident;
    const rows = incidentFacts(incident).map(([name, value]) => `<tr><th align="left">${name}</th><td>${html(value)}</td></tr>`);
    const effects = [
      ...finding.effect.opened.map((connection) => `<li>opens <code>${html(connection)}</code></li>`),
      ...finding.effect.closed.map((connection) => `<li>closes <code>${html(connection)}</code></li>`),
      ...(finding.effect.stays ?? []).map((connection) => `<li>stays open <code>${html(connection)}</code></li>`),
    ];
    return `<p><b>${html(finding.summary)}</b></p><ul>${effects.join("")}</ul><table>${rows.join("")}</table>`;
  });
  const more = moreIncidents(notice, most);
  return `<p>${noticeHeadline(notice)}</p>${blocks.join("")}${more === undefined ? "" : `<p>${more}</p>`}`;
}
