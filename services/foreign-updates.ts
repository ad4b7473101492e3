import type { StoredFinding } from "../adapters/store/index.ts";
import type { Severity } from "../core/finding/finding.ts";
import type { TargetId } from "../core/model/kinds.ts";

/** Of one target and window so many updates of other people's policies have an entry in the log each. */
const MOST = 5;
const WINDOW_MS = 60_000;

const RANK: Readonly<Record<Severity, number>> = { critical: 0, high: 1, medium: 2, low: 3, info: 4 };

/** What the log is told of. */
export interface Chosen {
  readonly told: readonly StoredFinding[];
  /** How many, of this time and before, have no entry of their own. */
  readonly untold: number;
}

/**
 * Bounds how the log grows by updates of other people's policies: what one of them opens depends on the others, so whoever has many changes
 * what is said of all of them by writing one. The worst come first; how many were left out stands in the next entry that is written. Status,
 * channels and issues tell all of them, and that a finding is opened or resolved always has its entry.
 */
export class ForeignUpdates {
  readonly #windows = new Map<TargetId, { readonly since: number; readonly told: number }>();
  readonly #untold = new Map<TargetId, number>();

  /** Which of the updates of one comparison have an entry each. */
  choose(updated: readonly StoredFinding[], now: number): Chosen {
    const [first] = updated;
    if (first === undefined) return { told: [], untold: 0 };
    const ours = updated.filter(({ foreign }) => !foreign);
    const foreign = updated.filter((finding) => finding.foreign).toSorted((a, b) => RANK[a.severity] - RANK[b.severity]);
    const window = this.#window(first.target, now);
    const chosen = foreign.slice(0, Math.max(0, MOST - window.told));
    this.#windows.set(first.target, { ...window, told: window.told + chosen.length });
    const told = [...ours, ...chosen];
    const untold = (this.#untold.get(first.target) ?? 0) + foreign.length - chosen.length;
    this.#untold.set(first.target, told.length === 0 ? untold : 0);
    return { told, untold: told.length === 0 ? 0 : untold };
  }

  /** The window that is open; a clock that went back opens another one. */
  #window(target: TargetId, now: number): { readonly since: number; readonly told: number } {
    const window = this.#windows.get(target);
    return window !== undefined && now >= window.since && now < window.since + WINDOW_MS ? window : { since: now, told: 0 };
  }
}
