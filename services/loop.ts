import type { Logger } from "./log.ts";

/** Something with a wake-up bell: sleeps until the time is over or somebody rings. */
export class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Resolves at the ring (also one that came before), after `ms`, or when the signal aborts. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener("abort", done);
          this.#wake = undefined;
          resolve();
        };
        const timer = setTimeout(done, ms);
        signal.addEventListener("abort", done);
        this.#wake = done;
      });
    }
    this.#rung = false;
  }
}

export interface LoopOptions {
  readonly name: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Pause between two rounds, ms; asked before each, so that it may carry jitter. */
  readonly everyMs: () => number;
  readonly bell?: Bell;
}

/** Runs one round after another until the signal aborts. A failing round is logged and the next one comes: a loop never dies. */
export async function runLoop(options: LoopOptions, round: () => Promise<void>): Promise<void> {
  const bell = options.bell ?? new Bell();
  while (!options.signal.aborted) {
    try {
      await round();
    } catch (error) {
      if (options.signal.aborted) return;
      options.log.warn({ loop: options.name, error }, "round failed, will retry");
    }
    await bell.wait(options.everyMs(), options.signal);
  }
}

/** `ms` ± 20 %, so that many instances do not ask at the same moment. */
export function withJitter(ms: number, random: () => number): number {
  return ms * (0.8 + 0.4 * random());
}
