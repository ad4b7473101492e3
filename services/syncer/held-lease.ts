import { randomUUID } from "node:crypto";
import { acquireLease, releaseLease, renewLease, type Lease, type Store } from "../../adapters/store/index.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import { pause } from "../pause.ts";
import type { SyncerContext } from "./context.ts";

/** How old the last proof that the lease is ours may be when the next step is sent. */
const PROOF_MS = 2_000;

/**
 * A lease that a run holds, and the proof of it before each step: a process that was stopped for ten minutes goes on in the middle of a
 * plan, perhaps after another run wrote a newer one.
 */
export class HeldLease {
  readonly #store: Store;
  readonly #lease: Lease;
  readonly #ttlMs: number;
  readonly #clock: () => number;
  #provenAt: number;

  /** @param clock ms that go on while the process is stopped, and never back */
  constructor(store: Store, lease: Lease, ttlMs: number, clock: () => number = () => performance.now()) {
    this.#store = store;
    this.#lease = lease;
    this.#ttlMs = ttlMs;
    this.#clock = clock;
    this.#provenAt = clock();
  }

  /** @throws FirebreakError TARGET_LOCKED when somebody else has it: nothing more may be sent */
  async prove(): Promise<void> {
    if (this.#clock() - this.#provenAt >= PROOF_MS) await this.renew();
  }

  /** Keeps it. @throws FirebreakError TARGET_LOCKED, STORE_UNAVAILABLE */
  async renew(): Promise<void> {
    const at = this.#clock();
    if (!(await renewLease(this.#store, this.#lease, this.#ttlMs)))
      throw new FirebreakError(
        "TARGET_LOCKED",
        `the lease of ${this.#lease.target} is lost: another run has taken over, or it ran out`,
      );
    this.#provenAt = at;
  }
}

/** How long what a person asks of a target waits for a run that has it, and how often it is tried. */
const PATIENCE_MS = 15_000;
const RETRY_MS = 200;

/**
 * The lease of a target for what a person asks: a run that has it right now ends in a moment, and no person should have to try again for that.
 *
 * @throws FirebreakError TARGET_LOCKED
 */
export async function takeLease(
  { store, holder, elapsed, signal }: Pick<SyncerContext, "store" | "holder" | "elapsed" | "signal">,
  id: TargetId,
  ttlMs: number,
): Promise<Lease> {
  const until = elapsed() + PATIENCE_MS;
  for (;;) {
    const lease = await acquireLease(store, id, `${holder}${randomUUID()}`, ttlMs);
    if (lease !== undefined) return lease;
    if (elapsed() >= until) throw new FirebreakError("TARGET_LOCKED", `${id} is being written right now; try again`);
    await pause(RETRY_MS, signal);
  }
}

/**
 * Gives back the leases of runs that have ended. One that the store did not take (it was away) is tried again by the sweep: the run it is of
 * is over, and its target would wait until it runs out.
 */
export async function giveBackLeases({ store, unreleased }: Pick<SyncerContext, "store" | "unreleased">): Promise<void> {
  for (const lease of unreleased) {
    await releaseLease(store, lease);
    unreleased.delete(lease);
  }
}

/** Ends a run's lease, now or, where the store does not answer, with the sweep. */
export async function endLease(context: Pick<SyncerContext, "store" | "unreleased" | "log">, lease: Lease): Promise<void> {
  context.unreleased.add(lease);
  await giveBackLeases(context).catch((error: unknown) =>
    context.log.debug({ target: lease.target, error }, "the sweep gives the lease back"),
  );
}
