import { markIntegrated, subscribe, takePending } from "../../adapters/store/index.ts";
import { integratePending } from "../../adapters/trail/relay.ts";
import { Bell, runLoop } from "../loop.ts";
import type { SyncerContext } from "./context.ts";

const POLL_MS = 1_000;
const BATCH = 256;

/** Takes entries of other processes over into the log: this process holds its key, they do not. */
export async function relayEntries(context: SyncerContext): Promise<void> {
  const { store, trail, log, signal, now } = context;
  const source = {
    takePending: async (limit: number) => {
      const rows = await takePending(store, limit);
      // Nobody but this process can write to the embedded store.
      const writerOf = (role: string): string | undefined => (store.kind === "embedded" ? undefined : role);
      return rows.map(({ id, input, writtenBy }) => ({ rowId: id, input, writer: writerOf(writtenBy) }));
    },
    markIntegrated: async (rows: readonly { readonly rowId: string; readonly seq: number }[]) =>
      await markIntegrated(
        store,
        rows.map(({ rowId, seq }) => ({ id: rowId, seq })),
        now(),
      ),
  };
  const bell = new Bell();
  const unsubscribe = subscribe(store, "entries", () => bell.ring());
  try {
    await runLoop({ name: "relay", log, signal, everyMs: () => POLL_MS, bell }, async () => {
      if (context.only.whyNot() !== undefined) return;
      while ((await integratePending({ trail, source, now: now(), limit: BATCH })) === BATCH);
    });
  } finally {
    unsubscribe();
  }
}
