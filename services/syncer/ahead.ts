import { FirebreakError } from "../../core/ground/error.ts";
import type { TargetRow } from "../../adapters/store/index.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import type { Observation } from "../../core/observed/observation.ts";
import type { SyncerContext } from "./context.ts";
import { auditTarget } from "./entries.ts";
import type { ResolvedTarget } from "./resolve.ts";
import { believedMarks } from "./seals.ts";

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
 * Refuses to plan a revision for a target that carries one as new which Firebreak does not know to have written there: store and log were
 * restored from a backup, and the world has moved on. Nothing older is applied, and no other commit under the same number. The gap goes into
 * the log, and the branch is read again: its head comes into force once more, under a number above all that are live, and is then applied as
 * any revision.
 *
 * What was written to a target is what counts, and not what was accepted: after a restore the branch's head is accepted anew, under a number
 * that a lost revision may have had.
 *
 * Only numbers that Firebreak gave count, see `seals.ts`: a mark that somebody put on his object, or raised, is drift, and keeps no target from
 * being repaired, also not while the branch's head is refused.
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
  row: TargetRow | undefined,
): Promise<void> {
  const { trail, branchBell, gaps } = context;
  const known = await newestWritten(context, target.id, row);
  const numbers = believedMarks(context, target.id, observation, known).map((mark) => mark.sequence);
  const live = numbers.reduce((most, number) => Math.max(most, number), 0);
  if (live <= known) gaps.seenLevel(target.id);
  if (live <= known || live > Math.max(known, sequence) + MOST_AHEAD || !gaps.mayBeRestored(target.id)) return;
  if (!gaps.explains(target.id, live)) {
    gaps.found(target.id, live);
    await trail.append([
      {
        id: `log-gap-${target.id}-${live}-after-${known}`,
        type: "log.gap",
        target: auditTarget(target.id, undefined),
        revision: live,
        outcome: "unknown",
        detail: { known, live, means: "what was accepted, applied and found between the two is not in this log" },
      },
    ]);
    context.log.error({ target: target.id, live, known }, "a target is ahead of the log: was a backup restored?");
  }
  if (live < sequence) return;
  if (live > context.ahead) {
    context.ahead = live;
    branchBell.ring();
  }
  throw new FirebreakError(
    "TARGET_AHEAD",
    `${target.id} carries revision ${live}, the log knows of ${known} there, and ${sequence} is to be planned: nothing older is applied`,
  );
}

/** The newest revision that Firebreak wrote to a target or began to, by store and log; 0: none. */
async function newestWritten({ lastApply }: SyncerContext, id: TargetId, row: TargetRow | undefined): Promise<number> {
  const { applied, begun } = await lastApply(id);
  return Math.max(row?.appliedSequence ?? 0, row?.intent?.sequence ?? 0, applied?.revision ?? 0, begun?.revision ?? 0);
}
