import type { GitHttpRequest, GitHttpResponse, HttpClient } from "isomorphic-git";
import { FirebreakError } from "../../core/ground/error.ts";
import { BRANCH_LIMITS, checkPack, packIn, type FetchLimits } from "./pack.ts";

/**
 * HTTP for isomorphic-git that stops when the signal says so (its own client is not given one by `fetch`), and that refuses
 * answers without end and packs that are larger than they look. Redirects are followed on the server of the URL only: what another one says is not what the operator
 * configured, and a request to it might be made in our name from inside our network.
 */
export function abortableHttp(signal: AbortSignal, limits: FetchLimits = BRANCH_LIMITS): HttpClient {
  return {
    async request({ url, method = "GET", headers = {}, body }: GitHttpRequest): Promise<GitHttpResponse> {
      const content = body === undefined ? null : await collect(body);
      const response = await fetchOnServer(url, { method, headers, body: content, signal });
      return {
        url: response.url,
        method,
        statusCode: response.status,
        statusMessage: response.statusText,
        headers: Object.fromEntries(response.headers),
        body: method === "POST" ? checked(response.body, limits) : limited(response.body, limits.packBytes),
      };
    },
  };
}

/** Hops of one request; a forge that renamed a repository needs one. */
const MAX_REDIRECTS = 5;

async function fetchOnServer(url: string, init: RequestInit): Promise<Response> {
  let at = new URL(url);
  for (let hops = 0; hops <= MAX_REDIRECTS; hops += 1) {
    const response = await fetch(at.href, { ...init, redirect: "manual" });
    const location = response.headers.get("location");
    if (response.status < 300 || response.status > 399 || location === null) return response;
    await response.body?.cancel();
    const next = URL.parse(location, at.href);
    if (next === null || !isSameServer(at, next)) {
      const where = next === null ? "nowhere" : next.origin;
      throw new FirebreakError(
        "GIT_UNREACHABLE",
        `the Git server redirects to ${where}, which is not followed: write the repository's own URL if it has moved`,
      );
    }
    at = next;
  }
  throw new FirebreakError("GIT_UNREACHABLE", `the Git server redirects more than ${MAX_REDIRECTS} times`);
}

/** The same origin, or the same name with encryption added. */
function isSameServer(from: URL, to: URL): boolean {
  if (from.origin === to.origin) return true;
  return from.protocol === "http:" && to.protocol === "https:" && from.hostname === to.hostname && to.port === "";
}

async function collect(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const joined = Buffer.concat(chunks);
  return new Uint8Array(joined.buffer, joined.byteOffset, joined.byteLength);
}

/** The one POST that there is asks for a pack: it is looked at whole, before any of it is inflated. */
async function* checked(body: AsyncIterable<Uint8Array> | null, limits: FetchLimits): AsyncGenerator<Uint8Array, void, void> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of limited(body, limits.packBytes)) chunks.push(chunk);
  const answer = Buffer.concat(chunks);
  checkPack(packIn(answer), limits);
  yield answer;
}

async function* limited(body: AsyncIterable<Uint8Array> | null, maxBytes: number): AsyncGenerator<Uint8Array, void, void> {
  let total = 0;
  for await (const chunk of body ?? []) {
    total += chunk.byteLength;
    if (total > maxBytes) {
      throw new FirebreakError(
        "LIMIT_EXCEEDED",
        `the Git server sent more than ${maxBytes / 1024 / 1024} MiB: use a repository of its own for definitions`,
      );
    }
    yield chunk;
  }
}
