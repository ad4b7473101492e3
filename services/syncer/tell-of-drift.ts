import { listFindings, recordHeal, type TargetRow } from "../../adapters/store/index.ts";
import { FIGHT_WINDOW_MS } from "../../core/drift/respond.ts";
import type { Finding } from "../../core/finding/finding.ts";
import { notComparable } from "../../core/drift/not-comparable.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import type { States } from "../compare.ts";
import { recordFindings } from "../findings.ts";
import { findIn } from "../looks.ts";
import type { SyncerContext } from "./context.ts";
import { howLeft } from "./last-left.ts";
import type { Planned } from "./planning.ts";

/**
 * Records what a run is about to undo and the drift detector has not seen: somebody wrote between its last look and ours. Repaired
 * is not told; without this the change would be gone without a trace.
 *
 * After a run that ended in the middle, and on a second try within one, what differs may be our own half: then what parts from both
 * states is told, so that tampering during an apply, or between a crash and its recovery, leaves its trace too. A store that was lost is no
 * excuse: the log says what was there.
 */
export async function tellOfDrift(context: SyncerContext, planned: Planned, row: TargetRow): Promise<void> {
  const { inForce, now, store } = context;
  if (inForce === undefined) return;
  const left = await howLeft(context, planned, row);
  if (left.kind === "nothing") return;
  const findings = left.kind === "known" ? await find(context, left.states, planned) : [notComparable(row.id, left.why)];
  if (findings.length === 0) return;
  const target = row.inGit ? planned.resolved.target : undefined;
  // Of no kind, so that nothing is resolved: that is said only once the target was read back and looked at.
  const { opened } = await recordFindings(
    context,
    inForce.definitions.workspace,
    { id: row.id, target, kinds: [], findings },
    now(),
  );
  for (const { fingerprint } of opened.filter(({ healable }) => healable))
    await recordHeal(store, fingerprint, now(), FIGHT_WINDOW_MS);
}

/** An apply that somebody undid before it was read back was a repair all the same: it counts towards a fight. */
export async function countRepairs({ store, now }: SyncerContext, target: TargetId): Promise<void> {
  const open = await listFindings(store, { open: true, target, limit: 10_000 });
  const repaired = open.filter(({ healTimes, stopped }) => healTimes.length > 0 && !stopped);
  for (const { fingerprint } of repaired) await recordHeal(store, fingerprint, now(), FIGHT_WINDOW_MS);
}

/** What could not be compared is repaired all the same: that nobody could compare it is all that is ever told. */
async function find(context: SyncerContext, states: States, planned: Planned): Promise<readonly Finding[]> {
  const { observation, resolved, enforcer } = planned;
  const { id } = resolved.target;
  const look =
    observation.kind === "host"
      ? { kind: "host" as const, states, observation }
      : { kind: "cluster" as const, states, observation, inventory: context.clusters.connection(id).inventory(), enforcer };
  const { findings } = await findIn(context, look);
  return findings.filter(({ healable, kind }) => healable || kind === "not-comparable");
}
