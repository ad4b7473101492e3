import { forgetTarget, listTargetRows } from "../../adapters/store/index.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import { findingEntries } from "../findings.ts";
import type { SyncerContext } from "./context.ts";

/**
 * A target that proves to be an orphan under a new name takes it over: a rename is a removal and an addition
 * (docs/design/contracts.md "Vocabulary"), and
 * only the cluster's UID or the host's key tells that nothing was lost.
 */
export async function takeOver(context: SyncerContext, id: TargetId, identity: string): Promise<void> {
  if (identity === "") return;
  const rows = await listTargetRows(context.store);
  for (const orphan of rows) {
    if (orphan.inGit || orphan.id === id || orphan.identity !== identity) continue;
    // It ends the enforcement of the orphan, so the store's word for who that is is not enough.
    if (context.facts.target(orphan.id).uid !== identity) continue;
    await context.trail.append([
      {
        id: `taken-over-${orphan.id}-${orphan.orphanedAtSequence ?? 0}`,
        type: "target.released",
        target: { kind: orphan.id.startsWith("cluster/") ? "cluster" : "host", id: orphan.id, uid: identity },
        actor: { kind: "system", id: "syncer" },
        reason: `taken over by ${id}, which is the same machine or cluster`,
      },
    ]);
    await forgetTarget(context.store, orphan.id, context.now(), findingEntries(context.now()));
    context.memberships.forget(orphan.id);
    context.log.info({ target: id, orphan: orphan.id }, "took over an orphan");
  }
}
