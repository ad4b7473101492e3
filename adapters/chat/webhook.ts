import { createHmac, createPrivateKey, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { FirebreakError } from "../../core/ground/error.ts";
import type { Channel } from "../../core/notify/channel.ts";
import { noticeKey } from "../../core/notify/notice.ts";
import { channelUrl, post, withoutSecrets } from "./http.ts";
import { bodyOf, TEMPLATE_BYTES } from "./templates.ts";
import type { Template } from "./templates.ts";

export interface WebhookOptions {
  /** http or https; may itself be a secret, so it stands in no message. */
  readonly url: string;
  /**
   * hmac: base64 of 24 to 64 bytes, with or without the prefix `whsec_` · ed25519: base64 of the 32-byte seed (or seed and public
   * key, 64 bytes), with or without `whsk_`. Undefined: not signed, for chats that have no use for it.
   */
  readonly secret: string | undefined;
  readonly signature: "hmac" | "ed25519";
  readonly template: Template;
  /** ms since the epoch */
  readonly now?: () => number;
}

/** Standard Webhooks 1.0.0, "Symmetric": between 24 and 64 bytes. */
const KEY_BYTES = { least: 24, most: 64 } as const;
/** PKCS #8 around an Ed25519 seed (RFC 8410 §7). */
const PKCS8_ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");

/**
 * A webhook signed as Standard Webhooks 1.0.0 says: over `id.timestamp.payload`, HMAC-SHA256 (`v1`) or Ed25519 (`v1a`). The id is
 * the telling's key, so a receiver drops repeats.
 *
 * @throws FirebreakError CONFIG_INVALID when the URL or the secret is none
 */
export function openWebhook(options: WebhookOptions): Channel {
  const signer = options.secret === undefined ? undefined : signerOf(options.secret, options.signature);
  const url = channelUrl(options.url, "the webhook's url");
  const now = options.now ?? Date.now;
  const { template } = options;
  const maxBytes = TEMPLATE_BYTES[template];
  const headersOf = (id: string, timestamp: string, signature: string | undefined): Readonly<Record<string, string>> => ({
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    ...(signature === undefined ? {} : { "webhook-signature": signature }),
  });
  return {
    capabilities: { edit: template === "json", thread: false, resolve: true, maxBytes },
    async send(notice, _sending, signal) {
      const body = bodyOf(template, notice);
      const id = noticeKey(notice);
      const timestamp = String(Math.floor(now() / 1000));
      const headers = headersOf(id, timestamp, signer?.(`${id}.${timestamp}.${body}`));
      await post(url, { headers, body }, signal, "send an alert to the webhook");
      return undefined;
    },
    preview: (notice) => ({
      to: `POST ${withoutSecrets(url)}`,
      headers: headersOf(noticeKey(notice), "…", signer === undefined ? undefined : "…"),
      body: JSON.stringify(JSON.parse(bodyOf(template, notice)), undefined, 2),
    }),
  };
}

/** Makes the value of `webhook-signature`: version, comma, base64. */
function signerOf(secret: string, kind: WebhookOptions["signature"]): (text: string) => string {
  if (kind === "hmac") {
    const key = decode(
      secret,
      "whsec_",
      (bytes) => bytes.length >= KEY_BYTES.least && bytes.length <= KEY_BYTES.most,
      `${KEY_BYTES.least} to ${KEY_BYTES.most} bytes: openssl rand -base64 32`,
    );
    return (text) => `v1,${createHmac("sha256", key).update(text).digest("base64")}`;
  }
  const key = ed25519Key(
    decode(
      secret,
      "whsk_",
      (bytes) => bytes.length === 32 || bytes.length === 64,
      "the 32 bytes of an Ed25519 seed: openssl rand -base64 32",
    ),
  );
  return (text) => `v1a,${sign(null, Buffer.from(text), key).toString("base64")}`;
}

function ed25519Key(bytes: Buffer): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, bytes.subarray(0, 32)]), format: "der", type: "pkcs8" });
}

/** Node reads anything as base64; what is none would make a key that the receiver does not have. */
function decode(text: string, prefix: string, fits: (bytes: Buffer) => boolean, want: string): Buffer {
  const encoded = text.startsWith(prefix) ? text.slice(prefix.length) : text;
  const bytes = Buffer.from(encoded, "base64");
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(encoded) && fits(bytes)) return bytes;
  throw new FirebreakError("CONFIG_INVALID", `the webhook's secret must be base64 of ${want}`);
}
