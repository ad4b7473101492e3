import { CamelCasePlugin, Kysely, PostgresDialect } from "kysely";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { FirebreakError } from "../../core/ground/error.ts";
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
  // The pool listens to idle clients only. One that is cut while a run has it between two statements would end the process.
  pool.on("connect", (client) => client.on("error", (error) => report("connection-lost", error)));
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

/** How often a lock's connection is asked whether it still is one, and how long it may take to answer. */
const HEARTBEAT_MS = 2_000;
const HEARTBEAT_TIMEOUT_MS = 5_000;
/** The server gives up a holder whose machine is gone after 5 + 3 × 2 s; its default is hours. A process that is stopped keeps its lock. */
const NOTICE_DEATH = "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3";

/**
 * Session-level advisory locks, each on a connection of its own: when the connection goes, so does the lock. Whoever holds one is told
 * when it is lost; it is not taken again behind his back, because somebody else may have had it in between.
 */
function serverLocks(settings: Settings): NamedLocks {
  return {
    async tryAcquire(name) {
      const client = new pg.Client(settings);
      const lost = new AbortController();
      const lose = (): void => lost.abort(new FirebreakError("STATE_LOCKED", `the lock ${name} of the database is lost`));
      client.on("error", lose);
      let givenBack = false;
      client.once("end", () => givenBack || lose());
      try {
        await client.connect();
        await client.query(NOTICE_DEATH);
        const { rows } = await client.query<{ taken: boolean }>(
          "SELECT pg_try_advisory_lock(hashtext('firebreak'), hashtext($1)) AS taken",
          [name],
        );
        if (rows[0]?.taken === true) {
          const beating = setInterval(() => void beat(client).catch(lose), HEARTBEAT_MS);
          lost.signal.addEventListener("abort", () => {
            clearInterval(beating);
            client.end().catch(() => undefined); // it is broken
          });
          return held(client, lost.signal, () => {
            givenBack = true;
            clearInterval(beating);
          });
        }
      } catch (error) {
        await client.end().catch(() => undefined);
        throw error;
      }
      await client.end();
      return undefined;
    },
  };
}

/** Rejects when the connection does not answer: a lock on a server that cannot be reached may be somebody else's by now. */
async function beat(client: pg.Client): Promise<void> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error("no answer")), HEARTBEAT_TIMEOUT_MS).unref();
  });
  await Promise.race([client.query("SELECT 1"), late]);
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
