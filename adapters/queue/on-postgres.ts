import { createPostgresBackend, runMigrations } from "bullmq";
import pg from "pg";
import { FirebreakError } from "../../core/model/error.ts";
import type { Backend } from "./backend.ts";

const SCHEMA = "bullmq";
const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 30_000;
/** Connections each for adding and for running jobs; BullMQ adds one that listens. */
const POOL_SIZE = 4;

/** The queue on a Postgres server, which several processes share. */
export async function postgresBackend(url: string, signal: AbortSignal): Promise<Backend> {
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
  const connection = {
    connectionString: url,
    schema: SCHEMA,
    application_name: "firebreak-queue",
    max: POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    keepAlive: true,
  };
  return {
    kind: "postgres",
    createQueue: (create) => Promise.resolve(create(connection, createPostgresBackend)),
    createWorker: (create) => create(connection, createPostgresBackend),
    check: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}
