import { request } from "undici";
import { FirebreakError } from "../../core/ground/error.ts";

/** An answer that was neither refused nor too much. */
export interface Answer {
  readonly status: number;
  /** At most {@link MOST_ANSWER} characters. */
  readonly text: string;
}

const TIMEOUT_MS = 10_000;
const MOST_ANSWER = 100_000;
/** Asked to wait without being told how long. */
const DEFAULT_WAIT_MS = 60_000;
/** Nobody is left alone for longer: a receiver may be wrong about it. */
const LONGEST_WAIT_MS = 3_600_000;

/**
 * Sends one HTTP request of a channel. Redirects are not followed: they would carry what we tell to somebody the operator did not
 * name. The URL may be a secret, so it stands in no message.
 *
 * @param doing what the caller was doing, for the error
 * @throws FirebreakError RATE_LIMITED (429, with the time told), AUTH_DENIED (401, 403), CHANNEL_FAILED (no answer, 5xx and what else may
 *   pass by itself), CHANNEL_REFUSED (any other status: the same would be refused again)
 */
export async function post(
  url: URL,
  {
    headers,
    body,
    method = "POST",
  }: { readonly headers: Readonly<Record<string, string>>; readonly body: string; readonly method?: "POST" | "GET" },
  signal: AbortSignal,
  doing: string,
): Promise<Answer> {
  let answer: Answer & { readonly retryAfter: string | undefined };
  try {
    const response = await request(url, {
      method,
      headers: { "user-agent": "firebreak", ...headers },
      ...(method === "GET" ? {} : { body }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    const retryAfter = response.headers["retry-after"];
    answer = {
      status: response.statusCode,
      text: await readText(response.body),
      retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter,
    };
  } catch (cause) {
    throw new FirebreakError("CHANNEL_FAILED", doing, { cause });
  }
  const { status } = answer;
  if (status >= 200 && status < 300) return answer;
  throw refusalOf(status, waitMs(answer.retryAfter, Date.now()), doing);
}

/** Statuses that pass by themselves: RFC 9110 §15.5.9 (408), RFC 8470 (425), and those of the server. */
function refusalOf(status: number, retryAfterMs: number | undefined, doing: string): FirebreakError {
  const cause = new Error(`HTTP ${status}`);
  if (status === 429) return new FirebreakError("RATE_LIMITED", doing, { cause, retryAfterMs: retryAfterMs ?? DEFAULT_WAIT_MS });
  if (status === 401 || status === 403) return new FirebreakError("AUTH_DENIED", doing, { cause });
  if (status >= 500 || status === 408 || status === 425)
    return new FirebreakError("CHANNEL_FAILED", doing, { cause, retryAfterMs });
  return new FirebreakError("CHANNEL_REFUSED", doing, { cause });
}

/** `Retry-After`: seconds or a date (RFC 9110 §10.2.3); undefined when none was told. */
function waitMs(text: string | undefined, now: number): number | undefined {
  if (text === undefined || text.trim() === "") return undefined;
  const seconds = Number(text);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(text) - now;
  return ms >= 0 ? Math.min(ms, LONGEST_WAIT_MS) : undefined;
}

async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  let text = "";
  for await (const chunk of body) {
    if (text.length < MOST_ANSWER) text += chunk.toString("utf8");
  }
  return text.slice(0, MOST_ANSWER);
}

/** The URL of a channel. @throws FirebreakError CONFIG_INVALID when it is none */
export function channelUrl(text: string, setting: string): URL {
  const url = URL.parse(text);
  if (url !== null && (url.protocol === "https:" || url.protocol === "http:")) return url;
  throw new FirebreakError("CONFIG_INVALID", `${setting} must be an http or https URL`);
}

/** `https://HOST/…`: enough to tell channels apart, without what may be secret. */
export function withoutSecrets(url: URL): string {
  return `${url.protocol}//${url.host}/…`;
}
