import { afterAll, beforeAll, expect, test } from "vitest";
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

test("a server that is away is STORE_UNAVAILABLE, with the cause and without the password", async () => {
  const failed = await openStore({ kind: "postgres", url: "postgres://u:s3cret@127.0.0.1:1/x" }, options()).catch(
    (error: unknown) => error,
  );
  expect(failed).toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect(String(failed) + JSON.stringify(failed)).not.toContain("s3cret");
});
