import { request } from "undici";
import { FirebreakError } from "../../core/ground/error.ts";
import { Agents } from "./agents.ts";
import type { CredentialProvider } from "./credentials.ts";
import { refusal } from "./refusal.ts";

export type Method = "GET" | "POST" | "PUT" | "DELETE";

export interface CallOptions {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal: AbortSignal;
  /** Of the answer; a longer one is left unread (LIMIT_EXCEEDED). */
  readonly mostBytes?: number;
}

/** Answers above this are refused: below the longest string of V8 (2^29 characters), far above 500 objects of usual size. */
const MAX_BODY_BYTES = 500 * 1024 * 1024;
/** One object of a watch: etcd holds no object above 1.5 MiB; the encoding may double it. */
const MAX_LINE_CHARACTERS = 16 * 1024 * 1024;
const CALL_TIMEOUT_MS = 30_000;

/** One line of a watch. */
export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: unknown;
}

/**
 * Raw JSON over one keep-alive connection pool per cluster. What goes out is what the caller built, byte for byte:
 * no typed model may rename `from` (docs/design/contracts.md "Clusters").
 */
export class KubernetesClient implements AsyncDisposable {
  readonly #credentials: CredentialProvider;
  readonly #timeoutMs: number;
  readonly #agents = new Agents();

  /** @param timeoutMs deadline of one call, log-in included */
  constructor(credentials: CredentialProvider, timeoutMs = CALL_TIMEOUT_MS) {
    this.#credentials = credentials;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * One call, JSON in and out.
   *
   * @throws FirebreakError CLUSTER_UNREACHABLE (network, deadline, 5xx, 429, no JSON), CLUSTER_FORBIDDEN (401, 403), NOT_FOUND (404),
   *   CONFLICT (409, 410), API_REFUSED (any other refusal: the object is not acceptable), CONFIG_INVALID, AUTH_DENIED (no credentials),
   *   LIMIT_EXCEEDED (an answer of more than `mostBytes`)
   */
  async call(method: Method, path: string, options: CallOptions): Promise<unknown> {
    const doing = `${method} ${path}`;
    const signal = AbortSignal.any([options.signal, AbortSignal.timeout(this.#timeoutMs)]);
    const response = await this.#send(method, path, { ...options, signal }, doing);
    const text = await readText(response.body, doing, options.mostBytes);
    if (response.statusCode >= 300) throw refusal(response.statusCode, text, { method, path });
    try {
      return text === "" ? undefined : (JSON.parse(text) as unknown);
    } catch (cause) {
      throw new FirebreakError("CLUSTER_UNREACHABLE", `${doing}: the answer is not JSON`, { cause });
    }
  }

  /**
   * Opens a watch. Resolves when the server has accepted it, with its lines until the server ends it; the iteration fails with
   * CLUSTER_UNREACHABLE when the connection breaks or the signal aborts. Silence is the caller's to notice.
   *
   * @throws as {@link call}
   */
  async watch(path: string, query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<AsyncIterable<WatchEvent>> {
    const doing = `watch ${path}`;
    const response = await this.#send("GET", path, { query, signal }, doing);
    if (response.statusCode < 300) return parseLines(response.body, doing);
    throw refusal(response.statusCode, await readText(response.body, doing), { method: "watch", path });
  }

  async #send(method: Method, path: string, { query, body, signal }: CallOptions, doing: string) {
    const { server, tls, headers } = await this.#credentials.current(signal);
    try {
      const response = await request(`${server}${path}`, {
        method,
        headers: {
          accept: "application/json",
          "user-agent": "firebreak",
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        body: body === undefined ? null : JSON.stringify(body),
        query: { ...query },
        signal,
        dispatcher: this.#agents.for(tls),
        headersTimeout: this.#timeoutMs,
        bodyTimeout: 0, // calls have the deadline above, watches have the caller's
      });
      if (response.statusCode === 401) this.#credentials.refused();
      return response;
    } catch (cause) {
      throw new FirebreakError("CLUSTER_UNREACHABLE", doing, { cause });
    }
  }

  /** Ends every connection; calls under way fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agents[Symbol.asyncDispose]();
  }
}

/** A line that has no end yet is no event: the server sends it again to whoever resumes. */
async function* parseLines(body: AsyncIterable<Buffer>, doing: string): AsyncGenerator<WatchEvent> {
  const decoder = new TextDecoder();
  let pending = "";
  try {
    for await (const chunk of body) {
      pending += decoder.decode(chunk, { stream: true });
      const lines = pending.split("\n");
      pending = lines.pop() ?? "";
      if (pending.length > MAX_LINE_CHARACTERS) throw new Error(`a line of more than ${MAX_LINE_CHARACTERS} characters`);
      for (const line of lines) if (line !== "") yield JSON.parse(line) as WatchEvent;
    }
  } catch (cause) {
    throw new FirebreakError("CLUSTER_UNREACHABLE", doing, { cause });
  }
}

async function readText(body: AsyncIterable<Buffer>, doing: string, most = MAX_BODY_BYTES): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      size += chunk.length;
      if (size > most)
        throw new FirebreakError(
          most < MAX_BODY_BYTES ? "LIMIT_EXCEEDED" : "API_REFUSED",
          `${doing}: the answer is larger than ${most} bytes`,
        );
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof FirebreakError) throw cause;
    throw new FirebreakError("CLUSTER_UNREACHABLE", doing, { cause });
  }
  return Buffer.concat(chunks).toString("utf8");
}
