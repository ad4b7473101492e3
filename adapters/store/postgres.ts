import { CamelCasePlugin, Kysely, PostgresDialect } from "kysely";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { FirebreakError } from "../../core/model/error.ts";
import { migrate } from "./migrate.ts";
import { CHANNEL, createHub } from "./notify.ts";
import type { NotificationHub } from "./notify.ts";
import type { StoreReport } from "./open.ts";
import type { HeldLock, NamedLocks, Store } from "./session.ts";
import type { Tables } from "./tables.ts";

/** Connections for queries; the listener and each held lock have one more each. */
const POOL_SIZE = 8;
const CONNECT_TIMEOUT_MS = 5_000;
/** No statement of ours is slow; one that hangs must not hold a run for ever. */
const STATEMENT_TIMEOUT_MS = 30_000;
const RECONNECT_MS = 1_000;
const OID_INT8 = 20;

/** A Postgres server; several processes may share it. */
export async function openPostgres(url: string, signal: AbortSignal, report: StoreReport): Promise<Store> {
  signal.throwIfAborted();
  const settings = settingsFor(url);
  const closing = new AbortController();
  const pool = new pg.Pool({ ...settings, max: POOL_SIZE });
  pool.on("error", (error) => report("connection-lost", error));
  const db = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool }),
    plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })],
  });
  const hub = createHub((error) => report("subscriber-failed", error));
  try {
    await migrate(db);
    signal.throwIfAborted();
    const listener = await listen(settings, hub);
    const listening = keepListening(settings, listener, hub, closing.signal, report);
    const close = async (): Promise<void> => {
      if (closing.signal.aborted) return;
      closing.abort();
      await listening;
      await pool.end();
    };
    return {
      kind: "postgres",
      recovered: false,
      db,
      hub,
      locks: serverLocks(settings),
      session: undefined,
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (cause) {
    await pool.end();
    throw cause instanceof FirebreakError
      ? cause
      : new FirebreakError("STORE_UNAVAILABLE", "open the store on the Postgres server", { cause });
  }
}

type Settings = pg.ClientConfig;

function settingsFor(url: string): Settings {
  return {
    connectionString: url,
    application_name: "firebreak",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: STATEMENT_TIMEOUT_MS + 5_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: {
      // The cast: `pg` types its parser table more loosely than its own overloads.
      getTypeParser: ((oid: number, format: "text" | "binary") =>
        oid === OID_INT8 && format !== "binary" ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
    },
  };
}

async function listen(settings: Settings, hub: NotificationHub): Promise<pg.Client> {
  const client = new pg.Client(settings);
  // A client without this listener would end the process; its end is what `keepListening` waits for.
  client.on("error", () => undefined);
  client.on("notification", ({ payload }) => hub.receive(payload ?? ""));
  try {
    await client.connect();
    await client.query(`LISTEN ${CHANNEL}`);
    return client;
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
}

/** Listens again after a broken connection, and tells subscribers that something may have been missed. Never rejects. */
async function keepListening(
  settings: Settings,
  first: pg.Client,
  hub: NotificationHub,
  closing: AbortSignal,
  report: StoreReport,
): Promise<void> {
  let client: pg.Client | undefined = first;
  while (!closing.aborted) {
    if (client !== undefined) await ended(client, closing);
    if (closing.aborted) break;
    if (client !== undefined) report("connection-lost", "the connection that listens for changes");
    client = await listen(settings, hub).catch(() => undefined);
    if (client === undefined) {
      await sleep(RECONNECT_MS, undefined, { signal: closing }).catch(() => undefined); // aborted: the loop ends
      continue;
    }
    report("connection-back", "the connection that listens for changes");
    hub.missed();
  }
  await client?.end().catch(() => undefined);
}

function ended(client: pg.Client, closing: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    client.once("end", () => resolve());
    closing.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Session-level advisory locks, each on a connection of its own: when the connection goes, so does the lock. */
function serverLocks(settings: Settings): NamedLocks {
  return {
    async tryAcquire(name) {
      const client = new pg.Client(settings);
      const lost = new AbortController();
      client.on("error", () => undefined); // `end` follows
      let givenBack = false;
      client.once("end", () => givenBack || lost.abort());
      try {
        await client.connect();
        const { rows } = await client.query<{ taken: boolean }>(
          "SELECT pg_try_advisory_lock(hashtext('firebreak'), hashtext($1)) AS taken",
          [name],
        );
        if (rows[0]?.taken === true) return held(client, lost.signal, () => (givenBack = true));
      } catch (error) {
        await client.end().catch(() => undefined);
        throw error;
      }
      await client.end();
      return undefined;
    },
  };
}

function held(client: pg.Client, lost: AbortSignal, giveBack: () => void): HeldLock {
  return {
    lost,
    async [Symbol.asyncDispose]() {
      giveBack();
      await client.end().catch(() => undefined); // a broken connection has given the lock back already
    },
  };
}
