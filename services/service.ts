import type { ErrorShape } from "../core/api/shapes.ts";

/** A service that runs until the signal of its parts aborts. */
export interface Service {
  /** Resolves when it has stopped. */
  readonly done: Promise<void>;
  /** Why it should get no traffic now; undefined: it is ready. */
  notReady(): string | undefined;
  /** What it cannot do its work without and does not have, beside store, queue and log; undefined: nothing. */
  lacks?(): ErrorShape | undefined;
}
