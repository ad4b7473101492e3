import { pruneStore, targetsWithOpenWork } from "../../adapters/store/index.ts";
import { runLoop } from "../loop.ts";
import { closeOpenIntents } from "./recover.ts";
import type { SyncerContext } from "./context.ts";

const EVERY_MS = 5_000;
const PRUNE_EVERY_MS = 3_600_000;
/** Closed rows are kept this long for people to look at; what must be kept for good is in the log. */
const KEEP_MS = 7 * 24 * 3_600_000;

/**
 * Puts a job in the queue for every target with open work whose time has come: what a lost queue, a crash between two writes, or
 * a back-off that ran out left behind (DESIGN.md §5 "The queue is not the truth"). Closes intents whose outcome the log did not take.
 */
export async function sweep(context: SyncerContext): Promise<void> {
  const { store, queue, log, signal, now } = context;
  let prunedAt = 0;
  await runLoop({ name: "sweep", log, signal, everyMs: () => EVERY_MS }, async () => {
    if (context.only.whyNot() === undefined) await closeOpenIntents(context);
    for (const target of await targetsWithOpenWork(store, now())) await queue.enqueue(target);
    if (now() - prunedAt < PRUNE_EVERY_MS) return;
    prunedAt = now();
    await pruneStore(store, now() - KEEP_MS);
  });
}
