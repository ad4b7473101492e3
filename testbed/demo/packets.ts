/** Packets that are sent again and again while something happens, to see when a way opens and when it closes. */
import { setTimeout as delay } from "node:timers/promises";
import { probe, type Place } from "../probe.ts";
import { waitFor } from "../wait.ts";

const EVERY_MS = 40;
/** How long silence is waited for; an open way answers in a few milliseconds. */
const SILENCE_MS = 300;
const DEADLINE_MS = 120_000;

/** A way that is watched: from a place to a port of another. */
export interface Way {
  readonly from: Place;
  readonly to: Place;
  readonly port: number;
  /** As people read it: `order-input → cust-record:8443`. */
  readonly name: string;
}

interface Seen {
  /** When the connection was attempted, ms since the epoch. */
  readonly at: number;
  readonly isOpen: boolean;
}

export interface PacketWatch extends AsyncDisposable {
  /** Waits for an attempt begun at or after `since` with this outcome; returns when it began, ms since the epoch. */
  first(isOpen: boolean, since: number): Promise<number>;
  /** From the first open attempt since this moment to the last one; undefined when none was open. */
  openSince(since: number): { readonly from: number; readonly to: number } | undefined;
}

/** Begins to send; dispose it to end. */
export function watchPackets({ from, to, port, name }: Way, signal: AbortSignal): PacketWatch {
  const seen: Seen[] = [];
  let failure: unknown;
  const stop = new AbortController();
  const attempt = async (): Promise<void> => {
    const at = Date.now();
    try {
      seen.push({ at, isOpen: (await probe(from, to, { port, timeoutMs: SILENCE_MS })) === "open" });
    } catch (error) {
      failure = error;
    }
  };
  const sending = (async () => {
    const under: Promise<void>[] = [];
    while (!stop.signal.aborted && !signal.aborted) {
      under.push(attempt());
      await delay(EVERY_MS);
    }
    await Promise.all(under);
  })();
  return {
    async first(isOpen, since) {
      const what = `${name} is ${isOpen ? "open" : "closed"}`;
      const found = await waitFor(() => failed(failure) ?? seen.find((one) => one.at >= since && one.isOpen === isOpen), {
        what,
        timeoutMs: DEADLINE_MS,
        signal,
      });
      return found.at;
    },
    openSince(since) {
      const times = seen.filter(({ at, isOpen }) => isOpen && at >= since).map(({ at }) => at);
      return times.length === 0 ? undefined : { from: Math.min(...times), to: Math.max(...times) };
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await sending;
    },
  };
}

function failed(failure: unknown): undefined {
  if (failure !== undefined) throw failure as Error; // an agent that ended; what it throws is an Error
  return undefined;
}
