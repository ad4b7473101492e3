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
  for (const orphan of await listTargetRows(context.store)) {
    if (orphan.inGit || orphan.id === id || orphan.identity !== identity) continue;
    // It ends the enforcement of the orphan, so the store's word for who that is is not enough.
    if (context.facts.target(orphan.id).uid !== identity) continue;
    await context.trail.append([
      {
        // Of this process: the log may have told of it before, and of the orphan again since.
        id: `taken-over-${orphan.id}-${orphan.orphanedAtSequence ?? 0}-${context.start}`,
        type: "target.released",
        target: { kind: orphan.id.startsWith("cluster/") ? "cluster" : "host", id: orphan.id, uid: identity },
        actor: { kind: "system", id: "syncer" },
        reason: `taken over by ${id}, which is the same machine or cluster`,
      },
    ]);
    await forget(context, orphan.id, id);
  }
}

/**
 * Ends what a process that ended between the two writes of {@link takeOver} began: the log has let the orphan go, and the store still has it.
 * Before its next run, which would plan the old revision of the old name where the new one is in force.
 */
export async function finishTakeOvers(context: SyncerContext): Promise<void> {
  const rows = await listTargetRows(context.store);
  for (const orphan of rows) {
    if (orphan.inGit || context.facts.target(orphan.id).isReleased !== true) continue;
    const heir = rows.find(({ id, inGit }) => inGit && context.facts.target(id).uid === orphan.identity);
    if (heir !== undefined) await forget(context, orphan.id, heir.id);
  }
}

async function forget({ store, memberships, log, now }: SyncerContext, orphan: TargetId, heir: TargetId): Promise<void> {
  await forgetTarget(store, orphan, now(), findingEntries(now()));
  memberships.forget(orphan);
  log.info({ target: heir, orphan }, "took over an orphan");
}
