/** A small Slack in this process: messages, threads, metadata, words for errors, as its documentation says; it cannot be run here. */
import { startReceiver, type Received, type Receiver, type Reply } from "./http-receiver.ts";

/** What goes wrong with a call. `lost`: it is done, and the answer does not arrive. */
export type SlackFault = { readonly kind: "lost" } | { readonly kind: "reply"; readonly reply: Reply };

export interface SlackMessage {
  readonly ts: string;
  readonly thread_ts?: string;
  text: string;
  readonly metadata?: { readonly event_payload?: { readonly key?: string } };
}

export interface SlackDouble extends AsyncDisposable {
  readonly url: string;
  messages: SlackMessage[];
  readonly receiver: Receiver;
  fault: (request: Received) => SlackFault | undefined;
}

export const SLACK_TOKEN = "xoxb-1";

export async function startSlackDouble(): Promise<SlackDouble> {
  const receiver = await startReceiver();
  const double: SlackDouble = {
    url: `${receiver.url}/api/`,
    messages: [],
    receiver,
    fault: () => undefined,
    [Symbol.asyncDispose]: async () => await receiver[Symbol.asyncDispose](),
  };
  let count = 0;
  receiver.answer = (request) => {
    const fault = double.fault(request);
    if (fault?.kind === "reply") return fault.reply;
    const body = JSON.stringify(answer(double, request, () => `${(count += 1)}.0`));
    return fault === undefined ? { status: 200, body } : { status: 502 };
  };
  return double;
}

function answer(double: SlackDouble, { path, body, headers }: Received, nextTs: () => string): object {
  if (headers["authorization"] !== `Bearer ${SLACK_TOKEN}`) return { ok: false, error: "invalid_auth" };
  const asked = JSON.parse(body) as Omit<SlackMessage, "ts"> & {
    readonly ts?: string;
    readonly limit?: number;
    readonly cursor?: string;
  };
  const { messages } = double;
  switch (path) {
    case "/api/chat.postMessage": {
      const { text, metadata, thread_ts: thread } = asked;
      const ts = nextTs();
      messages.push({ ts, text, ...(metadata && { metadata }), ...(thread === undefined ? {} : { thread_ts: thread }) });
      return { ok: true, ts };
    }
    case "/api/chat.update": {
      const message = messages.find(({ ts }) => ts === asked.ts);
      if (message === undefined) return { ok: false, error: "message_not_found" };
      message.text = asked.text;
      return { ok: true, ts: message.ts };
    }
    case "/api/conversations.history":
      return paged(
        messages.filter(({ thread_ts: thread }) => thread === undefined),
        asked,
      );
    case "/api/conversations.replies":
      return paged(
        messages.filter(({ ts, thread_ts: thread }) => ts === asked.ts || thread === asked.ts),
        asked,
      );
    default:
      return { ok: false, error: "unknown_method" };
  }
}

function paged(
  all: readonly SlackMessage[],
  { limit = 100, cursor }: { readonly limit?: number; readonly cursor?: string },
): object {
  const from = Number(cursor ?? 0);
  const next = from + limit < all.length ? String(from + limit) : "";
  return { ok: true, messages: all.slice(from, from + limit), response_metadata: { next_cursor: next } };
}
