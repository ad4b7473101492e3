import { FirebreakError } from "../../core/ground/error.ts";

/** GitHub's advice for a secondary limit that names no time: docs.github.com, "Rate limits for the REST API". */
const UNTOLD_WAIT_MS = 60_000;
const LONGEST_WAIT_MS = 3_600_000;

/** HTTP status of an error of a request; undefined for anything else. A request that got no answer says 500. */
export function statusOf(error: unknown): number | undefined {
  const { status } = error as { status?: unknown };
  return typeof status === "number" ? status : undefined;
}

/** What the forge said; "" when nothing. Only to tell its refusals apart: a stranger's words may be in it. */
export function saidOf(error: unknown): string {
  return error instanceof Error ? error.message : "";
}

/** A failed request, in our terms: AUTH_DENIED, RATE_LIMITED (with the wait that was told) or FORGE_FAILED. */
export function failureOf(cause: unknown, doing: string, now: number = Date.now()): FirebreakError {
  const status = statusOf(cause);
  if (isRateLimit(cause)) return new FirebreakError("RATE_LIMITED", doing, { cause, retryAfterMs: waitOf(cause, now) });
  const isDenied = status === 401 || status === 403;
  return new FirebreakError(isDenied ? "AUTH_DENIED" : "FORGE_FAILED", doing, { cause });
}

/** GitHub answers 403 as well as 429 when there were too many calls. */
export function isRateLimit(error: unknown): boolean {
  const status = statusOf(error);
  if (status === 429) return true;
  if (status !== 403) return false;
  const headers = headersOf(error);
  const isTold = headers["x-ratelimit-remaining"] === "0" || headers["retry-after"] !== undefined;
  return isTold || /secondary rate limit|abuse detection/i.test(saidOf(error));
}

function waitOf(error: unknown, now: number): number {
  const headers = headersOf(error);
  const after = Number(headers["retry-after"]) * 1_000;
  // A second more: the reset is told in whole seconds.
  const reset = Number(headers["x-ratelimit-reset"]) * 1_000 - now + 1_000;
  const isPrimary = headers["x-ratelimit-remaining"] === "0";
  const told = after > 0 ? after : isPrimary && Number.isFinite(reset) ? Math.max(reset, 1_000) : UNTOLD_WAIT_MS;
  return Math.min(Math.ceil(told), LONGEST_WAIT_MS);
}

function headersOf(error: unknown): Readonly<Record<string, string | number | undefined>> {
  const { response } = error as { response?: { headers?: Readonly<Record<string, string | number | undefined>> } };
  return response?.headers ?? {};
}
