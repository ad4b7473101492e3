import { createPostgresBackend, runMigrations } from "bullmq";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { FirebreakError } from "../../core/ground/error.ts";
import type { Backend, QueueReport } from "./backend.ts";

const SCHEMA = "bullmq";
const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 30_000;
/** Connections each for adding and for running jobs, one of which listens. */
const POOL_SIZE = 5;
/** A server that is away must not keep the process from ending. */
const CLOSE_TIMEOUT_MS = 3_000;

/** The queue on a Postgres server, which several processes share. */
export async function postgresBackend(url: string, signal: AbortSignal, report: QueueReport): Promise<Backend> {
  signal.throwIfAborted();
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
  });
  client.on("error", () => undefined); // the statement that was running fails with it
  try {
    await client.connect();
    await runMigrations(client, SCHEMA);
  } catch (cause) {
    throw new FirebreakError("QUEUE_UNAVAILABLE", "open the queue on the Postgres server", { cause });
  } finally {
    await client.end().catch(() => undefined); // what went wrong is thrown above
  }
  const pools: pg.Pool[] = [];
  const openPool = (): pg.Pool => {
    const pool = new pg.Pool({
      connectionString: url,
      application_name: "firebreak-queue",
      options: `-c search_path=${SCHEMA}`,
      max: POOL_SIZE,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      keepAlive: true,
    });
    // A pool of BullMQ's own listens to idle clients only: one that is cut between two statements would end the process.
    pool.on("connect", (client) => client.on("error", (error) => report("queue-error", error)));
    pool.on("error", (error) => report("queue-error", error));
    pools.push(pool);
    return pool;
  };
  return {
    kind: "postgres",
    createQueue: (create) => Promise.resolve(create(openPool(), createPostgresBackend)),
    createWorker: (create) => create(openPool(), createPostgresBackend),
    check: () => Promise.resolve(),
    async close() {
      await Promise.race([
        Promise.all(pools.map(async (pool) => await pool.end())),
        sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false }),
      ]);
    },
  };
}
