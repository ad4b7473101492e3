/** Whatever strangers write into names, labels and managers, no channel and no issue obeys it: every field, every channel, every trick. */
import { describe, expect, it } from "vitest";
import { openAlertmanager } from "../../../adapters/chat/alertmanager.ts";
import { openEmail } from "../../../adapters/chat/email.ts";
import { openSlackBot, openSlackWebhook } from "../../../adapters/chat/slack.ts";
import { TEMPLATES } from "../../../adapters/chat/templates.ts";
import { openWebhook } from "../../../adapters/chat/webhook.ts";
import type { Incident } from "../../../core/finding/incident.ts";
import type { Channel } from "../../../core/notify/channel.ts";
import { issueBody, issueTitle } from "../../../core/text/issue.ts";
import { calm, html, mailText, mute, slackCode } from "../../../core/ground/inert.ts";
import { HOSTILE, incident } from "../../support/incidents.ts";
import { notice } from "../../support/notices.ts";

const ATTACKS = [
  ...HOSTILE,
  "<!channel> <!here|x> <!subteam^S1> <@U123> <#C1>",
  "@everyone @here @channel @all",
  "<https://evil.test|click> [a](https://evil.test) ![a](x) <javascript:alert(1)>",
  "*bold* _it_ ~~gone~~ ||hidden|| > quote",
  '"}]}],"text":"<!channel>"',
  "x\r\nBcc: evil@evil.test\r\n\r\nbody",
  '"><img src=x onerror=alert(1)> <a href="https://evil.test">x</a> <style>*{display:none}</style>',
  "--> <details open> <summary>x</summary> </table>",
  "\u2066left\u2069 \u200f\u061c \u0085 \u2029",
  "{{ .Labels.secret }} ${x} %s %n $(id)",
];

type FindingFields = Incident["finding"];

/** Every field that somebody else chooses. */
const FIELDS: Readonly<Record<string, (text: string) => Partial<FindingFields>>> = {
  target: (text) => ({ target: `cluster/${text}` }),
  subject: (subject) => ({ subject }),
  summary: (summary) => ({ summary }),
  who: (who) => ({ who }),
  opens: (text) => ({ effect: { verdict: "opens", opened: [text, text], closed: [] } }),
  closes: (text) => ({ effect: { verdict: "closes", opened: [], closed: [text, text] } }),
  definition: (file) => ({ at: { file, line: 1, column: 1 } }),
};

function noticeWith(field: string, text: string) {
  const one = incident(FIELDS[field]?.(text));
  return notice({}, [one, one]);
}

const UNSEEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;

