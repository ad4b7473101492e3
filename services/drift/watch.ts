import { listTargetRows, subscribe } from "../../adapters/store/index.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import pLimit from "p-limit";
import { Bell, runLoop, withJitter } from "../loop.ts";
import type { DriftContext } from "./context.ts";
import { look } from "./look.ts";

/** A burst of events in one cluster is one look. */
const COALESCE_MS = 100;
const BUSY_AGAIN_MS = 300;
const FAILED_AGAIN_MS = 5_000;
/** Looks at the same time: each is an ssh command or a list. */
const CONCURRENCY = 16;

/**
 * Decides when to look at which target: hosts on a schedule, clusters when their policy objects change and now and then all the same,
 * every target after the syncer wrote to it.
 */
export class Watch {
  readonly #context: DriftContext;
  readonly #bell = new Bell();
  /** When each target is due, by `elapsed`: a clock that is set back must not stop the looking. */
  readonly #due = new Map<TargetId, number>();
  readonly #running = new Set<TargetId>();
  /** Looks in a row that found a target busy. */
  readonly #busy = new Map<TargetId, number>();
  readonly #limit = pLimit(CONCURRENCY);

  constructor(context: DriftContext) {
    this.#context = context;
  }

  /** To be called when something changed in a target. */
  markChanged(target: TargetId): void {
    this.#plan(target, this.#context.elapsed() + COALESCE_MS);
  }

  /** Runs until the detector stops. */
  async run(): Promise<void> {
    const { store, log, signal, elapsed } = this.#context;
    const unsubscribe = subscribe(store, "targets", (payload) => {
      if (payload !== undefined && payload !== "") this.markChanged(payload);
    });
    const looks = new Set<Promise<void>>();
    try {
      await runLoop({ name: "watch", log, signal, everyMs: () => this.#untilNext(), bell: this.#bell }, async () => {
        for (const { id } of await listTargetRows(store)) if (!this.#due.has(id)) this.#due.set(id, elapsed());
        for (const [target, at] of this.#due) {
          if (at > elapsed() || this.#running.has(target)) continue;
          this.#running.add(target);
          this.#due.set(target, elapsed() + this.#everyMs(target));
          const running = this.#limit(async () => await this.#look(target)).finally(() => looks.delete(running));
          looks.add(running);
        }
      });
      await Promise.all(looks);
    } finally {
      unsubscribe();
    }
  }

  async #look(target: TargetId): Promise<void> {
    const { log, signal, now, elapsed } = this.#context;
    try {
      if (signal.aborted) return;
      const busyLooks = this.#busy.get(target) ?? 0;
      const outcome = await look(this.#context, target, busyLooks);
      if (outcome === "busy") this.#busy.set(target, busyLooks + 1);
      else this.#busy.delete(target);
      const again = this.#context.lookAgain.get(target);
      this.#context.lookAgain.delete(target);
      if (again !== undefined) this.#plan(target, elapsed() + Math.max(0, again - now()));
      if (outcome === "busy") this.#plan(target, elapsed() + BUSY_AGAIN_MS);
      if (outcome === "failed") this.#plan(target, elapsed() + FAILED_AGAIN_MS);
    } catch (error) {
      if (!signal.aborted) log.warn({ target, error }, "look could not be recorded, will look again");
    } finally {
      this.#running.delete(target);
      this.#bell.ring();
    }
  }

  #plan(target: TargetId, at: number): void {
    this.#due.set(target, Math.min(this.#due.get(target) ?? at, at));
    this.#bell.ring();
  }

  #everyMs(target: TargetId): number {
    const { hosts, clusters } = this.#context.settings;
    return withJitter(target.startsWith("cluster/") ? clusters.readEvery : hosts.readEvery, this.#context.random);
  }

  #untilNext(): number {
    const waiting = [...this.#due].filter(([target]) => !this.#running.has(target)).map(([, at]) => at);
    return Math.min(1_000, Math.max(0, Math.min(...waiting, Number.MAX_SAFE_INTEGER) - this.#context.elapsed()));
  }
}
