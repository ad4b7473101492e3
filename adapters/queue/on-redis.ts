import { Redis } from "ioredis";
import type { RedisOptions } from "ioredis";
import { FirebreakError } from "../../core/ground/error.ts";
import type { Backend, QueueReport } from "./backend.ts";

const CONNECT_TIMEOUT_MS = 5_000;
/** BullMQ needs streams, and blocking with fractions of a second. */
const MINIMUM_MAJOR = 7;
const MAX_RECONNECT_DELAY_MS = 2_000;

/** What a Redis server says of itself. */
export interface RedisServer {
  readonly version: string;
  /** Older than the oldest that the queue works on. */
  readonly isTooOld: boolean;
  /** Its maxmemory-policy; undefined where it does not tell. */
  readonly policy: string | undefined;
  /** It follows another server, and takes no writes. */
  readonly isReplica: boolean;
}

/** The queue on a Redis server, which several processes share. */
export async function redisBackend(url: string, signal: AbortSignal, report: QueueReport): Promise<Backend> {
  signal.throwIfAborted();
  // Adding fails at once while Redis is away (the sweep repeats it); running jobs wait for as long as it takes.
  const adding = connect(url, { enableOfflineQueue: false, maxRetriesPerRequest: 1 }, report);
  const running = connect(url, { maxRetriesPerRequest: null }, report);
  const close = async (): Promise<void> => {
    adding.disconnect();
    running.disconnect();
    await Promise.resolve();
  };
  try {
    await adding.connect();
    await checkServer(adding, report);
    signal.throwIfAborted();
  } catch (cause) {
    await close();
    throw cause instanceof FirebreakError ? cause : new FirebreakError("QUEUE_UNAVAILABLE", "connect to Redis", { cause });
  }
  return {
    kind: "redis",
    createQueue: (create) => Promise.resolve(create(adding, undefined)),
    createWorker: (create) => create(running, undefined),
    check: async () => void (await adding.ping()),
    close,
  };
}

function connect(
  url: string,
  options: Pick<RedisOptions, "enableOfflineQueue" | "maxRetriesPerRequest">,
  report: QueueReport,
): Redis {
  const client = new Redis(url, {
    ...options,
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    connectionName: "firebreak",
    retryStrategy: (attempt: number) => Math.min(attempt * 100, MAX_RECONNECT_DELAY_MS),
  });
  client.on("error", (error: unknown) => report("queue-error", error));
  return client;
}

/** One connection that is not made again: its first mistake is thrown. */
export async function connectOnce(url: string): Promise<Redis> {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: CONNECT_TIMEOUT_MS,
    maxRetriesPerRequest: 1,
    connectionName: "firebreak-doctor",
    retryStrategy: () => null,
  });
  let first: unknown;
  client.on("error", (error: unknown) => void (first ??= error));
  try {
    await client.connect();
    return client;
  } catch (error) {
    client.disconnect();
    throw first ?? error; // "Connection is closed." says less
  }
}

/** What INFO says, and where it leaves the policy out, CONFIG. */
export async function serverOf(client: Redis): Promise<RedisServer> {
  const info = await client.info();
  const version = field(info, "redis_version") ?? "0";
  return {
    version,
    isTooOld: Number.parseInt(version, 10) < MINIMUM_MAJOR,
    policy: field(info, "maxmemory_policy") ?? (await policyFromConfig(client)),
    isReplica: field(info, "role") === "slave",
  };
}

/**
 * Refuses a Redis that may evict keys: jobs and their locks would vanish one by one under memory pressure. INFO tells the policy
 * also where CONFIG is forbidden; a service that tells neither is used, and said so.
 */
async function checkServer(client: Redis, report: QueueReport): Promise<void> {
  const { version, isTooOld, policy } = await serverOf(client);
  if (isTooOld)
    throw new FirebreakError("CONFIG_INVALID", `Redis ${version} is too old for the queue: use ${MINIMUM_MAJOR} or newer`);
  if (policy === undefined) {
    report("eviction-unknown", "this Redis does not tell its maxmemory-policy: make sure that it is noeviction");
    return;
  }
  if (policy !== "noeviction") {
    throw new FirebreakError(
      "CONFIG_INVALID",
      `the maxmemory-policy of this Redis is ${policy}, which drops jobs when memory is short: set it to noeviction`,
    );
  }
}

async function policyFromConfig(client: Redis): Promise<string | undefined> {
  try {
    const [, policy] = await client.config("GET", "maxmemory-policy");
    return policy;
  } catch {
    return undefined; // CONFIG is forbidden there; the caller reports that the policy is unknown
  }
}

function field(info: string, name: string): string | undefined {
  return info
    .split(/\r?\n/)
    .find((line) => line.startsWith(`${name}:`))
    ?.slice(name.length + 1);
}
