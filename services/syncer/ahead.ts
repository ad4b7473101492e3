import { FirebreakError } from "../../core/model/error.ts";
import type { Observation } from "../../core/plan/observation.ts";
import { liveSequence } from "../live-mark.ts";
import type { SyncerContext } from "./context.ts";
import { auditTarget } from "./entries.ts";
import type { ResolvedTarget } from "./resolve.ts";

/** A mark further ahead than this is not one that we wrote: believing it would let whoever writes it choose our numbers. */
const MOST_AHEAD = 100_000;

/**
 * Refuses to plan a revision for a target that carries a newer one: store and log were restored from a backup, and the world has moved on.
 * Nothing older is applied. The gap goes into the log, and the branch is read again: its head comes into force once more, under a number
 * above all that are live, and is then applied as any revision.
 *
 * @throws FirebreakError TARGET_AHEAD
 */
export async function refuseOlder(
  context: SyncerContext,
  { target, sequence }: Pick<ResolvedTarget, "target" | "sequence">,
  observation: Observation,
): Promise<void> {
  const { instance, trail, branchBell } = context;
  const live = liveSequence(observation, instance);
  if (live <= sequence || live > sequence + MOST_AHEAD) return;
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
