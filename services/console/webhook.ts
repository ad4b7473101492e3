import { createHmac } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { parseForgeEvent } from "../../core/forge/event.ts";
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

/** The number of the pull request that a signed body is about; undefined when it may be about any. A hint, too. */
export function pullOf(headers: IncomingHttpHeaders, body: Buffer): number | undefined {
  const name = headers["x-github-event"] ?? headers["x-gitea-event"];
  if (typeof name !== "string") return undefined;
  try {
    const event = parseForgeEvent(name, JSON.parse(body.toString("utf8")));
    return "pull" in event ? event.pull : undefined;
  } catch {
    return undefined; // no JSON: a form's body
  }
}
