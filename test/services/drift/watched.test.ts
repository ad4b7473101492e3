/** A store that is away takes nothing with it: what could not be recorded is said, and nobody ends. On a real store. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql, type KyselyPlugin } from "kysely";
import { pino } from "pino";
import { afterEach, beforeEach, expect, it } from "vitest";
import { listProcesses, openStore, recordProcess, takePending, type Store } from "../../../adapters/store/index.ts";
import { tell, type TellContext } from "../../../services/drift/notify/tell.ts";
import { watchTheWatch } from "../../../services/drift/watched.ts";
import { waitFor } from "../../../testbed/wait.ts";

const log = pino({ level: "silent" });
let folder: string;
let store: Store;
let stop: AbortController;
/** Statements that were refused because the store was away. */
let refused: number;
let isAway: boolean;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "fb-watched-"));
  stop = new AbortController();
  [refused, isAway] = [0, false];
  store = await openStore({ kind: "embedded", folder }, { signal: AbortSignal.timeout(60_000) });
  await recordProcess(store, { role: "drift", start: "1", troubles: [] });
});

afterEach(async () => {
  stop.abort();
  await store?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The store, as a process sees it while it is away now and then. */
function shaky(): Store {
  const plugin: KyselyPlugin = {
    transformQuery({ node }) {
      if (!isAway) return node;
      refused += 1;
      throw new Error("Connection terminated");
    },
    transformResult: async ({ result }) => await Promise.resolve(result),
  };
  return { ...store, db: store.db.withPlugin(plugin) };
}

async function gaps(): Promise<readonly unknown[]> {
  return (await listProcesses(store)).flatMap((row) => row.gaps);
}

async function told(): Promise<readonly unknown[]> {
  return (await takePending(store, 100)).map(({ input }) => input);
}

async function isWatched(): Promise<boolean> {
  const rows = await store.db.selectFrom("firebreak.processes").select("watchedAt").execute();
  return rows.some(({ watchedAt }) => watchedAt !== null);
}

// Would catch: somebody's policy comes and goes while the store is away, and nothing ever says that nobody was looking.
it("a time in which nothing could be recorded is in status and in the log, and there is none without one", async () => {
  const watching = watchTheWatch({ store: shaky(), log, signal: stop.signal });
  await waitFor(isWatched, { what: "it watches", timeoutMs: 60_000 });
  expect([await gaps(), await told()]).toEqual([[], []]);
  isAway = true;
  await waitFor(() => refused > 0, { what: "the store is missed", timeoutMs: 60_000 });
  isAway = false;
  await waitFor(async () => (await gaps()).length > 0, { what: "the gap is told", timeoutMs: 60_000 });
  const gap = { from: expect.any(Number) as number, until: expect.any(Number) as number };
  expect(await gaps()).toEqual([gap]);
  const detail = { from: expect.stringContaining("T") as string, until: expect.stringContaining("T") as string };
  expect(await told()).toEqual([expect.objectContaining({ type: "watch.gap", detail })]);
  stop.abort();
  await watching;
});

// Would catch: the detector was dead, or stopped, for an hour, and after its start everything looks as if it had been there.
it("so is a time in which nobody watched", async () => {
  await sql`UPDATE firebreak.processes SET watched_at = clock_timestamp() - interval '1 hour'`.execute(store.db);
  const watching = watchTheWatch({ store, log, signal: stop.signal });
  await waitFor(async () => (await gaps()).length > 0, { what: "the gap is told", timeoutMs: 60_000 });
  stop.abort();
  await watching;
  expect(await told()).toHaveLength(1);
});

// Would catch: a store that is away at the moment of the start ends the detector.
it("telling begins when the store is there, and ends nothing before", async () => {
  isAway = true;
  const context = { store: shaky(), log, signal: stop.signal, now: Date.now, trail: {} } as unknown as TellContext; // nothing is told
  let isOver = false;
  const telling = tell(context, new Map()).finally(() => (isOver = true));
  await waitFor(() => refused > 1, { what: "it asks again", timeoutMs: 60_000 });
  expect(isOver).toBe(false);
  stop.abort();
  await telling;
});
