/** A service that runs until the signal of its parts aborts. */
export interface Service {
  /** Resolves when it has stopped. */
  readonly done: Promise<void>;
  /** Why it should get no traffic now; undefined: it is ready. */
  notReady(): string | undefined;
}
