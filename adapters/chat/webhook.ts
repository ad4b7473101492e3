import { createHmac } from "node:crypto";
import { request } from "undici";
import { FirebreakError } from "../../core/model/error.ts";

export interface WebhookChannel {
  /** @throws FirebreakError CHANNEL_FAILED; the same id may be sent again, receivers drop repeats by it */
  send(id: string, message: Readonly<Record<string, unknown>>, signal: AbortSignal): Promise<void>;
}

export interface WebhookOptions {
  /** http or https; may itself be a secret, so it stands in no message. */
  readonly url: string;
  /** Base64 of 24 to 64 bytes, with or without the prefix `whsec_`. */
  readonly secret: string;
  /** ms since the epoch */
  readonly now?: () => number;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
/** Standard Webhooks 1.0.0, "Symmetric": between 24 and 64 bytes. */
const KEY_BYTES = { least: 24, most: 64 } as const;

/**
 * A JSON webhook signed as Standard Webhooks 1.0.0 says ("Symmetric": HMAC-SHA256 over `id.timestamp.payload`).
 *
 * @throws FirebreakError CONFIG_INVALID when the URL or the secret is none
 */
export function openWebhook(options: WebhookOptions): WebhookChannel {
  const key = parseSecret(options.secret);
  const url = parseUrl(options.url);
  const now = options.now ?? Date.now;
  return {
    async send(id, message, signal) {
      const body = JSON.stringify(message);
      const timestamp = String(Math.floor(now() / 1000));
      const headers = {
        "content-type": "application/json",
        "user-agent": "firebreak",
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": signWebhook(key, id, timestamp, body),
      };
      await post(url, headers, body, AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS)]));
    },
  };
}

/** The value of `webhook-signature`: version, comma, base64 of the HMAC. */
export function signWebhook(key: Buffer, id: string, timestamp: string, payload: string): string {
  return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${payload}`).digest("base64")}`;
}

/** Redirects are not followed: they would carry what we tell to somebody the operator did not name. */
async function post(url: URL, headers: Readonly<Record<string, string>>, body: string, signal: AbortSignal): Promise<void> {
  try {
    const response = await request(url, { method: "POST", headers: { ...headers }, body, signal });
    await response.body.dump();
    if (response.statusCode < 200 || response.statusCode >= 300) throw new Error(`HTTP ${response.statusCode}`);
  } catch (cause) {
    throw new FirebreakError("CHANNEL_FAILED", "send an alert to the webhook", { cause });
  }
}

/** Node reads anything as base64; what is none would make a key that the receiver does not have. */
function parseSecret(text: string): Buffer {
  const encoded = text.replace(/^whsec_/, "");
  const key = Buffer.from(encoded, "base64");
  const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(encoded);
  if (isBase64 && key.length >= KEY_BYTES.least && key.length <= KEY_BYTES.most) return key;
  throw new FirebreakError(
    "CONFIG_INVALID",
    `alerts.webhook.secret must be base64 of ${KEY_BYTES.least} to ${KEY_BYTES.most} bytes: openssl rand -base64 32`,
  );
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && (url.protocol === "https:" || url.protocol === "http:")) return url;
  throw new FirebreakError("CONFIG_INVALID", "alerts.webhook.url must be an http or https URL");
}
