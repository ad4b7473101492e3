/** Probes ways again and again: an attempt at each of them every few hundred ms, whether or not the last one was answered. */
import { probe } from "./probe.ts";
import type { Ask, Attempt } from "./protocol.ts";

type WatchAsk = Extract<Ask, { kind: "watch" }>;

/** Kept at most; a reader that does not come for hours loses the oldest. */
const MOST_KEPT = 100_000;

let timers: readonly NodeJS.Timeout[] = [];
let attempts: Attempt[] = [];

/** Begins; what was watched before is watched no more. */
export function startWatch({ ways, everyMs, timeoutMs }: WatchAsk): void {
  stopWatch();
  timers = ways.map(({ address, port }, way) => {
    const attempt = async (): Promise<void> => {
      const at = Date.now();
      const { verdict } = await probe({ kind: "probe", address, port, protocol: "tcp", timeoutMs });
      attempts.push({ way, at, tookMs: Date.now() - at, isOpen: verdict === "open" });
      if (attempts.length > MOST_KEPT) attempts = attempts.slice(MOST_KEPT / 10);
    };
    return setInterval(() => void attempt(), everyMs);
  });
}

export function stopWatch(): void {
  for (const timer of timers) clearInterval(timer);
  timers = [];
}

/** What was tried since the last call. */
export function takeAttempts(): readonly Attempt[] {
  const taken = attempts;
  attempts = [];
  return taken;
}
