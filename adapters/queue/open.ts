import type { Backend, QueueReport } from "./backend.ts";
import { postgresBackend } from "./on-postgres.ts";
import { redisBackend } from "./on-redis.ts";
import { sessionBackend } from "./on-session.ts";
import { queueOn } from "./queue.ts";
import type { Queue } from "./queue.ts";
import type { QueueSession } from "./session-pool.ts";

/** Where jobs are. URLs carry credentials and are never logged. */
export type QueueLocation =
  /** In the embedded store's database: `store.session`. */
  | { readonly kind: "embedded"; readonly session: QueueSession }
  | { readonly kind: "postgres"; readonly url: string }
  /** Redis 7 or newer with `maxmemory-policy noeviction`. */
  | { readonly kind: "redis"; readonly url: string };

/** How to open. */
export interface QueueOptions {
  /** Gives up opening; once open, aborting it does nothing (use `close`). */
  readonly signal: AbortSignal;
  readonly report?: QueueReport;
}

/**
 * Opens the queue. Close it before the store whose session it uses.
 *
 * @throws QUEUE_UNAVAILABLE, or CONFIG_INVALID for a Redis that is too old or may evict jobs.
 * @example await using queue = await openQueue({ kind: "redis", url }, { signal });
 */
export async function openQueue(location: QueueLocation, options: QueueOptions): Promise<Queue> {
  const report = options.report ?? (() => undefined);
  return queueOn(await openBackend(location, options.signal, report), report);
}

function openBackend(location: QueueLocation, signal: AbortSignal, report: QueueReport): Promise<Backend> {
  switch (location.kind) {
    case "embedded":
      return sessionBackend(location.session);
    case "postgres":
      return postgresBackend(location.url, signal, report);
    case "redis":
      return redisBackend(location.url, signal, report);
    default:
      return location satisfies never;
  }
}
