import { sql } from "kysely";
import type { RawBuilder } from "kysely";

/**
 * A value for a jsonb column.
 *
 * Always text cast to jsonb: `pg` would send an array as a Postgres array, and PGlite would encode a string twice. `undefined`
 * and `null` become SQL NULL. A NUL character, which jsonb cannot hold, is replaced: what others wrote must not stop a record.
 */
export function toJson<T>(value: T): RawBuilder<T> {
  if (value === undefined || value === null) return sql<T>`NULL`;
  return sql<T>`${JSON.stringify(value, withoutNul)}::text::jsonb`;
}

/** Text for a text column: without NUL characters, which Postgres refuses, and no longer than `limit` characters. */
export function toText(value: string, limit = 4_000): string {
  return value.replaceAll("\0", "\u{fffd}").slice(0, limit);
}

function withoutNul(_key: string, value: unknown): unknown {
  return typeof value === "string" && value.includes("\0") ? value.replaceAll("\0", "\u{fffd}") : value;
}
