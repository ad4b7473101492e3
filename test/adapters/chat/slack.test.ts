/** Slack's Web API cannot be run here: a small double keeps messages as its documentation says (ok/error words, ts, metadata, threads). */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSlackBot, openSlackWebhook } from "../../../adapters/chat/slack.ts";
import { startReceiver } from "../../support/http-receiver.ts";
import type { Received, Receiver, Reply } from "../../support/http-receiver.ts";
import { notice } from "../../support/notices.ts";

const FIRST = { ref: undefined, attempt: 1 };
const { signal } = new AbortController();

interface Message {
  readonly ts: string;
  readonly thread_ts?: string;
  text: string;
  readonly metadata?: unknown;
}

let receiver: Receiver;
let messages: Message[];
let next: Reply | "lost" | undefined;

beforeEach(async () => {
  receiver = await startReceiver();
  messages = [];
  next = undefined;
  receiver.answer = (request) => {
    const reply = next;
    next = undefined;
    if (typeof reply === "object") return reply;
    const body = JSON.stringify(answer(request));
    return reply === "lost" ? { status: 502 } : { status: 200, body };
  };
});

afterEach(async () => {
  await receiver[Symbol.asyncDispose]();
});

function answer({ path, body, headers }: Received): object {
  if (headers["authorization"] !== "Bearer xoxb-1") return { ok: false, error: "invalid_auth" };
  const asked = JSON.parse(body) as { ts?: string; thread_ts?: string; text: string; metadata?: unknown };
  switch (path) {
    case "/api/chat.postMessage": {
      const ts = `${messages.length + 1}.0`;
      const { text, metadata, thread_ts } = asked;
      messages.push({ ts, text, metadata, ...(thread_ts === undefined ? {} : { thread_ts }) });
      return { ok: true, ts };
    }
    case "/api/chat.update": {
      const message = messages.find(({ ts }) => ts === asked.ts);
      if (message === undefined) return { ok: false, error: "message_not_found" };
      message.text = asked.text;
      return { ok: true, ts: message.ts };
    }
    case "/api/conversations.history":
      return { ok: true, messages: messages.filter(({ thread_ts }) => thread_ts === undefined) };
    case "/api/conversations.replies":
      return { ok: true, messages: messages.filter(({ ts, thread_ts }) => ts === asked.ts || thread_ts === asked.ts) };
    default:
      return { ok: false, error: "unknown_method" };
  }
}

function bot(token = "xoxb-1") {
  return openSlackBot({ token, channel: "C1", url: `${receiver.url}/api/` });
}

describe("the bot", () => {
  it("is one message that changes, with the end in its thread", async () => {
    const ref = await bot().send(notice(), FIRST, signal);
    await bot().send(notice({ version: 2, as: "edit" }), { ref, attempt: 1 }, signal);
    await bot().send(notice({ version: 3, as: "resolved" }), { ref, attempt: 1 }, signal);
    expect(messages.map(({ ts, thread_ts }) => [ts, thread_ts])).toEqual([
      ["1.0", undefined],
      ["2.0", "1.0"],
    ]);
    expect(messages[0]?.text).toMatch(/^Resolved: /);
  });

  it("tells nothing twice when an answer was lost (the bug: a second message for the same version)", async () => {
    next = "lost";
    await expect(bot().send(notice(), FIRST, signal)).rejects.toMatchObject({ code: "CHANNEL_FAILED" });
    expect(messages.length).toBe(1);
    expect(await bot().send(notice(), { ref: undefined, attempt: 2 }, signal)).toBe("1.0");
    expect(messages.length).toBe(1);
  });

  it("tells anew when a person deleted the message", async () => {
    const ref = await bot().send(notice(), FIRST, signal);
    messages = [];
    expect(await bot().send(notice({ version: 2 }), { ref, attempt: 1 }, signal)).toBe("1.0");
    expect(messages.length).toBe(1);
  });

  it("a wrong token is for a person, too many calls wait as long as asked", async () => {
    await expect(bot("xoxb-2").send(notice(), FIRST, signal)).rejects.toMatchObject({ code: "AUTH_DENIED" });
    next = { status: 429, headers: { "retry-after": "30" } };
    await expect(bot().send(notice(), FIRST, signal)).rejects.toMatchObject({ code: "RATE_LIMITED", retryAfterMs: 30_000 });
  });
});

describe("the incoming webhook", () => {
  it("sends blocks to its URL", async () => {
    receiver.answer = () => ({ status: 200, body: "ok" });
    await openSlackWebhook({ webhook: `${receiver.url}/services/T/B/x` }).send(notice(), FIRST, signal);
    expect(receiver.received[0]?.path).toBe("/services/T/B/x");
    expect(JSON.parse(receiver.received[0]?.body ?? "")).toMatchObject({ blocks: [{ type: "header" }, {}, { type: "section" }] });
  });
});
