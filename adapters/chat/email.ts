import { createTransport } from "nodemailer";
import { FirebreakError } from "../../core/model/error.ts";
import type { Channel } from "../../core/notify/channel.ts";
import { noticeKey, shownIncidents } from "../../core/notify/notice.ts";
import type { Notice } from "../../core/notify/notice.ts";
import { html, mute, plain } from "../../core/text/inert.ts";
import { incidentFacts, moreIncidents, noticeHeadline } from "../../core/text/notice.ts";

export interface EmailOptions {
  /** `smtp://HOST:PORT` or `smtps://USER:PASSWORD@HOST`; a secret. */
  readonly smtp: string;
  readonly from: string;
  readonly to: readonly string[];
}

const TIMEOUT_MS = 20_000;

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
      text: textOf(notice),
      html: htmlOf(notice),
      headers: { "X-Firebreak-Group": notice.group, "Auto-Submitted": "auto-generated" },
      disableFileAccess: true,
      disableUrlAccess: true,
    };
  }

  return {
    capabilities: { edit: false, thread: true, resolve: true, maxBytes: 256 * 1024 },
    async send(notice, { ref }, signal) {
      signal.throwIfAborted();
      try {
        await within(transport.sendMail(mailOf(notice, ref)), AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]));
      } catch (cause) {
        const isDenied = cause instanceof Error && "code" in cause && cause.code === "EAUTH";
        throw new FirebreakError(isDenied ? "AUTH_DENIED" : "CHANNEL_FAILED", "send an alert by mail", { cause });
      }
      return ref ?? idOf(noticeKey(notice));
    },
    preview: (notice) => {
      const { subject, text } = mailOf(notice, undefined);
      return { to: `mail to ${options.to.join(", ")}`, body: `Subject: ${subject}\n\n${text}` };
    },
  };
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

function textOf(notice: Notice): string {
  const lines = [noticeHeadline(notice), ""];
  for (const incident of shownIncidents(notice).shown) {
    lines.push(plain(incident.finding.summary));
    for (const connection of incident.finding.effect.opened) lines.push(`  opens  ${plain(connection)}`);
    for (const connection of incident.finding.effect.closed) lines.push(`  closes ${plain(connection)}`);
    for (const [name, value] of incidentFacts(incident)) lines.push(`  ${name}: ${plain(value)}`);
    lines.push("");
  }
  return [...lines, ...[moreIncidents(notice)].filter((more) => more !== undefined)].join("\n");
}

function htmlOf(notice: Notice): string {
  const blocks = shownIncidents(notice).shown.map(({ ...incident }) => {
    const { finding } = incident;
    const rows = incidentFacts(incident).map(([name, value]) => `<tr><th align="left">${name}</th><td>${html(value)}</td></tr>`);
    const effects = [
      ...finding.effect.opened.map((connection) => `<li>opens <code>${html(connection)}</code></li>`),
      ...finding.effect.closed.map((connection) => `<li>closes <code>${html(connection)}</code></li>`),
    ];
    return `<p><b>${html(finding.summary)}</b></p><ul>${effects.join("")}</ul><table>${rows.join("")}</table>`;
  });
  const more = moreIncidents(notice);
  return `<p>${noticeHeadline(notice)}</p>${blocks.join("")}${more === undefined ? "" : `<p>${more}</p>`}`;
}
