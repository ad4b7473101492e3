import { FirebreakError } from "../../core/ground/error.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import type { Observation } from "../../core/observed/observation.ts";
import { liveSequence } from "../live-mark.ts";
import type { SyncerContext } from "./context.ts";
import { auditTarget } from "./entries.ts";
import type { ResolvedTarget } from "./resolve.ts";

/** A mark further ahead than this is not one that we wrote: believing it would let whoever writes it choose our numbers. */
const MOST_AHEAD = 100_000;

/** What this process knows of how targets stand to its log; see {@link refuseOlder}. */
export class Gaps {
  /** Targets that it once saw at a revision of the log, or brought there. */
  readonly #level = new Set<TargetId>();
  /** The highest number that each target carried when its gap was logged. */
  readonly #found = new Map<TargetId, number>();

  /** True until a target was once seen not to be ahead: only a process that begins with a restored backup meets targets that are. */
  mayBeRestored(id: TargetId): boolean {
    return !this.#level.has(id);
  }

  /** The target carried this number when the process met it. */
  found(id: TargetId, live: number): void {
    this.#found.set(id, live);
  }

  /** True while what is live may be the work of revisions that the log lost: its gap was logged, and it was not brought forward yet. */
  explains(id: TargetId, live: number): boolean {
    return live <= (this.#found.get(id) ?? 0);
  }

  /** The target was seen at a revision that the log knows; while its gap is open that says nothing. */
  seenLevel(id: TargetId): void {
    if (!this.#found.has(id)) this.#level.add(id);
  }

  /** The target was applied and read back. */
  closed(id: TargetId): void {
    this.#found.delete(id);
    this.#level.add(id);
  }
}

/**
 * Refuses to plan a revision for a target that carries a newer one: store and log were restored from a backup, and the world has moved on.
 * Nothing older is applied. The gap goes into the log, and the branch is read again: its head comes into force once more, under a number
 * above all that are live, and is then applied as any revision.
 *
 * A backup is restored while nobody runs. So a target that this process has seen at a revision of the log, and that is ahead later, had its
 * mark raised by somebody: that is drift, told (`ahead-of-log`) and healed, and no number is taken from it.
 *
 * @throws FirebreakError TARGET_AHEAD
 */
export async function refuseOlder(
  context: SyncerContext,
  { target, sequence }: Pick<ResolvedTarget, "target" | "sequence">,
  observation: Observation,
): Promise<void> {
  const { instance, trail, branchBell, gaps } = context;
  const live = liveSequence(observation, instance);
  if (live <= sequence) gaps.seenLevel(target.id);
  if (live <= sequence || live > sequence + MOST_AHEAD || !gaps.mayBeRestored(target.id)) return;
  gaps.found(target.id, live);
  if (live > context.ahead) {
    await trail.append([
      {
        id: `log-gap-${target.id}-${live}-after-${sequence}`,
        type: "log.gap",
        target: auditTarget(target.id, undefined),
        revision: live,
        outcome: "unknown",
        detail: { known: sequence, live, means: "what was accepted, applied and found between the two is not in this log" },
      },
    ]);
    context.ahead = live;
    context.log.error({ target: target.id, live, known: sequence }, "a target is ahead of the log: was a backup restored?");
    branchBell.ring();
  }
  throw new FirebreakError(
    "TARGET_AHEAD",
    `${target.id} carries revision ${live}, and ${sequence} is to be planned: nothing older is applied`,
  );
}
