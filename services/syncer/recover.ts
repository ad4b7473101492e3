import { addWork, currentRevision, giveBackRequests, listTargetRows, releaseLeasesOf } from "../../adapters/store/index.ts";
import type { TrailReader } from "../../core/audit/trail.ts";
import { holdAgainstLog } from "./accepted.ts";
import { takeUp } from "./branch.ts";
import { restoreLostFindings } from "./lost-findings.ts";
import type { SyncerContext } from "./context.ts";
import { finishTakeOvers } from "./takeover.ts";

/**
 * Reads which commits were accepted, and makes the store know what the log knows: the log is fsynced and the store is not.
 *
 * Numbering goes on, the revision in force is the one that was, and a target gone from Git is an orphan again and not forgotten.
 *
 * @throws FirebreakError STORE_CONTRADICTS_LOG
 */
export async function replayLog(context: SyncerContext, trail: TrailReader): Promise<void> {
  await context.accepted.catchUp(trail);
  const wasLost = (await currentRevision(context.store)) === undefined;
  const lacked = await holdAgainstLog(context);
  if (wasLost && lacked > 0) await restoreLostFindings(context, trail);
  if (lacked > 0) context.log.warn({ revisions: lacked }, "the store was behind the log and was completed from it");
}

/**
 * Closes intents that have no outcome and no run: a process ended between the two, or the log took no outcome (a full disk). What
 * happened is not known; nothing is redone silently.
 */
export async function closeOpenIntents(context: SyncerContext): Promise<void> {
  // Taken at the same moment as what is open: a run that ends while the entries are read has told its outcome itself.
  const flying = new Set(context.flying);
  const intents = (await context.openIntents()).filter(({ id }) => !flying.has(id));
  if (intents.length === 0) return;
  await context.trail.append(
    intents.map((intent) => ({
      id: `recovered-${intent.seq}`,
      type: "apply.outcome",
      target: intent.target,
      plan: intent.plan,
      outcome: "unknown",
      recovered: true,
      causedBy: intent.seq,
      ...(intent.generation === undefined ? {} : { generation: intent.generation }),
    })),
  );
  context.log.warn({ intents: intents.length }, "intents without an outcome were closed as unknown");
}

/**
 * Gives up what the last life of this syncer held: nobody else writes or answers, so leases and requests need not wait until its time is up.
 * A person whose request was under way gets the answer of this process.
 */
export async function endLastLife({ store, holder }: Pick<SyncerContext, "store" | "holder">): Promise<void> {
  await releaseLeasesOf(store, holder);
  await giveBackRequests(store);
}

/** Takes up the revision that was in force, and gives every target work: the first run finds out what is live. */
export async function resume(context: SyncerContext): Promise<void> {
  const { store, now } = context;
  await takeUp(context);
  await finishTakeOvers(context);
  if (context.inForce === undefined) return;
  const rows = await listTargetRows(store);
  await addWork(
    store,
    rows.map(({ id }) => ({ target: id, kind: "start" as const, detail: {} })),
    now(),
  );
  for (const { id } of rows) await context.queue.enqueue(id);
}
