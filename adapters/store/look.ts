import pg from "pg";
import { SCHEMA_VERSION } from "./migrations.ts";

/** What a Postgres server says of itself and of us. Nothing is written to learn it. */
export interface PostgresLook {
  /** `15.14 (Debian 15.14-0+deb12u1)`. */
  readonly version: string;
  /** A standby, or a database that is set to read only. */
  readonly isReadOnly: boolean;
  /** Of the store's schema; 0 where there is none yet. */
  readonly schema: number;
  /** The schema that this version of Firebreak makes. */
  readonly wanted: number;
  /** Whether this role may make or change the schema. */
  readonly mayMake: boolean;
  /** Tables of the store that this role may not even read. */
  readonly unreadable: readonly string[];
  readonly role: string;
  /** Theirs minus ours. */
  readonly secondsAhead: number;
}

const PATIENCE_MS = 10_000;

/** Asks the server of a URL. @throws Error of the driver, which names neither user nor password */
export async function lookAtPostgres(url: string): Promise<PostgresLook> {
  const client = new pg.Client({
    connectionString: url,
    application_name: "firebreak doctor",
    connectionTimeoutMillis: PATIENCE_MS,
    query_timeout: PATIENCE_MS,
  });
  client.on("error", () => undefined); // the query that meets it rejects
  try {
    await client.connect();
    const before = Date.now();
    const [first] = (await client.query<First>(SERVER)).rows;
    const middle = (before + Date.now()) / 2;
    if (first === undefined) throw new Error("the server answers without a row");
    const { version, readonly, role, makes, owns, now, there } = first;
    const base = { version, isReadOnly: readonly, role, wanted: SCHEMA_VERSION, secondsAhead: now - middle / 1000 };
    if (!there) return { ...base, schema: 0, mayMake: makes, unreadable: [] };
    const { rows } = await client.query<{ name: string }>(UNREADABLE);
    const unreadable = rows.map(({ name }) => name);
    const schema = unreadable.includes("migrations") ? 0 : (await client.query<{ version: number }>(SCHEMA)).rows[0]?.version;
    return { ...base, schema: schema ?? 0, mayMake: owns, unreadable };
  } finally {
    await client.end().catch(() => undefined);
  }
}

interface First {
  readonly version: string;
  readonly readonly: boolean;
  readonly role: string;
  readonly makes: boolean;
  readonly owns: boolean;
  readonly now: number;
  readonly there: boolean;
}

const SERVER = `
  SELECT current_setting('server_version') AS version,
         pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool AS readonly,
         current_user::text AS role,
         has_database_privilege(current_database(), 'CREATE') AS makes,
         coalesce((SELECT pg_has_role(nspowner, 'USAGE') FROM pg_namespace WHERE nspname = 'firebreak'), false) AS owns,
         extract(epoch FROM clock_timestamp())::float8 AS now,
         to_regnamespace('firebreak') IS NOT NULL AS there`;

/** By the catalogue: who may not use the schema gets an answer, too. */
const UNREADABLE = `
  SELECT relname::text AS name FROM pg_class
  WHERE relnamespace = to_regnamespace('firebreak') AND relkind = 'r'
    AND NOT (has_schema_privilege('firebreak', 'USAGE') AND has_table_privilege(oid, 'SELECT'))
  ORDER BY relname`;

const SCHEMA = "SELECT coalesce(max(version), 0)::int AS version FROM firebreak.migrations";
