import { recordReplaced, targetRow } from "../../adapters/store/index.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import type { SyncerContext } from "./context.ts";
import { auditTarget } from "./entries.ts";
import { endLease, takeLease } from "./held-lease.ts";

const LEASE_MS = 120_000;

/**
 * A person says that a name stands for another cluster from now on: exactly the one with this UID. It is then taken up as if it had
 * never been applied; nothing that is known of the old one counts for it.
 *
 * @throws FirebreakError USAGE when the cluster that answers has another UID; TARGET_LOCKED while a run has the target
 */
export async function acceptReplaced(context: SyncerContext, id: TargetId, uid: string, actor: string): Promise<void> {
  const { store, trail, signal } = context;
  const observation = await context.clusters.connection(id).readObservation(signal);
  if (observation.uid !== uid)
    throw new FirebreakError("USAGE", `the cluster that answers as ${id} has the UID ${observation.uid}, and not ${uid}`);
  const lease = await takeLease(context, id, LEASE_MS);
  try {
    const stored = (await targetRow(store, id))?.identity ?? "";
    const logged = context.facts.target(id).uid;
    if (stored === uid && (logged ?? uid) === uid) return;
    // A process that ended between the two writes below has told the log already.
    const before = logged === undefined || logged === uid ? stored : logged;
    await trail.append([
      {
        id: `replaced-${id}-${lease.fencing}-${context.start}`,
        type: "target.replaced",
        target: auditTarget(id, uid),
        actor: { kind: "token", id: actor },
        detail: { before, after: uid },
      },
    ]);
    await recordReplaced(store, id, lease.fencing, uid);
  } finally {
    await endLease(context, lease);
  }
}
