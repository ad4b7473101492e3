import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { transact } from "../../../adapters/store/session.ts";
import { openLog } from "../../../services/log.ts";
import { OnlySyncer } from "../../../services/syncer/only-syncer.ts";
import { listOpenWork, notify, openStore, subscribe, tryExclusive } from "../../../adapters/store/index.ts";
import { startPostgres } from "../../support/postgres-fixture.ts";
import type { PostgresFixture } from "../../support/postgres-fixture.ts";
import { until } from "../../support/until.ts";

let server: PostgresFixture;
const options = () => ({ signal: AbortSignal.timeout(60_000) });

beforeAll(async () => {
  server = await startPostgres();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

test("processes that start together migrate once (would catch: a crash of every replica but one)", async () => {
  const url = await server.createDatabase();
  const stores = await Promise.all(Array.from({ length: 5 }, () => openStore({ kind: "postgres", url }, options())));
  for (const store of stores) expect(await listOpenWork(store)).toEqual([]);
  for (const store of stores) await store.close();
});

test("broken connections come back, subscribers are told that they may have missed something, a lock is lost", async () => {
  const url = await server.createDatabase();
  const reports: string[] = [];
  await using store = await openStore({ kind: "postgres", url }, { ...options(), report: (event) => reports.push(event) });
  const heard: (string | undefined)[] = [];
  subscribe(store, "work", (payload) => heard.push(payload));
  await using held = await tryExclusive(store, "sequencer");
  expect(held).toBeDefined();
  await server.breakConnections();
  await until(() => held?.lost.aborted === true);
  await until(() => heard.includes(undefined));
  expect(reports).toContain("connection-back");
  await until(() =>
    notify(store, "work", "again").then(
      () => heard.includes("again"),
      () => false,
    ),
  );
  await until(async () => {
    await using again = await tryExclusive(store, "sequencer");
    return again !== undefined;
  });
});

test("connections that are cut while runs have them cost those runs only (would catch: an `error` that nobody listens to ends the process)", async () => {
  const url = await server.createDatabase();
  await using store = await openStore({ kind: "postgres", url }, options());
  for (let round = 0; round < 5; round += 1) {
    const cut = server.breakConnections;
    const between = transact(store, "two statements", async (tx) => {
      await sql`SELECT 1`.execute(tx);
      await cut();
      // The socket's end is heard while no statement runs.
      await until(() =>
        sql`SELECT 1`.execute(tx).then(
          () => false,
          () => true,
        ),
      );
    });
    const others = Array.from({ length: 4 }, () => listOpenWork(store));
    await Promise.allSettled([between, ...others]);
  }
  await until(() =>
    listOpenWork(store).then(
      () => true,
      () => false,
    ),
  );
});

test("a second syncer on one database is refused; a lock that was lost stops writing until it is back (would catch: two logs, each with a part)", async () => {
  const url = await server.createDatabase();
  await using one = await openStore({ kind: "postgres", url }, options());
  await using two = await openStore({ kind: "postgres", url }, options());
  const log = openLog("error", "test");
  const stop = new AbortController();
  const first = await OnlySyncer.open(one, log, stop.signal);
  await expect(OnlySyncer.open(two, log, stop.signal, 0)).rejects.toMatchObject({ code: "STATE_LOCKED" });
  const held = first.signal();
  const running = first.run(stop.signal);
  try {
    await server.breakConnections();
    await until(() => held.aborted);
    await until(() => first.whyNot() === undefined);
    expect(first.signal()).not.toBe(held);
    await expect(OnlySyncer.open(two, log, stop.signal, 0)).rejects.toMatchObject({ code: "STATE_LOCKED" });
  } finally {
    stop.abort();
    await running;
  }
  await OnlySyncer.open(two, log, new AbortController().signal, 0);
});

test("a server that is away is STORE_UNAVAILABLE, with the cause and without the password", async () => {
  const failed = await openStore({ kind: "postgres", url: "postgres://u:s3cret@127.0.0.1:1/x" }, options()).catch(
    (error: unknown) => error,
  );
  expect(failed).toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect(String(failed) + JSON.stringify(failed)).not.toContain("s3cret");
});
