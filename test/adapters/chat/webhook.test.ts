/** What we sign is verified by an independent implementation of Standard Webhooks (the npm package standardwebhooks) and by Node's own Ed25519. */
import { createPublicKey, generateKeyPairSync, randomBytes, verify } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openWebhook } from "../../../adapters/chat/webhook.ts";
import type { WebhookOptions } from "../../../adapters/chat/webhook.ts";
import { errorChain } from "../../../core/ground/error.ts";
import { noticeKey } from "../../../core/notify/notice.ts";
import { startReceiver } from "../../support/http-receiver.ts";
import type { Received, Receiver, Reply } from "../../support/http-receiver.ts";
import { notice } from "../../support/notices.ts";

const SECRET = randomBytes(32).toString("base64");
const FIRST = { ref: undefined, attempt: 1 };
const { signal } = new AbortController();

let receiver: Receiver;

beforeEach(async () => {
  receiver = await startReceiver();
});

afterEach(async () => {
  await receiver[Symbol.asyncDispose]();
});

function open(over: Partial<WebhookOptions> = {}) {
  return openWebhook({ url: `${receiver.url}/hook/s3cret-path`, secret: SECRET, signature: "hmac", template: "json", ...over });
}

function only(): Received {
  expect(receiver.received.length).toBe(1);
  return receiver.received[0]!;
}

describe("what a receiver gets", () => {
  it.each(["", "whsec_"])("verifies, and says what we said (secret written as %jBASE64)", async (prefix) => {
    await open({ secret: `${prefix}${SECRET}` }).send(notice(), FIRST, signal);
    const { body, headers } = only();
    expect(new Webhook(SECRET).verify(body, headers)).toMatchObject({ type: "incident.opened", data: { version: 1, total: 1 } });
    expect(headers["webhook-id"]).toBe(noticeKey(notice()));
    expect(headers["content-type"]).toBe("application/json");
  });

  it("does not verify when a byte, the id or the time was changed, or with another secret", async () => {
    await open().send(notice(), FIRST, signal);
    const { body, headers } = only();
    const webhook = new Webhook(SECRET);
    expect(() => webhook.verify(body.replace("critical", "info"), headers)).toThrow();
    expect(() => webhook.verify(body, { ...headers, "webhook-id": "finding-2" })).toThrow();
    expect(() =>
      webhook.verify(body, { ...headers, "webhook-timestamp": String(Number(headers["webhook-timestamp"]) + 1) }),
    ).toThrow();
    expect(() => new Webhook(randomBytes(32).toString("base64")).verify(body, headers)).toThrow();
  });

  it("is signed with Ed25519 where that is asked for (v1a over id.timestamp.payload)", async () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const seed = privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32);
    await open({ secret: `whsk_${seed.toString("base64")}`, signature: "ed25519" }).send(notice(), FIRST, signal);
    const { body, headers } = only();
    const [version, signature = ""] = headers["webhook-signature"]!.split(",");
    const text = Buffer.from(`${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`);
    expect(version).toBe("v1a");
    expect(verify(null, text, createPublicKey(privateKey), Buffer.from(signature, "base64"))).toBe(true);
    expect(
      verify(null, Buffer.concat([text, Buffer.from(" ")]), createPublicKey(privateKey), Buffer.from(signature, "base64")),
    ).toBe(false);
  });

  it("keeps its id and takes a new time when it is sent again (the bug: a retry that counts as news, or is refused as old)", async () => {
    let now = Date.now() - 600_000;
    const channel = open({ now: () => now });
    await channel.send(notice(), FIRST, signal);
    now += 600_000;
    await channel.send(notice(), { ref: undefined, attempt: 2 }, signal);
    const [first, second] = receiver.received;
    expect([first?.headers["webhook-id"], second?.headers["webhook-id"]]).toEqual([noticeKey(notice()), noticeKey(notice())]);
    expect(() => new Webhook(SECRET).verify(first!.body, first!.headers)).toThrow(); // ten minutes old
    expect(new Webhook(SECRET).verify(second!.body, second!.headers)).toBeTruthy();
  });
});

describe("what fails", () => {
  const answers: readonly (readonly [string, Reply, string])[] = [
    ["500", { status: 500, body: "no" }, "CHANNEL_FAILED"],
    ["410", { status: 410 }, "CHANNEL_REFUSED"],
    ["400", { status: 400, body: "too long" }, "CHANNEL_REFUSED"],
    ["503 with a time", { status: 503, headers: { "retry-after": "7" } }, "CHANNEL_FAILED"],
    ["a redirect, which is not followed", { status: 307, headers: { location: "/elsewhere" } }, "CHANNEL_REFUSED"],
    ["403", { status: 403 }, "AUTH_DENIED"],
    ["too often", { status: 429, headers: { "retry-after": "7" } }, "RATE_LIMITED"],
  ];

  it.each(answers)("%s: told by its code, without the secret or the URL", async (_what, reply, code) => {
    receiver.answer = () => reply;
    const error = await open()
      .send(notice(), FIRST, signal)
      .then(
        () => undefined,
        (reason: unknown) => reason,
      );
    expect(error).toMatchObject({ code, ...(reply.headers?.["retry-after"] === "7" ? { retryAfterMs: 7_000 } : {}) });
    expect(errorChain(error).join()).not.toContain(SECRET);
    expect(errorChain(error).join()).not.toContain("s3cret-path");
    expect(receiver.received.length).toBe(1);
  });

  it("nobody there: CHANNEL_FAILED", async () => {
    await expect(open({ url: "http://127.0.0.1:9/" }).send(notice(), FIRST, signal)).rejects.toMatchObject({
      code: "CHANNEL_FAILED",
    });
  });

  it("stops when told to, while nobody answers", async () => {
    receiver.answer = () => undefined;
    const stop = new AbortController();
    const sending = open().send(notice(), FIRST, stop.signal);
    stop.abort();
    await expect(sending).rejects.toMatchObject({ code: "CHANNEL_FAILED" });
  });

  it.each([
    "",
    "whsec_",
    "too-short",
    "a plain password, long enough to look like 24 bytes",
    randomBytes(16).toString("base64"),
    randomBytes(65).toString("base64"),
  ])("a secret that is none is refused at the start, unsaid: %j", (secret) => {
    for (const signature of ["hmac", "ed25519"] as const) {
      const attempt = () => open({ secret, signature });
      expect(attempt).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
      if (secret.length > 6) expect(attempt).not.toThrow(secret);
    }
  });

  it.each(["", "hook", "ftp://127.0.0.1/", "javascript:alert(1)"])("a URL that is none is refused at the start: %j", (bad) => {
    expect(() => open({ url: bad })).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });
});