/** Text that a chat reads as Markdown, and finds mentions, links and emoji in. */
function expectCalm(text: string): void {
  expect(text).not.toMatch(/[@#<>`*~|\\[\]&]/);
  expect(text).not.toMatch(/:\/\/|\bwww\./i);
  expect(text).not.toMatch(/:[a-z+][a-z0-9_+-]*:/i);
  expect(text).not.toMatch(UNSEEN);
  expect(text.isWellFormed()).toBe(true);
}

/** Slack's mrkdwn: control sequences need brackets, and what is outside of code spans is ours. */
function expectSlack(text: string): void {
  expect(text).not.toMatch(/[<>]|&(?!(amp|lt|gt);)/);
  expect(text).not.toMatch(UNSEEN);
  for (const line of text.split("\n")) expectOurs(line.replaceAll(/`[^`]+`/g, ""));
}

/** Markdown of a forge: what is outside of code spans is ours. */
function expectMarkdown(body: string): void {
  expect(body).not.toMatch(UNSEEN);
  const [marker, ...lines] = body.split("\n");
  expect(marker).toMatch(/^<!-- firebreak incident [0-9a-f]{16} -->$/);
  for (const line of lines) expectOurs(line.replaceAll(/`[^`]+`/g, ""));
}

function expectOurs(rest: string): void {
  expect(rest).toMatch(/^[A-Za-z0-9 :*.,|-]*$/);
  expect(rest).not.toMatch(/evil|everyone|here|script|www/);
}

function expectMail({ headers, body }: ReturnType<Channel["preview"]>): void {
  for (const value of Object.values(headers)) expect(value).not.toMatch(/[\r\n]/);
  expect(headers["Subject"]).toMatch(/^\[firebreak\] /);
  expect(headers["Subject"]).not.toMatch(/[@<>]/);
  expect(Object.keys(headers)).not.toContain("Bcc");
  const [text = "", markup = ""] = body.split("The same as HTML:");
  expect(text).not.toMatch(/@|:\/\/|\bwww\./i);
  expect(text).not.toMatch(UNSEEN);
  const tags = markup.match(/<[^>]*>/g) ?? [];
  for (const tag of tags) expect(tag).toMatch(/^<\/?(p|b|ul|li|code|table|tr|td|th( align="left")?)>$/);
  expect(markup.replaceAll(/<[^>]*>/g, "")).not.toMatch(/[<>"']|:\/\//);
}

/** Every string inside a body but those that the format itself asks for. */
function strings(value: unknown): readonly string[] {
  if (typeof value === "string") return /^(http:\/\/adaptivecards\.io\/|application\/)/.test(value) ? [] : [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(strings) : [];
}

const webhook = (template: (typeof TEMPLATES)[number]) =>
  openWebhook({ url: "https://chat.test/s3cret", secret: undefined, signature: "hmac", template });

const CHANNELS: Readonly<Record<string, readonly [Channel, (preview: ReturnType<Channel["preview"]>) => void]>> = {
  "slack webhook": [openSlackWebhook({ webhook: "https://hooks.slack.test/s3cret" }), expectBlocks],
  "slack bot": [openSlackBot({ token: "xoxb-s3cret", channel: "C1" }), expectBlocks],
  alertmanager: [
    openAlertmanager({ url: "http://127.0.0.1:9" }),
    ({ body }) => {
      for (const { labels, annotations } of JSON.parse(body) as { labels: object; annotations: object }[])
        for (const text of strings([labels, annotations])) expectCalm(text);
    },
  ],
  email: [openEmail({ smtp: "smtp://u:s3cret@127.0.0.1:9", from: "f@example.test", to: ["a@example.test"] }), expectMail],
  ...Object.fromEntries(
    TEMPLATES.filter((name) => name !== "json").map((template) => [
      template,
      [
        webhook(template),
        ({ body }: ReturnType<Channel["preview"]>) => {
          for (const text of strings(JSON.parse(body))) expectCalm(text);
        },
      ] as const,
    ]),
  ),
};

function expectBlocks({ body }: ReturnType<Channel["preview"]>): void {
  const { text, blocks, ...rest } = JSON.parse(body) as { text: string; blocks: { type: string; text?: { text: string } }[] };
  expect(text).not.toMatch(/[<>@#`]/);
  expect(blocks.map(({ type }) => type)).toEqual(["header", "context", "section", "section"]);
  expect(blocks[0]?.text?.text).not.toMatch(/[<>@#`]/);
  for (const { type, text: part } of blocks) if (type === "section") expectSlack(part?.text ?? "");
  expect(rest).toMatchObject({ link_names: false, unfurl_links: false, parse: "none" });
}

describe.each(Object.entries(CHANNELS))("%s", (_name, [channel, expectInert]) => {
  it.each(Object.keys(FIELDS))("%s: shown, never obeyed", (field) => {
    for (const attack of ATTACKS) {
      const preview = channel.preview(noticeWith(field, attack));
      expectInert(preview);
      expect(JSON.stringify(preview)).not.toContain("s3cret");
    }
  });
});

describe("issues", () => {
  it.each(Object.keys(FIELDS))("%s: shown, never obeyed", (field) => {
    for (const attack of ATTACKS) {
      expectMarkdown(issueBody(noticeWith(field, attack)));
      const title = issueTitle(noticeWith(field, attack));
      expect(title).not.toMatch(/[@#`<>]/);
      expect(title).not.toMatch(UNSEEN);
    }
  });
});

describe("our own JSON", () => {
  it.each(Object.keys(FIELDS))("%s: whole for machines, whatever is in it", (field) => {
    for (const attack of ATTACKS) {
      const { body } = webhook("json").preview(noticeWith(field, attack));
      expect(JSON.parse(body)).toMatchObject({ type: "incident.opened", data: { total: 2 } });
    }
  });
});

describe("limits", () => {
  const effect = { verdict: "both" as const, opened: Array(20).fill("ö".repeat(290)), closed: Array(20).fill("&".repeat(290)) };
  const many = notice(
    {},
    Array.from({ length: 1_000 }, (_, index) => incident({ fingerprint: String(index), summary: "ü".repeat(290), effect })),
  );

  it.each(TEMPLATES)(
    "%s stays below what its receiver takes, and says how many more there are (the bug: refused for its length)",
    (template) => {
      const channel = webhook(template);
      const body = JSON.stringify(JSON.parse(channel.preview(many).body));
      expect(Buffer.byteLength(body)).toBeLessThanOrEqual(channel.capabilities.maxBytes);
      expect(body).toMatch(/"total":1000|and \d+ more/);
    },
  );

  it("Slack's sections are cut at the end of a line, never inside a code span", () => {
    const { blocks } = JSON.parse(openSlackBot({ token: "x", channel: "C1" }).preview(many).body) as {
      blocks: readonly { readonly type: string; readonly text?: { readonly text: string } }[];
    };
    expect(blocks.length).toBeLessThanOrEqual(50);
    for (const { type, text } of blocks) {
      if (type !== "section") continue;
      expect(text?.text.length).toBeLessThan(3_000);
      expectSlack(text?.text ?? "");
    }
  });

  it("Discord's own switch against mentions is set, and its bound kept", () => {
    const body = JSON.parse(webhook("discord").preview(many).body) as { readonly content: string };
    expect(body).toMatchObject({ allowed_mentions: { parse: [] } });
    expect(body.content.length).toBeLessThanOrEqual(2_000);
  });
});

describe("Alertmanager", () => {
  it("labels are the same for ever for one finding, whatever is written elsewhere (the bug: an alert that never ends)", () => {
    const channel = openAlertmanager({ url: "http://127.0.0.1:9" });
    const labels = (who: string) =>
      (JSON.parse(channel.preview(notice({}, [incident({ who, summary: who })])).body) as { labels: object }[])[0]?.labels;
    expect(labels("a")).toEqual(labels("b"));
  });
});

describe("a field alone", () => {
  it.each(ATTACKS)("%j", (attack) => {
    expect(slackCode(attack)).toMatch(/^`[^`<>\n]+`$/);
    expect(mute(attack)).not.toMatch(/[@<>`#\n]/);
    expect(html(attack)).not.toMatch(/[<>"']/);
    expect(mailText(attack)).not.toMatch(/[@\n]|:\/\//);
    expectCalm(calm(attack));
  });

  it("stays readable when it is an honest name", () => {
    expect(calm("any → shop/cust-record_v2: 8443/tcp (3 workloads)")).toBe("any → shop/cust-record_v2: 8443/tcp (3 workloads)");
    expect(calm("policies/order-flow.yaml:12:5")).toBe("policies/order-flow.yaml:12:5");
    expect(calm("2026-11-21T10:00:00.000Z")).toBe("2026-11-21T10:00:00.000Z");
  });
});
