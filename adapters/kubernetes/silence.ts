import { setTimeout as sleep } from "node:timers/promises";

/** A signal that aborts when the outer one does, or when `heard` was not called in time: a connection may be dead without an end. */
export class SilenceGuard implements Disposable {
  readonly signal: AbortSignal;
  readonly #silent = new AbortController();
  #timer: NodeJS.Timeout;

  constructor(limitMs: number, outer: AbortSignal) {
    this.signal = AbortSignal.any([outer, this.#silent.signal]);
    this.#timer = this.#arm(limitMs);
  }

  /** Something came; the next may take this long. */
  heard(limitMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = this.#arm(limitMs);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #arm(limitMs: number): NodeJS.Timeout {
    return setTimeout(() => this.#silent.abort(new Error(`not a word for ${limitMs} ms`)), limitMs);
  }
}

/** Waits, or returns early when the signal aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
