import { listFindings, recordHeal, type TargetRow } from "../../adapters/store/index.ts";
import { FIGHT_WINDOW_MS } from "../../core/drift/respond.ts";
import type { Finding } from "../../core/drift/finding.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import { compareClusterWith, compareHostWith } from "../compare.ts";
import { expectationOf, type Expectation } from "../expected.ts";
import { recordFindings } from "../findings.ts";
import { liveSequence } from "../live-mark.ts";
import type { SyncerContext } from "./context.ts";
import type { Planned } from "./planning.ts";

/**
 * Records what a run is about to undo and the drift detector has not seen: somebody wrote between its last look and ours. Repaired
 * is not told; without this the change would be gone without a trace.
 *
 * Not after a run that ended in the middle: what differs then may be our own half.
 */
export async function tellOfDrift(context: SyncerContext, planned: Planned, row: TargetRow): Promise<void> {
  const { inForce, now, store } = context;
  if (inForce === undefined || row.intent !== null) return;
  // From before a backup was restored: what lost revisions wrote cannot be told from what somebody else did. The log has the gap.
  if (liveSequence(planned.observation, context.instance) > (row.appliedSequence ?? 0)) return;
  const expectation = await expectationOf(context, row);
  if (expectation === undefined) return;
  const findings = compare(context, expectation, planned).filter(({ healable }) => healable);
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

function compare(
  context: SyncerContext,
  expectation: Expectation,
  { observation, resolved, enforcer }: Planned,
): readonly Finding[] {
  if (observation.kind === "host") return compareHostWith(expectation, observation).findings;
  const inventory = context.clusters.connection(resolved.target.id).inventory();
  return compareClusterWith(expectation, observation, inventory, enforcer).findings;
}
