import { createHmac } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { isSameSecret } from "./access.ts";

/**
 * True when a forge signed this body with our secret: `X-Hub-Signature-256` (GitHub, Gitea) or `X-Gitea-Signature`, HMAC-SHA256 in hex.
 *
 * The webhook is a hint to read the branch now; nothing in its body is believed.
 */
export function isSignedPush(headers: IncomingHttpHeaders, body: Buffer, secret: string): boolean {
  const given = headers["x-hub-signature-256"] ?? headers["x-gitea-signature"];
  if (typeof given !== "string") return false;
  return isSameSecret(given.replace(/^sha256=/, ""), createHmac("sha256", secret).update(body).digest("hex"));
}
