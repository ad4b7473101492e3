/** Whatever strangers write into names, labels and managers, no channel obeys it. */
import { describe, expect, it } from "vitest";
import { openAlertmanager } from "../../../adapters/chat/alertmanager.ts";
import { openEmail } from "../../../adapters/chat/email.ts";
import { openSlackBot, openSlackWebhook } from "../../../adapters/chat/slack.ts";
import { bodyOf, TEMPLATES } from "../../../adapters/chat/templates.ts";
import { html, mute, slackCode } from "../../../core/text/inert.ts";
import { HOSTILE, incident } from "../../support/incidents.ts";
import { notice } from "../../support/notices.ts";

/** The same words in every field that somebody else chooses. */
function hostileNotice(text: string) {
  const effect = { verdict: "opens" as const, opened: [text], closed: [text] };
  return notice({}, [
    incident({
      subject: text,
      summary: text,
      who: text,
      target: `cluster/${text}`,
      effect,
      at: { file: text, line: 1, column: 1 },
    }),
  ]);
}

/** Every string inside a body. */
function strings(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(strings) : [];
}

const ATTACKS = [
  ...HOSTILE,
  "<!channel>",
  "<!here|x>",
  "<@U123>",
  "@everyone @here",
  "<https://evil.test|click>",
  "[a](https://evil.test)",
];

describe("chats", () => {
  it.each(TEMPLATES.filter((name) => name !== "json"))("%s: mentions nobody, links nowhere, ends no line of ours", (template) => {
    for (const attack of ATTACKS) {
      for (const text of strings(bodyOf(template, hostileNotice(attack)))) {
        if (text.startsWith("http://adaptivecards.io/") || text.startsWith("application/")) continue;
        expect(text).not.toMatch(/@|<|>|`/);
        expect(text).not.toMatch(/\]\(|:\/\/|[\u0000-\u0009\u000b-\u001f\u202e\u200b]/);
      }
    }
  });

  it("Slack's blocks hold no control sequence and no unescaped bracket", () => {
    const slack = openSlackWebhook({ webhook: "https://hooks.slack.test/s3cret" });
    const bot = openSlackBot({ token: "xoxb-s3cret", channel: "C1" });
    for (const attack of ATTACKS) {
      for (const preview of [slack.preview(hostileNotice(attack)), bot.preview(hostileNotice(attack))]) {
        const body = JSON.parse(preview.body) as { readonly text: string; readonly blocks: readonly unknown[] };
        for (const text of strings([body.text, body.blocks])) expect(text).not.toMatch(/<|>/);
        expect(`${preview.to} ${preview.body}`).not.toContain("s3cret");
        expect(body.blocks.length).toBeLessThanOrEqual(50);
      }
    }
  });

  it("Discord's own switch against mentions is set, and its bound kept", () => {
    const many = notice(
      {},
      Array.from({ length: 40 }, (_, index) => incident({ fingerprint: String(index), summary: "x".repeat(290) })),
    );
    const body = bodyOf("discord", many) as { readonly content: string; readonly allowed_mentions: unknown };
    expect(body.allowed_mentions).toEqual({ parse: [] });
    expect(body.content.length).toBeLessThanOrEqual(2_000);
  });
});

describe("mail", () => {
  it("a subject is one line (the bug: a header injected by a name)", () => {
    const mail = openEmail({ smtp: "smtp://127.0.0.1:9", from: "firebreak@example.test", to: ["a@example.test"] });
    for (const attack of ["x\r\nBcc: evil@evil.test", ...ATTACKS]) {
      const [subject = "", blank] = mail.preview(hostileNotice(attack)).body.split("\n");
      expect(subject.startsWith("Subject: [firebreak] ")).toBe(true);
      expect(blank).toBe("");
    }
  });

  it("HTML is text", () => {
    for (const attack of ATTACKS) expect(html(attack)).not.toMatch(/[<>"']/);
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
  });
});
