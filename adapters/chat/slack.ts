import { FirebreakError } from "../../core/model/error.ts";
import type { Channel, ChannelRef } from "../../core/notify/channel.ts";
import { noticeKey, shownIncidents } from "../../core/notify/notice.ts";
import type { Notice } from "../../core/notify/notice.ts";
import { mute, slackCode } from "../../core/text/inert.ts";
import { incidentFacts, moreIncidents, noticeHeadline } from "../../core/text/notice.ts";
import { channelUrl, post, withoutSecrets } from "./http.ts";

/** Slack's own bounds: 50 blocks a message, 3,000 characters a section. */
const MOST_BLOCKS = 50;
const MOST_TEXT = 2_900;

/** Slack through an incoming webhook: one message per telling; it cannot edit. */
export function openSlackWebhook(options: { readonly webhook: string }): Channel {
  const url = channelUrl(options.webhook, "the Slack webhook");
  return {
    capabilities: { edit: false, thread: false, resolve: true, maxBytes: 40_000 },
    async send(notice, _sending, signal) {
      const body = JSON.stringify(slackMessage(notice));
      await post(url, { headers: { "content-type": "application/json" }, body }, signal, "send an alert to Slack");
      return undefined;
    },
    preview: (notice) => ({ to: `POST ${withoutSecrets(url)}`, body: JSON.stringify(slackMessage(notice), undefined, 2) }),
  };
}

export interface SlackBotOptions {
  /** A bot token with `chat:write`; `channels:history` too, or a lost answer may tell something twice. */
  readonly token: string;
  /** Channel id. */
  readonly channel: string;
  /** API base URL; Slack's own unless a test or a proxy stands there. */
  readonly url?: string;
}

/** Where Slack's Web API is. */
const SLACK_API = "https://slack.com/api/";
/** Who wrote a message, in its metadata: found again after a lost answer. */
const EVENT_TYPE = "firebreak_notice";

/** Slack through a bot: one message per group, edited in place; what deserves attention joins its thread. */
export function openSlackBot(options: SlackBotOptions): Channel {
  const base = channelUrl(options.url ?? SLACK_API, "the Slack API's url");
  const headers = { "content-type": "application/json; charset=utf-8", authorization: `Bearer ${options.token}` };
  const { channel } = options;

  async function call(method: string, payload: object, signal: AbortSignal): Promise<SlackAnswer> {
    const answer = await post(new URL(method, base), { headers, body: JSON.stringify(payload) }, signal, `call Slack's ${method}`);
    return readAnswer(answer.text, method);
  }

  /** A message of ours with that key, in the channel or a thread; Slack has no idempotency keys. */
  async function find(key: string, thread: string | undefined, signal: AbortSignal): Promise<string | undefined> {
    const method = thread === undefined ? "conversations.history" : "conversations.replies";
    const query = { channel, limit: 100, include_all_metadata: true, ...(thread === undefined ? {} : { ts: thread }) };
    const { messages = [] } = await call(method, query, signal);
    return messages.find(({ metadata }) => metadata?.event_type === EVENT_TYPE && metadata.event_payload?.["key"] === key)?.ts;
  }

  async function say(notice: Notice, thread: string | undefined, attempt: number, signal: AbortSignal): Promise<string> {
    const key = noticeKey(notice);
    const earlier = attempt > 1 ? await find(key, thread, signal) : undefined;
    if (earlier !== undefined) return earlier;
    const metadata = { event_type: EVENT_TYPE, event_payload: { key } };
    const message = { channel, ...slackMessage(notice), metadata, ...(thread === undefined ? {} : { thread_ts: thread }) };
    const { ts } = await call("chat.postMessage", message, signal);
    if (ts === undefined) throw new FirebreakError("CHANNEL_FAILED", "post a message to Slack, which did not say where it is");
    return ts;
  }

  return {
    capabilities: { edit: true, thread: true, resolve: true, maxBytes: 40_000 },
    async send(notice, { ref, attempt }, signal): Promise<ChannelRef | undefined> {
      if (ref === undefined) return await say(notice, undefined, attempt, signal);
      try {
        await call("chat.update", { channel, ts: ref, ...slackMessage(notice) }, signal);
      } catch (error) {
        if (!isGone(error)) throw error;
        return await say(notice, undefined, attempt, signal); // a person deleted it: told anew
      }
      if (notice.as !== "edit") await say(notice, ref, attempt, signal);
      return ref;
    },
    preview: (notice) => ({
      to: `POST ${withoutSecrets(base)} chat.postMessage`,
      body: JSON.stringify({ channel, ...slackMessage(notice) }, undefined, 2),
    }),
  };
}

interface SlackAnswer {
  readonly ts?: string;
  readonly messages?: readonly {
    readonly ts: string;
    readonly metadata?: { readonly event_type?: string; readonly event_payload?: Readonly<Record<string, unknown>> };
  }[];
}

/** Slack answers 200 with `ok: false` and a word for what is wrong. */
function readAnswer(text: string, method: string): SlackAnswer {
  let answer: SlackAnswer & { readonly ok?: boolean; readonly error?: string };
  try {
    answer = JSON.parse(text) as typeof answer; // fields are optional, and only used where they are there
  } catch (cause) {
    throw new FirebreakError("CHANNEL_FAILED", `read Slack's answer to ${method}`, { cause });
  }
  if (answer.ok === true) return answer;
  const word = String(answer.error ?? "no error told");
  const cause = new Error(word);
  const isDenied = /auth|token|scope|permission|account_inactive|not_in_channel|channel_not_found/.test(word);
  throw new FirebreakError(isDenied ? "AUTH_DENIED" : "CHANNEL_FAILED", `call Slack's ${method}`, { cause });
}

function isGone(error: unknown): boolean {
  return error instanceof FirebreakError && error.cause instanceof Error && error.cause.message === "message_not_found";
}

/** Block Kit: the decision first, then each finding, then how many more. */
function slackMessage(notice: Notice): Readonly<Record<string, unknown>> {
  const title = mute(notice.title, 140);
  const section = (text: string) => ({ type: "section", text: { type: "mrkdwn", text: text.slice(0, MOST_TEXT), verbatim: true } });
  const more = moreIncidents(notice);
  const blocks = [
    { type: "header", text: { type: "plain_text", text: title, emoji: false } },
    { type: "context", elements: [{ type: "plain_text", text: noticeHeadline(notice), emoji: false }] },
    ...shownIncidents(notice).shown.flatMap((incident) => [section(incidentText(incident))]),
    ...(more === undefined ? [] : [{ type: "context", elements: [{ type: "plain_text", text: more, emoji: false }] }]),
  ];
  return {
    text: escapeSlack(title),
    blocks: blocks.slice(0, MOST_BLOCKS),
    link_names: false,
    unfurl_links: false,
    unfurl_media: false,
  };
}

function incidentText(incident: Notice["incidents"][number]): string {
  const { finding } = incident;
  return [
    slackCode(finding.summary),
    ...finding.effect.opened.slice(0, 5).map((connection) => `opens ${slackCode(connection, 200)}`),
    ...finding.effect.closed.slice(0, 5).map((connection) => `closes ${slackCode(connection, 200)}`),
    incidentFacts(incident)
      .map(([name, value]) => `${name} ${slackCode(value, 120)}`)
      .join("  "),
  ].join("\n");
}

function escapeSlack(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
