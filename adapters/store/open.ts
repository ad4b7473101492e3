import { openEmbedded } from "./embedded.ts";
import { openPostgres } from "./postgres.ts";
import type { Store } from "./session.ts";

/** Where the store is. */
export type StoreLocation =
  /** Postgres in this process; `folder` is the state folder, which is locked. */
  | { readonly kind: "embedded"; readonly folder: string }
  /** A Postgres server; `url` as in libpq, with its credentials, never logged. */
  | { readonly kind: "postgres"; readonly url: string };

/** Something people should know that is no error of the call: passed to the caller's log. */
export type StoreReport = (
  event: "recovered" | "connection-lost" | "connection-back" | "subscriber-failed",
  detail: unknown,
) => void;

/** How to open. */
export interface StoreOptions {
  /** Gives up opening; once open, aborting it does nothing (use `close`). */
  readonly signal: AbortSignal;
  readonly report?: StoreReport;
}

/**
 * Opens the store and brings its schema up to date.
 *
 * @throws STATE_LOCKED (another process has the folder), STORE_UNAVAILABLE, CONFIG_INVALID (schema of a newer version).
 * @example await using store = await openStore({ kind: "embedded", folder: "/var/lib/firebreak" }, { signal });
 */
export function openStore(location: StoreLocation, options: StoreOptions): Promise<Store> {
  const report = options.report ?? (() => undefined);
  return location.kind === "embedded"
    ? openEmbedded(location.folder, options.signal, report)
    : openPostgres(location.url, options.signal, report);
}
