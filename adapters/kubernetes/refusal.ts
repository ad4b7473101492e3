import { FirebreakError } from "../../core/ground/error.ts";
import { rightAsked, ruleText, type Right } from "../../core/rights/cluster.ts";

/** A metav1.Status as far as we read it. Everything in it is the server's text: data, never markup. */
interface Status {
  readonly message?: unknown;
  readonly details?: { readonly causes?: readonly { readonly reason?: unknown }[] };
}

/** Longest server text that is kept. */
const MAX_MESSAGE = 500;

/** What was asked for, and how the error names it. */
export interface Asked {
  /** Of HTTP, or `watch`. */
  readonly method: string;
  readonly path: string;
}

/** The account lacks a right. */
export class Forbidden extends FirebreakError {
  readonly right: Right;

  constructor(doing: string, right: Right, cause: Error) {
    super("CLUSTER_FORBIDDEN", `${doing}: the account lacks a right; add to its ClusterRole ${ruleText([right])}`, { cause });
    this.right = right;
  }
}

/**
 * What an answer that is no success means.
 *
 * @returns CLUSTER_FORBIDDEN (401, 403), NOT_FOUND (404), CONFLICT (409, 410, a namespace that is being deleted), CLUSTER_UNREACHABLE
 *   (429, 5xx: try again), API_REFUSED (anything else: the object or the question is not acceptable)
 */
export function refusal(status: number, text: string, { method, path }: Asked): FirebreakError {
  const parsed = parseStatus(text);
  const cause = new Error(
    `HTTP ${status}: ${typeof parsed.message === "string" ? parsed.message.slice(0, MAX_MESSAGE) : text.slice(0, 200)}`,
  );
  const doing = `${method} ${path}`;
  const code = codeOf(status, parsed);
  const right = status === 403 && code === "CLUSTER_FORBIDDEN" ? rightAsked(method, path) : undefined;
  if (right !== undefined) return new Forbidden(doing, right, cause);
  const why = status === 401 ? ": the token or certificate is refused; it may have run out" : "";
  return new FirebreakError(code, `${doing}${why}`, { cause });
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
