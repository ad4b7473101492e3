import { FirebreakError } from "../../core/ground/error.ts";
import type { Incident } from "../../core/finding/incident.ts";
import type { Channel, ChannelRef } from "../../core/notify/channel.ts";
import { noticeKey, shownIncidents } from "../../core/notify/notice.ts";
import type { Notice } from "../../core/notify/notice.ts";
import { mute, slackCode } from "../../core/ground/inert.ts";
import { incidentConnections, incidentFacts, moreConnections, moreIncidents, noticeHeadline } from "../../core/text/notice.ts";
import { channelUrl, post, withoutSecrets } from "./http.ts";

/** Slack's own bounds: 50 blocks a message, 3,000 characters a section. */
const MOST_BLOCKS = 50;
const MOST_TEXT = 2_900;
/** Pages of 200 messages that are looked through for one of ours. */
const MOST_PAGES = 5;
/** Slack's clock may be behind ours. */
const CLOCK_SKEW_S = 300;

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
    preview: (notice) => ({
      to: `POST ${withoutSecrets(url)}`,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(slackMessage(notice), undefined, 2),
    }),
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

  /** A message of ours with that key, in the channel or a thread, since the notice was made; Slack has no idempotency keys. */
  async function find(notice: Notice, thread: string | undefined, signal: AbortSignal): Promise<string | undefined> {
    const method = thread === undefined ? "conversations.history" : "conversations.replies";
    const oldest = String(Math.floor(notice.at / 1000) - CLOCK_SKEW_S);
    const query = { channel, limit: 200, oldest, include_all_metadata: true, ...(thread === undefined ? {} : { ts: thread }) };
    let cursor = "";
    for (let page = 0; page < MOST_PAGES; page++) {
      const answer = await call(method, { ...query, ...(cursor === "" ? {} : { cursor }) }, signal);
      const found = answer.messages?.find(({ metadata }) => keyIn(metadata) === noticeKey(notice));
      cursor = answer.response_metadata?.next_cursor ?? "";
      if (found !== undefined || cursor === "") return found?.ts;
    }
    throw new FirebreakError("CHANNEL_FAILED", "look whether Slack has a message already: there are too many others");
  }

  async function say(notice: Notice, thread: string | undefined, attempt: number, signal: AbortSignal): Promise<string> {
    const earlier = attempt > 1 ? await find(notice, thread, signal) : undefined;
    if (earlier !== undefined) return earlier;
    const { ts } = await call("chat.postMessage", { channel, ...posted(notice, thread) }, signal);
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
      if (isWorthReply(notice)) await say(notice, ref, attempt, signal);
      return ref;
    },
    preview: (notice) => ({
      to: `POST ${withoutSecrets(base)} chat.postMessage`,
      headers: { ...headers, authorization: "Bearer …" },
      body: JSON.stringify({ channel, ...posted(notice, undefined) }, undefined, 2),
    }),
  };
}

/** What is only more of the same changes the message; anything else is worth a line in the thread as well. */
function isWorthReply({ as, why }: Notice): boolean {
  return as !== "edit" && why !== "more";
}

/** A new message; one in a thread that people should see is shown in the channel, too. */
function posted(notice: Notice, thread: string | undefined): Readonly<Record<string, unknown>> {
  const metadata = { event_type: EVENT_TYPE, event_payload: { key: noticeKey(notice) } };
  const inThread = thread === undefined ? {} : { thread_ts: thread, reply_broadcast: notice.as === "message" };
  return { ...slackMessage(notice), metadata, ...inThread };
}

interface Metadata {
  readonly event_type?: string;
  readonly event_payload?: Readonly<Record<string, unknown>>;
}

function keyIn(metadata: Metadata | undefined): unknown {
  return metadata?.event_type === EVENT_TYPE ? metadata.event_payload?.["key"] : undefined;
}

interface SlackAnswer {
  readonly ts?: string;
  readonly messages?: readonly { readonly ts: string; readonly metadata?: Metadata }[];
  readonly response_metadata?: { readonly next_cursor?: string };
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
  throw new FirebreakError(codeOf(word), `call Slack's ${method}`, { cause });
}

/** Words that Slack's documentation calls its own trouble; anything else will be said again to the same call. */
const PASSING = /^(internal_error|fatal_error|service_unavailable|request_timeout|team_added_to_org|no error told)$/;
const LIMITS = /^(rate_?limited|message_limit_exceeded)$/;

function codeOf(word: string): "RATE_LIMITED" | "AUTH_DENIED" | "CHANNEL_FAILED" | "CHANNEL_REFUSED" {
  if (LIMITS.test(word)) return "RATE_LIMITED";
  if (PASSING.test(word)) return "CHANNEL_FAILED";
  return /auth|token|scope|permission|account_inactive|not_in_channel|channel_not_found/.test(word)
    ? "AUTH_DENIED"
    : "CHANNEL_REFUSED";
}

/** Deleted by a person, or one that may not be edited any more. */
function isGone(error: unknown): boolean {
  const word = error instanceof FirebreakError && error.cause instanceof Error ? error.cause.message : "";
  return word === "message_not_found" || word === "edit_window_closed" || word === "cant_update_message";
}

/** Block Kit: the decision first, then each finding, then how many more. */
function slackMessage(notice: Notice): Readonly<Record<string, unknown>> {
  const title = mute(notice.title, 140);
  const section = (text: string) => ({ type: "section", text: { type: "mrkdwn", text, verbatim: true } });
  const more = moreIncidents(notice);
  const blocks = [
    { type: "header", text: { type: "plain_text", text: title, emoji: false } },
    { type: "context", elements: [{ type: "plain_text", text: noticeHeadline(notice), emoji: false }] },
    ...shownIncidents(notice).shown.map((incident) => section(incidentText(incident))),
    ...(more === undefined ? [] : [{ type: "context", elements: [{ type: "plain_text", text: more, emoji: false }] }]),
  ];
  return {
    text: escapeSlack(title),
    blocks: blocks.slice(0, MOST_BLOCKS),
    parse: "none",
    link_names: false,
    unfurl_links: false,
    unfurl_media: false,
  };
}

/** Whole lines only, so that no code span is cut open. */
function incidentText(incident: Incident): string {
  const more = moreConnections(incident);
  const lines = [
    slackCode(incident.finding.summary),
    ...incidentConnections(incident).map(({ verb, what }) => `${verb} ${slackCode(what, 200)}`),
    ...(more === undefined ? [] : [more]),
    ...incidentFacts(incident).map(([name, value]) => `${name} ${slackCode(value, 120)}`),
  ];
  let text = "";
  for (const line of lines) if (text.length + line.length < MOST_TEXT) text += text === "" ? line : `\n${line}`;
  return text;
}

function escapeSlack(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
