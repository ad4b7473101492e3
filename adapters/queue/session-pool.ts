import { EventEmitter } from "node:events";
import type { PgNotification, PgPool, PgPoolClient, PgQueryResult } from "bullmq";

/** One statement with its parameters. */
interface SessionQuery {
  query(text: string, params?: unknown[]): Promise<{ rows: unknown[]; affectedRows?: number }>;
}

/**
 * The database session of this process, as the store offers it (`store.session`): there is only one, so store and queue share it.
 */
export interface QueueSession extends SessionQuery {
  /** Several statements in one text, no parameters. */
  exec(text: string): Promise<unknown>;
  /** One transaction that nothing else of this process can slip into. */
  exclusively<T>(work: (tx: SessionQuery & { exec(text: string): Promise<unknown> }) => Promise<T>): Promise<T>;
  listen(channel: string, onPayload: (payload: string) => void): Promise<() => Promise<void>>;
}

/**
 * The session as BullMQ's Postgres backend wants it: a pool of which every client is the same session.
 *
 * LISTEN becomes the session's own `listen` (PGlite hands notifications to callbacks only). Statements come one by one and
 * commit by themselves; only migrations use a transaction, and they run through `migrationClient`.
 */
export function sessionPool(session: QueueSession): PgPool & { readonly options: { readonly keepAlive: true } } {
  const query: PgPool["query"] = (text, params) => runOne(session, text, params);
  const pool: PgPool & { readonly options: { readonly keepAlive: true } } = {
    // A session in this process cannot break silently, so the worker may wait for hints instead of asking every few seconds.
    options: { keepAlive: true },
    query,
    connect: () => Promise.resolve(sessionClient(session)),
    end: () => Promise.resolve(),
    on: () => pool,
    removeAllListeners: () => pool,
  };
  return pool;
}

/** For `runMigrations`: its BEGIN and COMMIT are the surrounding transaction's, its texts hold many statements. */
export function migrationClient(tx: SessionQuery & { exec(text: string): Promise<unknown> }): Pick<PgPool, "query"> {
  return {
    async query<R>(text: string, params?: readonly unknown[]): Promise<PgQueryResult<R>> {
      if (/^(BEGIN|COMMIT)$/.test(text.trim())) return { rows: [] };
      if (text.trim() === "ROLLBACK") throw new Error("the migrations of the queue failed and are rolled back");
      if (params !== undefined || /^\s*SELECT/i.test(text)) return runOne(tx, text, params);
      await tx.exec(text);
      return { rows: [] };
    },
  };
}

async function runOne<R>(session: SessionQuery, text: string, params?: readonly unknown[]): Promise<PgQueryResult<R>> {
  const { rows, affectedRows } = await session.query(
    text,
    params?.map((value) => value ?? null),
  );
  // The cast: BullMQ names the row type it asked for, as `pg` has it.
  return { rows: rows as R[], rowCount: affectedRows ?? rows.length };
}

/** One client for LISTEN; what it listens to ends when BullMQ lets go of it. */
function sessionClient(session: QueueSession): PgPoolClient {
  const emitter = new EventEmitter();
  const channels = new Map<string, () => Promise<void>>();
  const client = Object.assign(emitter, {
    async query<R>(text: string, params?: readonly unknown[]): Promise<PgQueryResult<R>> {
      const channel = channelOf(text);
      if (channel === undefined) return runOne<R>(session, text, params);
      if (!channels.has(channel)) {
        const tell = (payload: string): void => {
          emitter.emit("notification", { channel, payload } satisfies PgNotification);
        };
        channels.set(channel, await session.listen(channel, tell));
      }
      return { rows: [] };
    },
    release(): void {
      for (const stop of channels.values()) stop().catch(() => undefined); // the session is closed: nothing is heard any more
      channels.clear();
    },
  });
  return client;
}

/** The channel of a LISTEN statement (its text starts with comment lines), or undefined for any other statement. */
function channelOf(text: string): string | undefined {
  const statement = text.replaceAll(/^\s*--.*$/gm, "").trim();
  return /^LISTEN\s+"?(\w+)"?\s*;?$/i.exec(statement)?.[1];
}
