import { checkStore, recordProcess, type Store } from "../adapters/store/index.ts";
import type { Queue } from "../adapters/queue/index.ts";
import type { ErrorShape } from "../core/api/shapes.ts";
import { FirebreakError } from "../core/ground/error.ts";
import { inTime } from "./deadline.ts";
import { Bell, runLoop } from "./loop.ts";
import type { Logger } from "./log.ts";
import type { Role } from "./parts.ts";
import type { Service } from "./service.ts";
import { storedError } from "./stored-error.ts";

/** What a process cannot do its work without. */
export type Need = "store" | "queue" | "log" | "definitions";

/** Something that is away, and since when this process knows. */
export interface Trouble {
  readonly need: Need;
  /** ms since the epoch */
  readonly since: number;
  readonly error: ErrorShape;
  /** It did not refuse, it gave no answer in time: also a busy machine does that. */
  readonly isSlow: boolean;
}

const EVERY_MS = 1_000;
/** Longer than any of these takes when it works; a stalled server must not look healthy. */
const PATIENCE_MS = 3_000;
/** Others take a process for gone when it was not heard of for three of these (`core/text/answers.ts` says so to people). */
export const HEARD_EVERY_MS = 5_000;

/** What no answer in time is called: whoever is slow is away, and that is no mistake of ours. */
const SLOW = {
  store: "STORE_UNAVAILABLE",
  queue: "QUEUE_UNAVAILABLE",
  log: "AUDIT_UNAVAILABLE",
  definitions: "GIT_UNREACHABLE",
} as const satisfies Readonly<Record<Need, string>>;

export interface HealthParts {
  readonly roles: readonly Role[];
  readonly start: string;
  readonly store: Store;
  readonly queue: Queue;
  /** Present where the log is: writes something small to its disk and takes it away again. */
  readonly probeLog: (() => Promise<void>) | undefined;
  /** Services of this process, as far as they have started. */
  readonly services: () => readonly Service[];
  readonly log: Logger;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/**
 * Knows what this process lacks, by asking every second, and not by what failed last: nothing may fail for hours because there is
 * nothing to do, and what is back must be told as back without anybody's doing. Says so to /readyz, and through the store to `status`
 * of every other process.
 */
export class Health {
  readonly #parts: HealthParts;
  readonly #troubles = new Map<Need, Trouble>();
  #said: { readonly text: string; readonly at: number } | undefined;

  constructor(parts: HealthParts) {
    this.#parts = parts;
  }

  /** What is away now. */
  troubles(): readonly Trouble[] {
    return [...this.#troubles.values()];
  }

  /** Asks until the signal aborts. */
  async run(): Promise<void> {
    const { log, signal } = this.#parts;
    await runLoop({ name: "health", log, signal, everyMs: () => EVERY_MS, bell: new Bell() }, async () => await this.#look());
  }

  async #look(): Promise<void> {
    const { store, queue, probeLog, roles } = this.#parts;
    const asked: Promise<void>[] = [this.#ask("store", async () => await checkStore(store))];
    // The console only reads the store; without the queue nothing is applied or repaired.
    if (roles.includes("syncer") || roles.includes("drift")) asked.push(this.#ask("queue", async () => await queue.check()));
    if (probeLog !== undefined) asked.push(this.#ask("log", probeLog));
    asked.push(this.#ask("definitions", async () => await Promise.resolve(this.#lacking())));
    await Promise.all(asked);
    if (!this.#troubles.has("store")) await this.#say();
  }

  /** What a service found out by itself. */
  #lacking(): void {
    for (const service of this.#parts.services()) {
      const lacks = service.lacks?.();
      if (lacks !== undefined) throw new Lacking(lacks);
    }
  }

  async #ask(need: Need, check: () => Promise<void>): Promise<void> {
    const { log, now } = this.#parts;
    try {
      await inTime(check(), PATIENCE_MS, () => new TooSlow(SLOW[need], `no answer within ${PATIENCE_MS} ms`));
      if (!this.#troubles.delete(need)) return;
      log.info({ need }, "back again");
    } catch (error) {
      const known = this.#troubles.get(need);
      this.#troubles.set(need, {
        need,
        since: known?.since ?? now(),
        error: error instanceof Lacking ? error.shape : storedError(error),
        isSlow: error instanceof TooSlow,
      });
      if (known === undefined) log.error({ need, error }, "away: what needs it waits, and goes on by itself");
    }
  }

  async #say(): Promise<void> {
    const { store, roles, start, now } = this.#parts;
    const troubles = this.troubles();
    const text = JSON.stringify(troubles);
    if (this.#said?.text === text && Math.abs(now() - this.#said.at) < HEARD_EVERY_MS) return;
    for (const role of roles)
      await recordProcess(store, { role, start, troubles: role === "syncer" || roles.length === 1 ? troubles : [] });
    this.#said = { text, at: now() };
  }
}

/** Told in the words of the service that lacks it. */
class Lacking extends Error {
  readonly shape: ErrorShape;

  constructor(shape: ErrorShape) {
    super(shape.message);
    this.shape = shape;
  }
}

/** No answer in time. */
class TooSlow extends FirebreakError {}
