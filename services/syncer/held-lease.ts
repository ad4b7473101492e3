import { renewLease, type Lease, type Store } from "../../adapters/store/index.ts";
import { FirebreakError } from "../../core/ground/error.ts";

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
