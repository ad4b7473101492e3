import { insertPending, waitIntegrated, type Store } from "../adapters/store/index.ts";
import type { Trail } from "../core/audit/trail.ts";
import { FirebreakError } from "../core/ground/error.ts";

/** A sequencer that takes longer is treated as away; the entry waits in the table all the same. */
const TIMEOUT_MS = 15_000;

/**
 * The log as a process sees it that does not hold it: entries go through a table, and are durable once the sequencer took them over.
 *
 * The checkpoint of a receipt is empty here: only the holder of the key signs one.
 */
export function storeTrail(store: Store, now: () => number, signal: AbortSignal): Trail {
  return {
    async append(entries) {
      const stamped = entries.map((entry) => ({ time: new Date(now()).toISOString(), ...entry }));
      await insertPending(
        store,
        stamped.map((input) => ({ id: input.id, input })),
        now(),
      );
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
      let numbers: ReadonlyMap<string, number>;
      try {
        numbers = await waitIntegrated(
          store,
          stamped.map(({ id }) => id),
          deadline,
        );
      } catch (cause) {
        throw new FirebreakError("AUDIT_UNAVAILABLE", "wait for the audit log to take entries over; does the syncer run?", {
          cause,
        });
      }
      return stamped.map(({ id }) => ({ id, seq: numbers.get(id) ?? 0, isDuplicate: false, checkpoint: "" }));
    },
  };
}
