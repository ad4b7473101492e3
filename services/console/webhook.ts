import { createHmac } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { parseForgeEvent } from "../../core/forge/event.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { isSameSecret } from "./access.ts";

/** GitHub sends at most 25 MB: docs.github.com, "Webhook events and payloads". */
const MOST_BYTES = 25 * 1024 * 1024;
/** A longer body is hashed as it comes and not kept: the hint is then about everything. */
const MOST_PARSED = 1024 * 1024;

/** A delivery whose signature holds; `body` is undefined when it was too long to keep. */
export interface Signed {
  readonly body: Buffer | undefined;
}

/**
 * Reads a delivery, which may be large, while only its first part is kept. A forge signs it with our secret: `X-Hub-Signature-256` (GitHub,
 * Gitea) or `X-Gitea-Signature`, HMAC-SHA256 in hex.
 *
 * The webhook is a hint to read the branch now; nothing in its body is believed.
 *
 * @returns undefined when it is not signed so; without a signature nothing of it is read
 * @throws FirebreakError LIMIT_EXCEEDED when it is longer than any forge sends
 */
export async function readSigned(
  headers: IncomingHttpHeaders,
  body: AsyncIterable<Buffer>,
  secret: string,
): Promise<Signed | undefined> {
  const given = headers["x-hub-signature-256"] ?? headers["x-gitea-signature"];
  if (typeof given !== "string" || secret === "") return undefined;
  const hmac = createHmac("sha256", secret);
  const kept: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > MOST_BYTES) throw new FirebreakError("LIMIT_EXCEEDED", `a webhook's body is longer than ${MOST_BYTES} bytes`);
    hmac.update(chunk);
    if (length <= MOST_PARSED) kept.push(chunk);
  }
  if (!isSameSecret(given.replace(/^sha256=/, ""), hmac.digest("hex"))) return undefined;
  return { body: length <= MOST_PARSED ? Buffer.concat(kept) : undefined };
}

/** The number of the pull request that a signed body is about; undefined when it may be about any. A hint, too. */
export function pullOf(headers: IncomingHttpHeaders, { body }: Signed): number | undefined {
  const name = headers["x-github-event"] ?? headers["x-gitea-event"];
  if (typeof name !== "string" || body === undefined) return undefined;
  try {
    const event = parseForgeEvent(name, JSON.parse(body.toString("utf8")));
    return "pull" in event ? event.pull : undefined;
  } catch {
    return undefined; // no JSON: a form's body
  }
}
