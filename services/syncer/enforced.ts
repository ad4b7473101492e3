import { listTargetRows } from "../../adapters/store/index.ts";
import { acceptedRevision } from "../accepted-revision.ts";
import type { Definitions, TargetId } from "../../core/model/kinds.ts";
import type { SyncerContext } from "./context.ts";

/**
 * Targets that enforce by other definitions than those in force: only planned now, or gone from Git. What they enforce counts against
 * the limits too, so that no detour over `mode: plan` or a removal takes workloads out of isolation unseen.
 */
export async function enforcedElsewhere(
  context: Pick<SyncerContext, "store" | "accepted" | "definitions" | "signal">,
): Promise<ReadonlyMap<TargetId, Definitions>> {
  const { store, definitions, signal } = context;
  const enforced = new Map<TargetId, Definitions>();
  for (const row of await listTargetRows(store)) {
    if (row.appliedSequence === null || (row.mode === "apply" && row.inGit)) continue;
    const applied = await acceptedRevision(context, row.appliedSequence);
    if (applied !== undefined) enforced.set(row.id, await definitions.accepted(applied.commit, signal));
  }
  return enforced;
}
