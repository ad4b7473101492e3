import { setTimeout as sleep } from "node:timers/promises";
import { tryExclusive, type HeldLock, type Store } from "../../adapters/store/index.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import type { Logger } from "../log.ts";

const LOCK = "syncer";
const RETRY_MS = 500;
/** How long a start waits: the server needs a moment to notice that a killed process is gone. */
const PATIENCE_MS = 15_000;

/**
 * That this is the only syncer of its database. Two would have two logs, each with a part of what was done.
 *
 * The lock lives with a connection. When that breaks, nothing is written until the lock is back: somebody else may have it.
 */
export class OnlySyncer {
  readonly #store: Store;
  readonly #log: Logger;
  #held: HeldLock | undefined;

  private constructor(store: Store, log: Logger, held: HeldLock) {
    this.#store = store;
    this.#log = log;
    this.#held = held;
  }

  /** @throws FirebreakError STATE_LOCKED when another syncer works on this database */
  static async open(store: Store, log: Logger, signal: AbortSignal, patienceMs = PATIENCE_MS): Promise<OnlySyncer> {
    for (let waited = 0; ; waited += RETRY_MS) {
      const held = await tryExclusive(store, LOCK);
      if (held !== undefined) return new OnlySyncer(store, log, held);
      if (waited >= patienceMs)
        throw new FirebreakError(
          "STATE_LOCKED",
          "another syncer works on this database, with a log of its own: stop it first, or give this one a database of its own",
        );
      await sleep(RETRY_MS, undefined, { signal });
    }
  }

  /** Why nothing may be written now; undefined while the lock is held. */
  whyNot(): string | undefined {
    return this.#held?.lost.aborted === false
      ? undefined
      : "the database's lock of the syncer is lost, and perhaps another's: nothing is written until it is back";
  }

  /** Aborted when the lock is lost. @throws FirebreakError STATE_LOCKED when it is not held now */
  signal(): AbortSignal {
    const why = this.whyNot();
    if (why !== undefined || this.#held === undefined) throw new FirebreakError("STATE_LOCKED", why ?? "");
    return this.#held.lost;
  }

  /** Takes a lost lock again as soon as it can be had, until the signal aborts; then gives it back. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.whyNot() !== undefined) await this.#takeAgain();
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined); // aborted: the loop ends
    }
    await this.#held?.[Symbol.asyncDispose]();
  }

  async #takeAgain(): Promise<void> {
    try {
      this.#held = (await tryExclusive(this.#store, LOCK)) ?? this.#held;
      if (this.whyNot() === undefined) this.#log.info({ lock: LOCK }, "the database's lock is back");
    } catch (error) {
      this.#log.debug({ lock: LOCK, error }, "the database's lock cannot be asked for");
    }
  }
}
