import { sql } from "kysely";
import type { RawBuilder } from "kysely";

/**
 * A value for a jsonb column.
 *
 * Always text cast to jsonb: `pg` would send an array as a Postgres array, and PGlite would encode a string twice. `undefined`
 * and `null` become SQL NULL. What jsonb cannot hold, a NUL character or half of a surrogate pair, is replaced, in keys too: what
 * others wrote must not stop a record.
 */
export function toJson<T>(value: T): RawBuilder<T> {
  if (value === undefined || value === null) return sql<T>`NULL`;
  return sql<T>`${toJsonText(value)}::text::jsonb`;
}

/** The JSON text of a value as it is stored: two that are stored alike have one text. */
export function toJsonText(value: unknown): string {
  return JSON.stringify(value).replace(ESCAPE, storable);
}

/** Text for a text column: without what Postgres refuses or changes, and no longer than `limit` characters. */
export function toText(value: string, limit = 4_000): string {
  return value.replaceAll("\0", REPLACEMENT).slice(0, limit).toWellFormed();
}

const REPLACEMENT = "\u{fffd}";

/** One escape of a JSON text. JSON.stringify writes whole surrogate pairs as they are, so one that is escaped stands alone. */
const ESCAPE = /\\(?:u[0-9a-f]{4}|[^u])/g;

function storable(escape: string): string {
  return escape === "\\u0000" || escape.startsWith("\\ud") ? REPLACEMENT : escape;
}
