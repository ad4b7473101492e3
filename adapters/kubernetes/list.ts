import { FirebreakError, hasCode } from "../../core/ground/error.ts";
import type { KubernetesClient } from "./client.ts";

const PAGE_SIZE = 500;
/** A page is read at once, in some 20 ms. What is longer is asked for in smaller pages: tenants decide how large objects are. */
const PAGE_BYTES = 2 * 1024 * 1024;
/** A list whose continue token expires (410, after five minutes or a compaction) is begun anew this often. */
const RESTARTS = 3;

/**
 * Lists a resource in pages of 500, or of as few as 2 MiB hold: whole, or an error, never a part.
 *
 * @param labelSelector only objects that it selects, as the API server reads it
 * @param keep called for each object on arrival; what it returns is kept, so that whole objects need not stay in memory
 * @throws FirebreakError as `KubernetesClient.call`; CONFLICT when the list expired again and again while it was read
 */
export async function listAll<T>(
  client: KubernetesClient,
  path: string,
  keep: (object: unknown) => T,
  signal: AbortSignal,
  labelSelector?: string,
): Promise<{ readonly items: readonly T[]; readonly resourceVersion: string }> {
  for (let restarts = 0; ; restarts++) {
    try {
      return await listOnce(client, path, keep, signal, labelSelector);
    } catch (error) {
      if (!hasCode(error, "CONFLICT") || restarts >= RESTARTS) throw error;
    }
  }
}

async function listOnce<T>(
  client: KubernetesClient,
  path: string,
  keep: (object: unknown) => T,
  signal: AbortSignal,
  labelSelector: string | undefined,
) {
  const items: T[] = [];
  let token: string | undefined;
  let limit = PAGE_SIZE;
  for (;;) {
    const query: Record<string, string> = {
      limit: String(limit),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(token === undefined ? {} : { continue: token }),
    };
    const answer = await callPage(client, path, query, limit, signal);
    if (answer === TOO_LONG) {
      limit = Math.ceil(limit / 5);
      continue;
    }
    const page = parsePage(answer, path);
    for (const object of page.items) items.push(keep(object));
    if (page.continue === undefined) return { items, resourceVersion: page.resourceVersion };
    token = page.continue;
    limit = Math.min(PAGE_SIZE, limit * 2);
  }
}

const TOO_LONG = Symbol("too long");

/** @returns TOO_LONG for a page that fewer objects would make shorter */
async function callPage(
  client: KubernetesClient,
  path: string,
  query: Readonly<Record<string, string>>,
  limit: number,
  signal: AbortSignal,
) {
  try {
    return await client.call("GET", path, { query, signal, ...(limit > 1 ? { mostBytes: PAGE_BYTES } : {}) });
  } catch (error) {
    if (hasCode(error, "LIMIT_EXCEEDED")) return TOO_LONG;
    throw error;
  }
}

/** A Kubernetes List, checked to be one: anything else is a failed listing, not an empty one. */
function parsePage(answer: unknown, path: string) {
  const list = answer as { items?: unknown; metadata?: { resourceVersion?: unknown; continue?: unknown } } | null | undefined;
  const resourceVersion = list?.metadata?.resourceVersion;
  const items = list?.items;
  if (!Array.isArray(items) || typeof resourceVersion !== "string" || resourceVersion === "") {
    throw new FirebreakError("CLUSTER_UNREACHABLE", `list ${path}: the answer is not a list`);
  }
  const token = list?.metadata?.continue;
  return {
    items: items as readonly unknown[],
    resourceVersion,
    continue: typeof token === "string" && token !== "" ? token : undefined,
  };
}
