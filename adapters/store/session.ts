import type { Kysely } from "kysely";
import { FirebreakError } from "../../core/ground/error.ts";
import type { NotificationHub } from "./notify.ts";
import type { Tables } from "./tables.ts";

/** What the functions of this folder run their statements on; a transaction is one too. */
export type Db = Kysely<Tables>;

/** One statement. */
export interface SessionQuery {
  query(text: string, params?: unknown[]): Promise<{ rows: unknown[]; affectedRows?: number }>;
}

/**
 * What the embedded database offers besides the store's own functions: the queue runs on the same session, because the process
 * has only one.
 */
export interface EmbeddedSession extends SessionQuery {
  /** Several statements in one text, no parameters. */
  exec(text: string): Promise<unknown>;
  /** One transaction that nothing else of this process can slip into. */
  exclusively<T>(work: (tx: Pick<EmbeddedSession, "exec"> & SessionQuery) => Promise<T>): Promise<T>;
  listen(channel: string, onPayload: (payload: string) => void): Promise<() => Promise<void>>;
}

/**
 * An open store. Opaque to services: they hand it to the named functions of this folder.
 *
 * Made by `openStore`; closed by `await using` or by aborting the signal it was opened with.
 */
export interface Store extends AsyncDisposable {
  readonly kind: "embedded" | "postgres";
  /** True when an unreadable embedded database was moved aside and a fresh, empty one took its place. */
  readonly recovered: boolean;
  /** For this folder only. */
  readonly db: Db;
  /** For this folder only; services use `subscribe` and `notify`. */
  readonly hub: NotificationHub;
  /** For this folder only: see `exclusive.ts`. */
  readonly locks: NamedLocks;
  /** The database session of the process, for the queue; undefined on Postgres, where the queue has connections of its own. */
  readonly session: EmbeddedSession | undefined;
  close(): Promise<void>;
}

/** Takes a lock by name for as long as the process (and its connection) lives; undefined when another holds it. */
export interface NamedLocks {
  tryAcquire(name: string): Promise<HeldLock | undefined>;
}

/** A lock that is held; disposing it gives it back. */
export interface HeldLock extends AsyncDisposable {
  /** Aborted when the lock was lost without being given back, e.g. because the connection broke. */
  readonly lost: AbortSignal;
}

/** Runs statements; a failure of the database becomes STORE_UNAVAILABLE, an error of ours passes. */
export async function run<T>(store: Store, doing: string, work: (db: Db) => Promise<T>): Promise<T> {
  try {
    return await work(store.db);
  } catch (cause) {
    throw asStoreError(doing, cause);
  }
}

/** As `run`, all statements in one transaction: all of them happen, or none. */
export function transact<T>(store: Store, doing: string, work: (tx: Db) => Promise<T>): Promise<T> {
  return run(store, doing, (db) => db.transaction().execute(work));
}

/** The error for a failure inside the store. */
export function asStoreError(doing: string, cause: unknown): FirebreakError {
  return cause instanceof FirebreakError ? cause : new FirebreakError("STORE_UNAVAILABLE", doing, { cause });
}
