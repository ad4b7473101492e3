import { addWork, listTargetRows, recordOrphan, recordTargets } from "../../adapters/store/index.ts";
import { findTarget, listTargets } from "../../core/model/target.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import type { SyncerContext } from "./context.ts";
import { auditTarget } from "./entries.ts";

/**
 * Targets that the revision in force names and the store does not: they are written there again, and looked after. Without a row nobody would
 * compare or heal them until the next revision.
 */
export async function restoreLostTargets({ store, accepted, inForce, takingUp, queue, now, log }: SyncerContext): Promise<void> {
  // One that was accepted and is not in force yet names others.
  if (inForce === undefined || takingUp !== undefined || accepted.newest?.revision !== inForce.sequence) return;
  const rows = new Map((await listTargetRows(store)).map((row) => [row.id, row]));
  const named = listTargets(inForce.definitions);
  const lost = named.filter(({ id }) => rows.get(id)?.inGit !== true || rows.get(id)?.wantedSequence === null);
  if (lost.length === 0) return;
  const all = named.map(({ id, mode, labels }) => ({ id, mode, labels }));
  await recordTargets(store, all, inForce.sequence, now());
  const work = lost.map(({ id }) => ({ target: id, kind: "start" as const, detail: {} }));
  await addWork(store, work, now());
  for (const { id } of lost) await queue.enqueue(id);
  log.error(
    { targets: lost.map(({ id }) => id) },
    "the store did not know targets any more that the revision in force names; it knows them again",
  );
}

/**
 * Targets gone from Git that the log knows and the store does not: they are written there again, and looked after. Without a row nobody would
 * compare or heal what is still enforced there, and its workloads would be members nowhere: a release that nobody asked for.
 */
export async function restoreLostOrphans(context: SyncerContext): Promise<void> {
  const { store, accepted, facts, now, log, trail } = context;
  const rows = new Map((await listTargetRows(store)).map((row) => [row.id, row]));
  const lost = [...facts.orphans()].flatMap(([id, orphanedBy]): readonly (readonly [TargetId, number])[] => {
    const row = rows.get(id);
    return row === undefined || row.inGit || row.wantedSequence === null ? [[id, orphanedBy]] : [];
  });
  for (const [id, orphanedBy] of lost) {
    if ((await named(context, id, accepted.newest?.revision)) !== undefined) continue;
    const sequence = accepted.before(orphanedBy);
    const target = await named(context, id, sequence);
    if (target === undefined || sequence === undefined) continue;
    await recordOrphan(store, target, { sequence, orphanedAt: orphanedBy }, now());
    await addWork(store, [{ target: id, kind: "start", detail: {} }], now());
    await context.queue.enqueue(id);
    // An acceptance that ended half-way left it as named by Git: that is nobody's doing.
    if (rows.get(id)?.inGit === true) continue;
    const message = `the store did not know ${id} any more, which is gone from Git, was not released and is still enforced; it knows it again`;
    log.error({ target: id }, message);
    const error = { code: "STORE_CONTRADICTS_LOG", messages: [message] };
    const entry = { type: "store.rejected", target: auditTarget(id, facts.target(id).uid), outcome: "denied", error } as const;
    await trail.append([{ id: `orphan-restored-${id}-${orphanedBy}-${context.start}`, ...entry }]);
  }
}

/** The target as a revision names it; undefined where it does not. */
async function named({ accepted, definitions, inForce, signal }: SyncerContext, id: TargetId, sequence: number | undefined) {
  if (inForce !== undefined && inForce.sequence === sequence) return findTarget(inForce.definitions, id);
  const commit = sequence === undefined ? undefined : accepted.commitOf(sequence);
  if (commit === undefined) return undefined;
  const { definitions: read } = await definitions.read(commit, signal);
  return read === undefined ? undefined : findTarget(read, id);
}
