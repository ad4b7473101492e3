import type { ErrorShape } from "../core/api/shapes.ts";

/** Why a service should get no traffic now. */
export interface NotReady {
  /** For whoever asks: names nothing. */
  readonly brief: string;
  /** For whoever may read `status`. */
  readonly detail?: string;
}

/** A service that runs until the signal of its parts aborts. */
export interface Service {
  /** Resolves when it has stopped. */
  readonly done: Promise<void>;
  /** Undefined: it is ready. */
  notReady(): NotReady | undefined;
  /** What it cannot do its work without and does not have, beside store, queue and log; undefined: nothing. */
  lacks?(): ErrorShape | undefined;
}
