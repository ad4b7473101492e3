import type { PostgresLook } from "../../adapters/store/look.ts";
import type { RedisLook } from "../../adapters/queue/look.ts";
import type { SettingsFile } from "../../core/config/settings-schema.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { readSecret } from "../../services/secrets.ts";
import { clockCheck, fail, ok, trying, warn, type Check } from "./check.ts";

/** The Postgres server of the store and the Redis server of the queue, where the settings name them. */
export async function checkServers(settings: SettingsFile, environment: NodeJS.ProcessEnv): Promise<readonly Check[]> {
  const { database, redis } = settings;
  return [
    ...(database === undefined ? [] : await trying("postgres", "answers", async () => await checkPostgres(database, environment))),
    ...(redis === undefined ? [] : await trying("redis", "answers", async () => await checkRedis(redis, environment))),
  ];
}

async function checkPostgres(reference: string, environment: NodeJS.ProcessEnv): Promise<readonly Check[]> {
  const url = await readSecret(reference, environment);
  const { lookAtPostgres } = await import("../../adapters/store/look.ts");
  try {
    return postgresChecks(await lookAtPostgres(url));
  } catch (cause) {
    throw new FirebreakError("STORE_UNAVAILABLE", `ask the Postgres server of ${reference}`, { cause });
  }
}

async function checkRedis(reference: string, environment: NodeJS.ProcessEnv): Promise<readonly Check[]> {
  const url = await readSecret(reference, environment);
  const { lookAtRedis } = await import("../../adapters/queue/look.ts");
  try {
    return redisChecks(await lookAtRedis(url));
  } catch (cause) {
    throw new FirebreakError("QUEUE_UNAVAILABLE", `ask the Redis server of ${reference}`, { cause });
  }
}

/** What a look at Postgres means. */
export function postgresChecks(look: PostgresLook): readonly Check[] {
  const { version, isReadOnly, secondsAhead } = look;
  return [
    ok("postgres", "answers", `PostgreSQL ${version}`),
    isReadOnly
      ? fail("postgres", "writes", "it takes none: a standby, or read only", "Name the primary server in `database`.")
      : ok("postgres", "writes", "it takes them"),
    schemaCheck(look),
    ...rightsChecks(look),
    clockCheck("postgres", secondsAhead),
  ];
}

function schemaCheck({ schema, wanted, mayMake, role, unreadable }: PostgresLook): Check {
  const here = (found: string): Check => ok("postgres", "schema", found);
  if (unreadable.includes("migrations")) return fail("postgres", "schema", `${role} may not look at it`, GRANTS);
  if (schema === wanted) return here(`version ${schema}`);
  const parts = `version ${schema}, this Firebreak has ${wanted}`;
  if (schema > wanted)
    return fail("postgres", "schema", parts, "A newer Firebreak made it: run that one, or name an empty database.");
  if (mayMake) return here(schema === 0 ? "is made at the first start" : `${parts}: it is brought up to date at the next start`);
  return schema === 0
    ? fail("postgres", "schema", `is not there, and ${role} may not make it`, `GRANT CREATE ON DATABASE … TO ${role}`)
    : fail("postgres", "schema", parts, `Start the new syncer first: it owns the schema. ${GRANTS}`);
}

const GRANTS = "Run adapters/store/grants.sql of this version as the owner of the schema.";

/** Every service reads these; of the others drift and console need some, and nobody but the owner all. */
const READ_BY_ALL = ["instance", "revisions", "targets", "findings", "processes"];

function rightsChecks({ schema, mayMake, unreadable, role }: PostgresLook): readonly Check[] {
  if (schema === 0) return [];
  const missing = READ_BY_ALL.filter((name) => unreadable.includes(name));
  if (missing.length > 0) return [fail("postgres", "rights", `${role} may not read ${missing.join(", ")}`, GRANTS)];
  return [
    ok("postgres", "rights", mayMake ? `${role} owns the schema` : `${role} is of drift or console: the syncer needs the owner`),
  ];
}

/** What a look at Redis means. */
export function redisChecks({ version, isTooOld, policy, isReplica, refusesScripts }: RedisLook): readonly Check[] {
  const set = "CONFIG SET maxmemory-policy noeviction, and the same in redis.conf: any other drops jobs when memory is short.";
  return [
    isTooOld ? fail("redis", "answers", `Redis ${version}`, "Use Redis 7 or newer.") : ok("redis", "answers", `Redis ${version}`),
    isReplica
      ? fail("redis", "writes", "it takes none: it is a replica", "Name the primary server in `redis`.")
      : ok("redis", "writes", "it takes them"),
    refusesScripts === undefined
      ? ok("redis", "rights", "it runs our scripts")
      : fail("redis", "rights", refusesScripts, "The queue runs scripts: give its user +@all on keys of bull:*, or no ACL."),
    policy === "noeviction"
      ? ok("redis", "maxmemory-policy", policy)
      : policy === undefined
        ? warn("redis", "maxmemory-policy", "it does not tell", "Make sure that it is noeviction.")
        : fail("redis", "maxmemory-policy", policy, set),
  ];
}
