import { recordWatch, type StoredGap } from "../../adapters/store/index.ts";
import type { EntryInput } from "../../core/audit/entry.ts";
import { runLoop } from "../loop.ts";
import type { DriftContext } from "./context.ts";

const EVERY_MS = 2_000;
/** A longer pause is a gap: this process did not run, or was stopped. */
const LONGEST_MS = 15_000;

/**
 * Keeps a record of when findings could be recorded. What came and went while the store was away, or while nobody looked, is told by nobody
 * afterwards: that there was such a time has to be, in `status` and in the log.
 */
export async function watchTheWatch(context: Pick<DriftContext, "store" | "log" | "signal">): Promise<void> {
  const { store, log, signal } = context;
  let isGap = false;
  await runLoop({ name: "watched", log, signal, everyMs: () => EVERY_MS }, async () => {
    try {
      const gap = await recordWatch(store, { role: "drift", longestMs: LONGEST_MS, isGap, entryOf });
      isGap = false;
      if (gap !== undefined) log.warn(detailOf(gap), "for a while nothing could be recorded: what came and went is not known");
    } catch (error) {
      isGap = true;
      throw error;
    }
  });
}

function entryOf(gap: StoredGap): { readonly id: string; readonly input: EntryInput } {
  const id = `watch-gap-${gap.from}-${gap.until}`;
  return { id, input: { id, type: "watch.gap", outcome: "unknown", detail: detailOf(gap) } };
}

function detailOf({ from, until }: StoredGap): { readonly from: string; readonly until: string } {
  return { from: new Date(from).toISOString(), until: new Date(until).toISOString() };
}
