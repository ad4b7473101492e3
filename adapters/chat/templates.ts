import { calm } from "../../core/ground/inert.ts";
import {
  incidentConnections,
  incidentFacts,
  moreConnections,
  moreIncidents,
  MOST_IN_JSON,
  noticeHeadline,
  noticeMessage,
} from "../../core/text/notice.ts";
import { fitted, shownIncidents } from "../../core/notify/notice.ts";
import type { Notice } from "../../core/notify/notice.ts";

/** Bodies that a signed webhook can have: our own JSON, or what a chat expects of an incoming webhook. */
export const TEMPLATES = ["json", "teams", "mattermost", "discord", "slack"] as const;
export type Template = (typeof TEMPLATES)[number];

/**
 * Longest body that each takes, bytes: Teams 28 KB a message, Mattermost 16,383 characters a post, Slack 40,000 a text. Ours is bounded
 * so that a receiver's usual limit of 1 MiB is never near.
 */
export const TEMPLATE_BYTES: Readonly<Record<Template, number>> = {
  json: 256 * 1024,
  teams: 26 * 1024,
  mattermost: 15_000,
  discord: 12_000,
  slack: 12_000,
};

/** The body of a notice, JSON. What strangers wrote is muted in every one but ours: no mention, no link, no markup. */
export function bodyOf(template: Template, notice: Notice): string {
  const most = template === "json" ? MOST_IN_JSON : undefined;
  return fitted(TEMPLATE_BYTES[template], (count) => JSON.stringify(valueOf(template, notice, count)), most);
}

function valueOf(template: Template, notice: Notice, most: number): Readonly<Record<string, unknown>> {
  switch (template) {
    case "json":
      return noticeMessage(notice, most);
    case "teams":
      return teamsBody(notice, most);
    case "mattermost":
      return { username: "Firebreak", text: textOf(notice, most) };
    case "discord": {
      // Discord: 2,000 characters; `allowed_mentions` with nothing parsed is its own switch against mentions.
      const content = fitted(MOST_DISCORD, (count) => textOf(notice, count), most);
      return { username: "Firebreak", content: cut(content, MOST_DISCORD), allowed_mentions: { parse: [] } };
    }
    case "slack":
      return { text: textOf(notice, most), link_names: false, unfurl_links: false, unfurl_media: false };
    default:
      return template satisfies never;
  }
}

const MOST_DISCORD = 2_000;

/** Plain lines, muted. */
function textOf(notice: Notice, most: number): string {
  const lines = [calm(notice.title), noticeHeadline(notice)];
  for (const incident of shownIncidents(notice, most).shown) {
    lines.push("", calm(incident.finding.summary));
    for (const { verb, what } of incidentConnections(incident)) lines.push(`${verb} ${calm(what)}`);
    const facts = incidentFacts(incident).map(([name, value]) => `${name}: ${calm(value)}`);
    lines.push(...[moreConnections(incident)].filter((more) => more !== undefined), facts.join(" · "));
  }
  const more = moreIncidents(notice, most);
  return [...lines, ...(more === undefined ? [] : ["", more])].join("\n");
}

/** An Adaptive Card (schema 1.4) as Microsoft Teams takes it from a workflow webhook. */
function teamsBody(notice: Notice, most: number): Readonly<Record<string, unknown>> {
  const text = (content: string, over: object = {}) => ({ type: "TextBlock", text: content, wrap: true, ...over });
  const body = [
    text(calm(notice.title), { weight: "Bolder", color: notice.as === "resolved" ? "Good" : "Attention" }),
    text(noticeHeadline(notice), { isSubtle: true }),
    ...shownIncidents(notice, most).shown.flatMap((incident) => [
      text(calm(incident.finding.summary)),
      ...incidentConnections(incident).map(({ verb, what }) => text(`${verb} ${calm(what)}`)),
      ...[moreConnections(incident)].filter((more) => more !== undefined).map((more) => text(more)),
      { type: "FactSet", facts: incidentFacts(incident).map(([title, value]) => ({ title, value: calm(value) })) },
    ]),
    ...[moreIncidents(notice, most)].filter((more) => more !== undefined).map((more) => text(more)),
  ];
  const card = { $schema: "http://adaptivecards.io/schemas/adaptive-card.json", type: "AdaptiveCard", version: "1.4", body };
  return { type: "message", attachments: [{ contentType: "application/vnd.microsoft.card.adaptive", content: card }] };
}

function cut(content: string, longest: number): string {
  return content.length > longest
    ? `${Array.from(content)
        .slice(0, longest - 2)
        .join("")
        .slice(0, longest - 1)}…`
    : content;
}
