import { readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { lookAtPostgres, openStore } from "../../../adapters/store/index.ts";
import { SCHEMA_VERSION } from "../../../adapters/store/migrations.ts";
import { startPostgres, type PostgresFixture } from "../../support/postgres-fixture.ts";

let server: PostgresFixture;

beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

async function as(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}

// Bugs: looking makes a schema; a role without rights ends the look; drift's role is told as one that may do all.
test("a Postgres server says version, schema and what our role may do, and is left as it was", async () => {
  const url = await server.createDatabase();
  const empty = await lookAtPostgres(url);
  expect(empty).toMatchObject({ schema: 0, wanted: SCHEMA_VERSION, mayMake: true, isReadOnly: false, role: "postgres" });
  expect(empty.version).toMatch(/^\d+\.\d+/);
  expect(Math.abs(empty.secondsAhead)).toBeLessThan(60);
  expect(await lookAtPostgres(url)).toMatchObject({ schema: 0 });
  await as(url, "CREATE ROLE nobody LOGIN");
  const nobody = url.replace("postgres@", "nobody@");
  expect(await lookAtPostgres(nobody)).toMatchObject({ schema: 0, mayMake: false, unreadable: [] });

  await using _store = await openStore({ kind: "postgres", url }, { signal: AbortSignal.timeout(30_000) });
  expect(await lookAtPostgres(url)).toMatchObject({ schema: SCHEMA_VERSION, mayMake: true, unreadable: [] });
  const shut = await lookAtPostgres(nobody);
  expect(shut).toMatchObject({ schema: 0, mayMake: false });
  expect(shut.unreadable).toEqual(expect.arrayContaining(["migrations", "targets", "approvals"]));

  await as(url, readFileSync(join(import.meta.dirname, "../../../adapters/store/grants.sql"), "utf8"));
  await as(url, "ALTER ROLE firebreak_drift LOGIN");
  const drift = await lookAtPostgres(url.replace("postgres@", "firebreak_drift@"));
  expect(drift).toMatchObject({ schema: SCHEMA_VERSION, mayMake: false });
  for (const read of ["instance", "revisions", "targets", "findings", "processes"]) expect(drift.unreadable).not.toContain(read);
  await as(url, "ALTER ROLE nobody SET default_transaction_read_only = on");
  expect(await lookAtPostgres(nobody)).toMatchObject({ isReadOnly: true });
});

// Bug: a server that is not there is waited for, or its password is told.
test("a server that is not there is an error without the password", async () => {
  const error: unknown = await lookAtPostgres("postgres://a:s3cret@127.0.0.1:1/x").catch((reason: unknown) => reason);
  expect(String(error)).toContain("ECONNREFUSED");
  expect(JSON.stringify(error)).not.toContain("s3cret");
});
