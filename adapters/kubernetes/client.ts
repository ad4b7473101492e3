import { Agent, request } from "undici";
import { FirebreakError } from "../../core/model/error.ts";
import type { ClusterCredentials } from "./credentials.ts";

export type Method = "GET" | "POST" | "PUT" | "DELETE";

export interface CallOptions {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal: AbortSignal;
}

/** Answers above this are refused: a list page holds at most 500 objects of at most 1.5 MiB. */
const MAX_BODY_BYTES = 768 * 1024 * 1024;
const CALL_TIMEOUT_MS = 30_000;

/**
 * Raw JSON over one keep-alive connection pool per cluster. What goes out is what the caller built, byte for byte:
 * no typed model may rename `from` (DESIGN.md §6).
 */
export class KubernetesClient implements AsyncDisposable {
  readonly #credentials: ClusterCredentials;
  readonly #agent: Agent;

  constructor(credentials: ClusterCredentials) {
    this.#credentials = credentials;
    this.#agent = new Agent({
      connections: 16,
      keepAliveTimeout: 60_000,
      connect: { timeout: 5_000, ...withoutUndefined(credentials.tls) },
    });
  }

  /**
   * One call, JSON in and out.
   *
   * @throws FirebreakError CLUSTER_UNREACHABLE (network, 5xx, 429), CLUSTER_FORBIDDEN (401, 403), NOT_FOUND (404), CONFLICT (409, 410),
   *   API_REFUSED (any other refusal: the object is not acceptable)
   */
  async call(method: Method, path: string, options: CallOptions): Promise<unknown> {
    const doing = `${method} ${path}`;
    const signal = AbortSignal.any([options.signal, AbortSignal.timeout(CALL_TIMEOUT_MS)]);
    const response = await this.#send(method, path, options, signal, doing);
    const text = await readText(response.body, doing);
    if (response.statusCode >= 300) throw refusal(response.statusCode, text, doing);
    try {
      return text === "" ? undefined : (JSON.parse(text) as unknown);
    } catch (cause) {
      throw new FirebreakError("CLUSTER_UNREACHABLE", `${doing}: the answer is not JSON`, { cause });
    }
  }

  /**
   * The lines of a watch, parsed, until the server ends it or `idleMs` pass without a byte.
   *
   * @throws as {@link call}
   */
  async *watch(
    path: string,
    query: Readonly<Record<string, string>>,
    idleMs: number,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent> {
    const doing = `watch ${path}`;
    const response = await this.#send("GET", path, { query, signal }, signal, doing, idleMs);
    if (response.statusCode >= 300) throw refusal(response.statusCode, await readText(response.body, doing), doing);
    const decoder = new TextDecoder();
    let pending = "";
    try {
      for await (const chunk of response.body) {
        pending += decoder.decode(chunk as Buffer, { stream: true });
        const lines = pending.split("\n");
        pending = lines.pop() ?? "";
        for (const line of lines) if (line !== "") yield JSON.parse(line) as WatchEvent;
      }
    } catch (cause) {
      throw new FirebreakError("CLUSTER_UNREACHABLE", doing, { cause });
    }
  }

  async #send(method: Method, path: string, options: CallOptions, signal: AbortSignal, doing: string, idleMs = CALL_TIMEOUT_MS) {
    const headers: Record<string, string> = {
      accept: "application/json",
      "user-agent": "firebreak",
      ...(await this.#credentials.headers()),
    };
    if (options.body !== undefined) headers["content-type"] = "application/json";
    try {
      return await request(`${this.#credentials.server}${path}`, {
        method,
        headers,
        body: options.body === undefined ? null : JSON.stringify(options.body),
        query: { ...options.query },
        signal,
        dispatcher: this.#agent,
        headersTimeout: CALL_TIMEOUT_MS,
        bodyTimeout: idleMs,
      });
    } catch (cause) {
      throw new FirebreakError("CLUSTER_UNREACHABLE", doing, { cause });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }
}

/** One line of a watch. */
export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: unknown;
}

async function readText(body: AsyncIterable<Buffer>, doing: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      size += chunk.length;
      if (size > MAX_BODY_BYTES)
        throw new FirebreakError("API_REFUSED", `${doing}: the answer is larger than ${MAX_BODY_BYTES} bytes`);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof FirebreakError) throw cause;
    throw new FirebreakError("CLUSTER_UNREACHABLE", doing, { cause });
  }
  return Buffer.concat(chunks).toString("utf8");
}

function refusal(status: number, text: string, doing: string): FirebreakError {
  const said = new Error(`HTTP ${status}: ${messageOf(text)}`);
  if (status === 401 || status === 403) return new FirebreakError("CLUSTER_FORBIDDEN", doing, { cause: said });
  if (status === 404) return new FirebreakError("NOT_FOUND", doing, { cause: said });
  if (status === 409 || status === 410) return new FirebreakError("CONFLICT", doing, { cause: said });
  if (status === 429 || status >= 500) return new FirebreakError("CLUSTER_UNREACHABLE", doing, { cause: said });
  return new FirebreakError("API_REFUSED", doing, { cause: said });
}

/** The `message` of a metav1.Status, bounded; the server's text is data, never markup. */
function messageOf(text: string): string {
  try {
    const status = JSON.parse(text) as { message?: unknown };
    if (typeof status.message === "string") return status.message.slice(0, 500);
  } catch {
    // not JSON: a proxy's page; fall through to the raw text
  }
  return text.slice(0, 200);
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
