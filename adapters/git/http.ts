import type { GitHttpRequest, GitHttpResponse, HttpClient } from "isomorphic-git";
import { FirebreakError } from "../../core/model/error.ts";

/** A repository of definitions is small; more than this in one answer is a mistake or an attack. */
export const MAX_RESPONSE_BYTES = 256 * 1024 * 1024;

/**
 * HTTP for isomorphic-git that stops when the signal says so (its own client is not given one by `fetch`), and that refuses
 * answers without end. Redirects are followed; the platform drops credentials when they lead to another origin.
 */
export function abortableHttp(signal: AbortSignal): HttpClient {
  return {
    async request({ url, method = "GET", headers = {}, body }: GitHttpRequest): Promise<GitHttpResponse> {
      const content = body === undefined ? null : await collect(body);
      const response = await fetch(url, { method, headers, body: content, signal, redirect: "follow" });
      return {
        url: response.url,
        method,
        statusCode: response.status,
        statusMessage: response.statusText,
        headers: Object.fromEntries(response.headers),
        body: limited(response.body),
      };
    },
  };
}

async function collect(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const joined = Buffer.concat(chunks);
  return new Uint8Array(joined.buffer, joined.byteOffset, joined.byteLength);
}

async function* limited(body: AsyncIterable<Uint8Array> | null): AsyncGenerator<Uint8Array, void, void> {
  let total = 0;
  for await (const chunk of body ?? []) {
    total += chunk.byteLength;
    if (total > MAX_RESPONSE_BYTES) {
      throw new FirebreakError(
        "LIMIT_EXCEEDED",
        `the Git server sent more than ${MAX_RESPONSE_BYTES / 1024 / 1024} MiB: use a repository of its own for definitions`,
      );
    }
    yield chunk;
  }
}
