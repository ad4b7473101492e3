/** The roles of drift and console on a real Postgres server: what they must be able to do, and what they must not. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as rows from "../../../adapters/store/index.ts";
import type { Store } from "../../../adapters/store/index.ts";
import { run } from "../../../adapters/store/session.ts";
import { NO_EFFECT, type Finding } from "../../../core/finding/finding.ts";
import { findingEntries } from "../../../services/findings.ts";
import { startPostgres, type PostgresFixture } from "../../support/postgres-fixture.ts";

const GRANTS = readFileSync(join(import.meta.dirname, "../../../adapters/store/grants.sql"), "utf8");
const TARGET = "host/f/a";
const options = () => ({ signal: AbortSignal.timeout(60_000) });
const finding: Finding = {
  fingerprint: "f1",
  kind: "modified",
  target: TARGET,
  subject: "s",
  severity: "high",
  summary: "changed",
  effect: NO_EFFECT,
  who: undefined,
  at: undefined,
  healable: true,
  widens: true,
  foreign: false,
};

let server: PostgresFixture;
let owner: Store;
let drift: Store;
let console: Store;

beforeAll(async () => {
  server = await startPostgres();
  owner = await rows.openStore({ kind: "postgres", url: server.url }, options());
  await rows.claimInstance(owner, "one");
  await rows.recordTargets(owner, [{ id: TARGET, mode: "apply", labels: {} }], 1, 1);
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  await client.query(GRANTS);
  await client.query(GRANTS); // it is run again after every upgrade
  await client.query("ALTER ROLE firebreak_drift LOGIN; ALTER ROLE firebreak_console LOGIN");
  await client.end();
  const as = (role: string): string => server.url.replace("postgres@", `${role}@`);
  drift = await rows.openStore({ kind: "postgres", url: as("firebreak_drift") }, options());
  console = await rows.openStore({ kind: "postgres", url: as("firebreak_console") }, options());
});

afterAll(async () => {
  for (const store of [console, drift, owner]) await store?.close();
  await server?.[Symbol.asyncDispose]();
});

it("every table is spoken of (would catch: a new table that drift cannot write to, or that everybody can)", async () => {
  const { rows: tables } = await new pg.Pool({
    connectionString: server.url,
    max: 1,
    idleTimeoutMillis: 1,
    allowExitOnIdle: true,
  }).query<{
    name: string;
  }>("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'firebreak'");
  expect(tables.map(({ name }) => name).filter((name) => !GRANTS.includes(`firebreak.${name}`))).toEqual([]);
});

it("drift does its work: findings with their entries, reads, repairs, notices", async () => {
  expect(await rows.claimInstance(drift, "two")).toBe("one");
  const update = { target: TARGET, kinds: ["modified"], channels: ["log", "alert"], now: 5, entriesOf: findingEntries(5) } as const;
  await rows.upsertFindings(drift, { ...update, findings: [finding] });
  await rows.recordHeal(drift, "f1", 5, 1_000);
  await rows.stopHealing(drift, "f1");
  await rows.upsertFindings(drift, { ...update, findings: [], now: 6, entriesOf: findingEntries(6) });
  await rows.recordRead(drift, TARGET, { at: 5, ok: true, observationDigest: "d" });
  await rows.addWork(drift, [{ target: TARGET, kind: "finding", key: "f1", detail: {} }], 5);
  await rows.closeWork(drift, await rows.openWork(drift, TARGET, 6), "done", 6);
  for (const { id } of await rows.takeDeliveries(drift, "log", 7, 1_000)) await rows.recordDelivered(drift, id, 7);
  await rows.insertPending(drift, [{ id: "sent", input: { type: "alert.sent", id: "sent" } }], 5);
  const pending = await rows.takePending(owner, 10);
  expect(pending.length).toBeGreaterThan(2);
  expect(new Set(pending.map(({ writtenBy }) => writtenBy))).toEqual(new Set(["firebreak_drift"]));
  expect(await rows.currentRevision(drift)).toBeUndefined();
});

it("the console does its work: it reads, asks, and lets notices go again", async () => {
  await rows.submitRequest(console, { id: "r", kind: "plan", args: {}, actor: "api-token", createdAt: 1, mac: "m" });
  expect((await rows.requestRow(console, "r"))?.doneAt).toBeNull();
  await rows.reviveNotices(console, 1);
  await rows.insertPending(console, [{ id: "denied", input: { type: "auth.denied", id: "denied" } }], 5);
  expect(await rows.listTargetRows(console)).toHaveLength(1);
  expect(await rows.listFindings(console, {})).toHaveLength(1);
});

describe.each([
  ["drift", () => drift],
  ["console", () => console],
])("%s cannot", (name, store) => {
  const revision = {
    commit: "c",
    tree: "t",
    parent: null,
    actor: "git",
    author: "a",
    committer: "c",
    subject: "s",
    acceptedAt: 1,
  };
  const approval = { pull: 1, head: "h", who: "rik", via: "token", plan: null, at: 1 } as const;
  it.each<[string, () => Promise<unknown>]>([
    ["put a revision in force", async () => await rows.recordRevision(store(), 1, revision)],
    [
      "change a revision",
      async () => await run(store(), "x", async (db) => await db.updateTable("firebreak.revisions").set({ commit: "x" }).execute()),
    ],
    ["approve", async () => await rows.recordApproval(store(), approval)],
    ["read approvals", async () => await rows.listApprovals(store(), 1, "h")],
    ["answer a request", async () => await rows.finishRequest(store(), "r", { result: {} }, 1)],
    ["lift a hold", async () => await rows.recordHold(store(), 1, null)],
    ["take a lease", async () => await rows.acquireLease(store(), TARGET, "x", 1_000)],
    ["name targets", async () => await rows.recordTargets(store(), [], 9, 1)],
    ["forget a target", async () => await rows.forgetTarget(store(), TARGET, 1, () => [])],
    ["feed addresses", async () => await run(store(), "x", async (db) => await db.deleteFrom("firebreak.memberships").execute())],
    [
      "have a decision signed",
      async () => await rows.insertPending(store(), [{ id: "x", input: { type: "revision.accepted" } }], 1),
    ],
    ["say that an entry is in the log", async () => await rows.markIntegrated(store(), [{ id: "sent", seq: 1 }], 1)],
    [
      name === "drift" ? "ask for anything" : "tell of a finding",
      async () =>
        name === "drift"
          ? await rows.submitRequest(store(), { id: "x", kind: "accept", args: {}, actor: "x", createdAt: 1, mac: "m" })
          : await rows.insertPending(store(), [{ id: "x", input: { type: "finding.resolved" } }], 1),
    ],
  ])("%s", async (_, attempt) => {
    await expect(attempt()).rejects.toMatchObject({
      cause: { message: expect.stringMatching(/permission denied|row-level security/) },
    });
  });
});
