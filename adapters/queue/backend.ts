/**
 * What the three places where jobs can be have in common: they hand BullMQ a connection and, where it is not Redis, the factory
 * of its backend.
 */
export interface Backend {
  readonly kind: "embedded" | "postgres" | "redis";
  createQueue<Q>(create: (connection: unknown, factory: unknown) => Q): Promise<Q>;
  createWorker<W>(create: (connection: unknown, factory: unknown) => W): W;
  /** Asks the server whether it answers; nothing to ask where the queue lies in the store, which is asked itself. */
  check(): Promise<void>;
  /** Closes what it opened itself; BullMQ closes the rest. */
  close(): Promise<void>;
}

/** Something people should know that is no error of a call: passed to the caller's log. */
export type QueueReport = (
  event: "queue-error" | "handler-failed" | "job-taken-over" | "eviction-unknown",
  detail: unknown,
) => void;
