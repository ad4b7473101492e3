import type { IncomingHttpHeaders } from "node:http";
import { Webhooks } from "@octokit/webhooks";
import { parseForgeEvent, type ForgeEvent } from "../../core/forge/event.ts";

/** What a verified request says, and the delivery's id: the same one comes again when it is sent again. */
export interface Delivery {
  readonly id: string;
  readonly event: ForgeEvent;
}

/**
 * Reads a request of GitHub's or Gitea's that was signed with our secret (HMAC-SHA256 of the exact bytes, compared in constant time).
 *
 * @returns undefined when it is not signed so: answer 401 and look no further
 */
export async function readDelivery(headers: IncomingHttpHeaders, body: Buffer, secret: string): Promise<Delivery | undefined> {
  const given = header(headers, "x-hub-signature-256") ?? prefixed(header(headers, "x-gitea-signature"));
  const text = body.toString("utf8");
  if (!given || secret === "" || text === "") return undefined;
  // What is not UTF-8 would not be the same bytes again: GitHub and Gitea sign JSON, which is.
  if (!(await new Webhooks({ secret }).verify(text, given))) return undefined;
  const id = header(headers, "x-github-delivery") ?? header(headers, "x-gitea-delivery") ?? "";
  const name = header(headers, "x-github-event") ?? header(headers, "x-gitea-event") ?? "";
  return { id, event: parseForgeEvent(name, jsonOf(text)) };
}

function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : undefined;
}

function prefixed(signature: string | undefined): string | undefined {
  return signature === undefined ? undefined : `sha256=${signature}`;
}

/** Undefined for what is no JSON (a form's body): it parses as no event. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
