import { FirebreakError, hasCode } from "../../core/ground/error.ts";
import type { KubernetesClient } from "./client.ts";

const PAGE_SIZE = "500";
/** A list whose continue token expires (410, after five minutes or a compaction) is begun anew this often. */
const RESTARTS = 3;

/**
 * Lists a resource in pages of 500: whole, or an error, never a part.
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
  for (;;) {
    const query: Record<string, string> = {
      limit: PAGE_SIZE,
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(token === undefined ? {} : { continue: token }),
    };
    const page = parsePage(await client.call("GET", path, { query, signal }), path);
    for (const object of page.items) items.push(keep(object));
    if (page.continue === undefined) return { items, resourceVersion: page.resourceVersion };
    token = page.continue;
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
