import { MAX_FIELD, mute } from "../../core/text/inert.ts";
import { incidentFacts, moreIncidents, noticeHeadline, noticeMessage } from "../../core/text/notice.ts";
import { shownIncidents } from "../../core/notify/notice.ts";
import type { Notice } from "../../core/notify/notice.ts";

/** Bodies that a signed webhook can have: our own JSON, or what a chat expects of an incoming webhook. */
export const TEMPLATES = ["json", "teams", "mattermost", "discord", "slack"] as const;
export type Template = (typeof TEMPLATES)[number];

/** The body of a notice. What strangers wrote is muted in every one: no mention, no link, no markup. */
export function bodyOf(template: Template, notice: Notice): Readonly<Record<string, unknown>> {
  switch (template) {
    case "json":
      return noticeMessage(notice);
    case "teams":
      return teamsBody(notice);
    case "mattermost":
      return { username: "Firebreak", text: textOf(notice) };
    case "discord":
      // Discord: 2,000 characters; `allowed_mentions` with nothing parsed is its own switch against mentions.
      return { username: "Firebreak", content: cut(textOf(notice), 2_000), allowed_mentions: { parse: [] } };
    case "slack":
      return { text: cut(textOf(notice), 3_000), link_names: false, unfurl_links: false, unfurl_media: false };
    default:
      return template satisfies never;
  }
}

/** Plain lines, muted; what is left of markup (bold, italics) can change how a name looks, and nothing else. */
function textOf(notice: Notice): string {
  const lines = [calm(notice.title), noticeHeadline(notice)];
  for (const incident of shownIncidents(notice).shown) {
    const { finding } = incident;
    lines.push("", calm(finding.summary));
    for (const connection of finding.effect.opened) lines.push(`opens ${calm(connection)}`);
    for (const connection of finding.effect.closed) lines.push(`closes ${calm(connection)}`);
    lines.push(
      incidentFacts(incident)
        .map(([name, value]) => `${name}: ${calm(value)}`)
        .join(" · "),
    );
  }
  const more = moreIncidents(notice);
  return [...lines, ...(more === undefined ? [] : ["", more])].join("\n");
}

/** An Adaptive Card (schema 1.4) as Microsoft Teams takes it from a workflow webhook; its text blocks know Markdown links only. */
function teamsBody(notice: Notice): Readonly<Record<string, unknown>> {
  const text = (content: string, over: object = {}) => ({ type: "TextBlock", text: content, wrap: true, ...over });
  const body = [
    text(calm(notice.title), { weight: "Bolder", color: notice.as === "resolved" ? "Good" : "Attention" }),
    text(noticeHeadline(notice), { isSubtle: true }),
    ...shownIncidents(notice).shown.flatMap((incident) => [
      text(calm(incident.finding.summary)),
      ...incident.finding.effect.opened.map((connection) => text(`opens ${calm(connection)}`)),
      ...incident.finding.effect.closed.map((connection) => text(`closes ${calm(connection)}`)),
      { type: "FactSet", facts: incidentFacts(incident).map(([title, value]) => ({ title, value: calm(value) })) },
    ]),
    ...[moreIncidents(notice)].filter((more) => more !== undefined).map((more) => text(more)),
  ];
  const card = { $schema: "http://adaptivecards.io/schemas/adaptive-card.json", type: "AdaptiveCard", version: "1.4", body };
  return { type: "message", attachments: [{ contentType: "application/vnd.microsoft.card.adaptive", content: card }] };
}

/** Muted, and without the brackets that make Markdown links, nor anything that a chat would turn into one. */
function calm(content: string): string {
  return mute(content, MAX_FIELD)
    .replaceAll("[", "⟦")
    .replaceAll("]", "⟧")
    .replaceAll(/([a-z][a-z0-9+.-]*):\/\//gi, "$1:∕∕")
    .replaceAll(/\bwww\./gi, "www․");
}

function cut(content: string, longest: number): string {
  return content.length > longest
    ? `${Array.from(content)
        .slice(0, longest - 2)
        .join("")
        .slice(0, longest - 1)}…`
    : content;
}
