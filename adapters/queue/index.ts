/** The queue: which targets to reconcile next. Not the truth; the store's work table is. */
export { openQueueEventually } from "./eventual.ts";
export { lookAtRedis } from "./look.ts";
export type { RedisLook } from "./look.ts";
export { openQueue } from "./open.ts";
export type { QueueLocation, QueueOptions } from "./open.ts";
export type { QueueReport } from "./backend.ts";
export type { Handler, Queue } from "./queue.ts";
export type { QueueSession } from "./session-pool.ts";
