import { sql } from "kysely";
import { FirebreakError } from "../../core/ground/error.ts";
import { MIGRATIONS, SCHEMA_VERSION } from "./migrations.ts";
import type { Db } from "./session.ts";

/** `FBRK`: several processes start at once, one migrates. */
const ADVISORY_LOCK = 0x4642524b;

/**
 * Brings the schema to this version, in one transaction under an advisory lock.
 *
 * @throws CONFIG_INVALID when a newer Firebreak made the database.
 */
export async function migrate(db: Db): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await sql`SELECT pg_advisory_xact_lock(${ADVISORY_LOCK}::bigint)`.execute(tx);
    const current = await versionOf(tx);
    if (current === SCHEMA_VERSION) return; // a role that may make nothing gets here
    await sql`CREATE SCHEMA IF NOT EXISTS firebreak`.execute(tx);
    await sql`CREATE TABLE IF NOT EXISTS firebreak.migrations (version int PRIMARY KEY, name text NOT NULL)`.execute(tx);
    if (current > SCHEMA_VERSION) {
      throw new FirebreakError(
        "CONFIG_INVALID",
        `the store has schema ${current}, this version knows ${SCHEMA_VERSION}: run the newer Firebreak, or give this one an empty store`,
      );
    }
    for (const step of MIGRATIONS.filter(({ version }) => version > current)) {
      for (const statement of step.statements) await sql.raw(statement).execute(tx);
      await sql`INSERT INTO firebreak.migrations (version, name) VALUES (${step.version}, ${step.name})`.execute(tx);
    }
  });
}

/** The version of the schema that is there; 0 where there is none. */
async function versionOf(tx: Db): Promise<number> {
  const there = await sql<{ name: string | null }>`SELECT to_regclass('firebreak.migrations')::text AS name`.execute(tx);
  if ((there.rows[0]?.name ?? null) === null) return 0;
  const found = await sql<{ version: number }>`SELECT coalesce(max(version), 0)::int AS version FROM firebreak.migrations`.execute(
    tx,
  );
  return found.rows[0]?.version ?? 0;
}
