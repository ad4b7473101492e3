import { FirebreakError } from "../../core/model/error.ts";

/** A metav1.Status as far as we read it. Everything in it is the server's text: data, never markup. */
interface Status {
  readonly message?: unknown;
  readonly details?: { readonly causes?: readonly { readonly reason?: unknown }[] };
}

/** Longest server text that is kept. */
const MAX_MESSAGE = 500;

/**
 * What an answer that is no success means.
 *
 * @returns CLUSTER_FORBIDDEN (401, 403), NOT_FOUND (404), CONFLICT (409, 410, a namespace that is being deleted), CLUSTER_UNREACHABLE
 *   (429, 5xx: try again), API_REFUSED (anything else: the object or the question is not acceptable)
 */
export function refusal(status: number, text: string, doing: string): FirebreakError {
  const parsed = parseStatus(text);
  const said = new Error(
    `HTTP ${status}: ${typeof parsed.message === "string" ? parsed.message.slice(0, MAX_MESSAGE) : text.slice(0, 200)}`,
  );
  return new FirebreakError(codeOf(status, parsed), doing, { cause: said });
}

function codeOf(
  status: number,
  said: Status,
): "CLUSTER_FORBIDDEN" | "NOT_FOUND" | "CONFLICT" | "CLUSTER_UNREACHABLE" | "API_REFUSED" {
  if (status === 403 && isTerminating(said)) return "CONFLICT"; // nobody has to change a right: the namespace goes away
  if (status === 401 || status === 403) return "CLUSTER_FORBIDDEN";
  if (status === 404) return "NOT_FOUND";
  if (status === 409 || status === 410) return "CONFLICT";
  if (status === 429 || status >= 500) return "CLUSTER_UNREACHABLE";
  return "API_REFUSED";
}

function isTerminating({ details }: Status): boolean {
  return Array.isArray(details?.causes) && details.causes.some((cause) => cause?.reason === "NamespaceTerminating");
}

function parseStatus(text: string): Status {
  try {
    const parsed = JSON.parse(text) as unknown;
    return typeof parsed === "object" && parsed !== null ? parsed : {};
  } catch {
    return {}; // a proxy's page
  }
}
