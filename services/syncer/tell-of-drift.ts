import { listFindings, recordHeal, type TargetRow } from "../../adapters/store/index.ts";
import { FIGHT_WINDOW_MS } from "../../core/drift/respond.ts";
import type { Finding } from "../../core/drift/finding.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import { compareClusterWithAll, compareHostWithAll, type States } from "../compare.ts";
import { expectationOf, intendedOf } from "../expected.ts";
import { recordFindings } from "../findings.ts";
import { liveSequence } from "../live-mark.ts";
import type { SyncerContext } from "./context.ts";
import type { Planned } from "./planning.ts";

/**
 * Records what a run is about to undo and the drift detector has not seen: somebody wrote between its last look and ours. Repaired
 * is not told; without this the change would be gone without a trace.
 *
 * After a run that ended in the middle, and on a second try within one, what differs may be our own half: then what parts from both
 * states is told, so that tampering during an apply, or between a crash and its recovery, leaves its trace too.
 */
export async function tellOfDrift(context: SyncerContext, planned: Planned, row: TargetRow): Promise<void> {
  const { inForce, now, store } = context;
  if (inForce === undefined) return;
  // From before a backup was restored: what lost revisions wrote cannot be told from what somebody else did. The log has the gap.
  const newest = Math.max(row.appliedSequence ?? 0, row.intent?.sequence ?? 0);
  if (liveSequence(planned.observation, context.instance) > newest) return;
  const expectation = await expectationOf(context, row);
  if (expectation === undefined) return;
  const intended = await intendedOf(context, row);
  const states: States = intended === undefined ? [expectation] : [expectation, intended];
  const findings = compare(context, states, planned).filter(({ healable }) => healable);
  if (findings.length === 0) return;
  const target = row.inGit ? expectation.target : undefined;
  // Of no kind, so that nothing is resolved: that is said only once the target was read back and looked at.
  const { opened } = await recordFindings(
    context,
    inForce.definitions.workspace,
    { id: row.id, target, kinds: [], findings },
    now(),
  );
  for (const { fingerprint } of opened) await recordHeal(store, fingerprint, now(), FIGHT_WINDOW_MS);
}

/** An apply that somebody undid before it was read back was a repair all the same: it counts towards a fight. */
export async function countRepairs({ store, now }: SyncerContext, target: TargetId): Promise<void> {
  const open = await listFindings(store, { open: true, target });
  const repaired = open.filter(({ healTimes, stopped }) => healTimes.length > 0 && !stopped);
  for (const { fingerprint } of repaired) await recordHeal(store, fingerprint, now(), FIGHT_WINDOW_MS);
}

function compare(context: SyncerContext, states: States, { observation, resolved, enforcer }: Planned): readonly Finding[] {
  if (observation.kind === "host") return compareHostWithAll(states, observation).findings;
  const inventory = context.clusters.connection(resolved.target.id).inventory();
  return compareClusterWithAll(states, observation, inventory, enforcer).findings;
}
