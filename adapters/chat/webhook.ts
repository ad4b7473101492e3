import { createHmac } from "node:crypto";
import { request } from "undici";
import { FirebreakError } from "../../core/model/error.ts";

export interface WebhookChannel {
  /** @throws FirebreakError CHANNEL_FAILED; the same id may be sent again, receivers drop repeats by it */
  send(id: string, message: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<void>;
}

export interface WebhookOptions {
  readonly url: string;
  /** Base64, with or without the prefix `whsec_`. */
  readonly secret: string;
  readonly now?: () => number;
}

const TIMEOUT_MS = 10_000;

/** A JSON webhook signed as Standard Webhooks 1.0.0 says ("Symmetric": HMAC-SHA256 over `id.timestamp.payload`). */
export function openWebhook(options: WebhookOptions): WebhookChannel {
  const key = Buffer.from(options.secret.replace(/^whsec_/, ""), "base64");
  const now = options.now ?? Date.now;
  if (key.length < 16) throw new FirebreakError("CONFIG_INVALID", "alerts.webhook.secret must be base64 of at least 16 bytes");
  return {
    async send(id, message, signal) {
      const payload = JSON.stringify(message);
      const timestamp = String(Math.floor(now() / 1000));
      try {
        const response = await request(options.url, {
          method: "POST",
          headers: {
            "content-type": "application/json",
            "webhook-id": id,
            "webhook-timestamp": timestamp,
            "webhook-signature": signWebhook(key, id, timestamp, payload),
          },
          body: payload,
          signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
        });
        await response.body.dump();
        if (response.statusCode >= 300) throw new Error(`HTTP ${response.statusCode}`);
      } catch (cause) {
        throw new FirebreakError("CHANNEL_FAILED", "send an alert to the webhook", { cause });
      }
    },
  };
}

/** The value of `webhook-signature`: version, comma, base64 of the HMAC. */
export function signWebhook(key: Buffer, id: string, timestamp: string, payload: string): string {
  return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${payload}`).digest("base64")}`;
}
