/** What we sign is verified by an independent implementation of Standard Webhooks (the npm package standardwebhooks). */
import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openWebhook } from "../../../adapters/chat/webhook.ts";
import { errorChain } from "../../../core/model/error.ts";
import { incidentMessage } from "../../../core/text/incident.ts";
import { incident } from "../../support/incidents.ts";

const SECRET = randomBytes(32).toString("base64");
const { signal } = new AbortController();

interface Received {
  readonly body: string;
  readonly headers: Record<string, string>;
}

let url: string;
let received: Received[];
let answer: (response: ServerResponse) => void;

beforeEach(async () => {
  received = [];
  answer = (response) => response.writeHead(204).end();
  const server = createServer((incoming, response) => void read(incoming).then(() => answer(response)));
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/s3cret-path`;
  return () => {
    server.closeAllConnections();
    server.close();
  };
});

afterEach(() => {
  expect(received.every(({ headers }) => headers["content-type"] === "application/json")).toBe(true);
});

async function read(incoming: IncomingMessage): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  received.push({ body: Buffer.concat(chunks).toString("utf8"), headers: incoming.headers as Record<string, string> });
}

function only(): Received {
  expect(received.length).toBe(1);
  return received[0]!;
}

describe("what a receiver gets", () => {
  it.each(["", "whsec_"])("verifies, and says what we said (secret written as %jBASE64)", async (prefix) => {
    const message = incidentMessage(incident({ who: "jürgen ✓" }));
    await openWebhook({ url, secret: `${prefix}${SECRET}` }).send("finding-1", message, signal);
    const { body, headers } = only();
    expect(new Webhook(SECRET).verify(body, headers)).toEqual(message);
    expect(headers["webhook-id"]).toBe("finding-1");
  });

  it("does not verify when a byte, the id or the time was changed, or with another secret", async () => {
    await openWebhook({ url, secret: SECRET }).send("finding-1", incidentMessage(incident()), signal);
    const { body, headers } = only();
    const webhook = new Webhook(SECRET);
    expect(() => webhook.verify(body.replace("critical", "info"), headers)).toThrow();
    expect(() => webhook.verify(body, { ...headers, "webhook-id": "finding-2" })).toThrow();
    expect(() =>
      webhook.verify(body, { ...headers, "webhook-timestamp": String(Number(headers["webhook-timestamp"]) + 1) }),
    ).toThrow();
    expect(() => new Webhook(randomBytes(32).toString("base64")).verify(body, headers)).toThrow();
  });

  it("keeps its id and takes a new time when it is sent again (the bug: a retry that counts as news, or is refused as old)", async () => {
    let now = Date.now() - 600_000;
    const channel = openWebhook({ url, secret: SECRET, now: () => now });
    await channel.send("finding-1", { a: 1 }, signal);
    now += 600_000;
    await channel.send("finding-1", { a: 1 }, signal);
    expect(received.map(({ headers }) => headers["webhook-id"])).toEqual(["finding-1", "finding-1"]);
    expect(() => new Webhook(SECRET).verify(received[0]!.body, received[0]!.headers)).toThrow(); // ten minutes old
    expect(new Webhook(SECRET).verify(received[1]!.body, received[1]!.headers)).toEqual({ a: 1 });
  });
});

describe("what fails", () => {
  const answers: readonly (readonly [string, (response: ServerResponse) => void])[] = [
    ["500", (response) => response.writeHead(500).end("no")],
    ["410", (response) => response.writeHead(410).end()],
    ["a redirect, which is not followed", (response) => response.writeHead(307, { location: url }).end()],
    ["a broken connection", (response) => response.destroy()],
    ["no answer", () => undefined],
    ["an answer that does not end", (response) => void response.writeHead(500).write("x")],
  ];

  it.each(answers)("%s: CHANNEL_FAILED in time, without the secret or the URL", async (_what, how) => {
    answer = how;
    const startedAt = performance.now();
    const sending = openWebhook({ url, secret: SECRET, timeoutMs: 300 }).send("finding-1", {}, signal);
    const error = await sending.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: "CHANNEL_FAILED" });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(errorChain(error).join()).not.toContain(SECRET);
    expect(errorChain(error).join()).not.toContain("s3cret-path");
    expect(received.length).toBe(1);
  });

  it("nobody there: CHANNEL_FAILED", async () => {
    await expect(openWebhook({ url: "http://127.0.0.1:9/", secret: SECRET }).send("a", {}, signal)).rejects.toMatchObject({
      code: "CHANNEL_FAILED",
    });
  });

  it("stops when told to", async () => {
    answer = () => undefined;
    const stop = new AbortController();
    const sending = openWebhook({ url, secret: SECRET }).send("a", {}, stop.signal);
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
    const open = () => openWebhook({ url, secret });
    expect(open).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
    if (secret.length > 6) expect(open).not.toThrow(secret);
  });

  it.each(["", "hook", "ftp://127.0.0.1/", "javascript:alert(1)"])("a URL that is none is refused at the start: %j", (bad) => {
    expect(() => openWebhook({ url: bad, secret: SECRET })).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });
});
