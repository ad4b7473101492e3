import { Queue as JobQueue, createPostgresBackend, runMigrations } from "bullmq";
import { FirebreakError } from "../../core/ground/error.ts";
import type { Backend } from "./backend.ts";
import { QUEUE_NAME } from "./queue.ts";
import { migrationClient, sessionPool } from "./session-pool.ts";
import type { QueueSession } from "./session-pool.ts";

/** BullMQ's tables; its statements name no schema. Everything of the store names its own. */
const SCHEMA = "bullmq";

/**
 * The queue inside the embedded store. This process alone has it (the state folder is locked), so jobs that an earlier process
 * left are removed at the start: waiting for its locks to run out would delay every target, and open work brings the jobs back.
 */
export async function sessionBackend(session: QueueSession): Promise<Backend> {
  try {
    await session.exclusively((tx) => runMigrations(migrationClient(tx), SCHEMA));
    await session.exec(`SET search_path TO ${SCHEMA}, public`);
    const pool = sessionPool(session);
    const queue = new JobQueue(QUEUE_NAME, { connection: pool }, createPostgresBackend);
    try {
      await queue.obliterate({ force: true });
    } finally {
      await queue.close();
    }
    return {
      kind: "embedded",
      createQueue: (create) => Promise.resolve(create(pool, createPostgresBackend)),
      createWorker: (create) => create(pool, createPostgresBackend),
      check: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
  } catch (cause) {
    throw new FirebreakError("QUEUE_UNAVAILABLE", "open the queue in the embedded store", { cause });
  }
}
