import { randomUUID } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { claimInstance, openStore, type Store, type StoreLocation } from "../adapters/store/index.ts";
import { openQueueEventually, type Queue, type QueueLocation } from "../adapters/queue/index.ts";
import type { SettingsFile } from "../core/config/settings-schema.ts";
import { FirebreakError } from "../core/ground/error.ts";
import type { Trail } from "../core/audit/trail.ts";
import type { OperatorInputs } from "../core/compile/inputs.ts";
import type { Logger } from "./log.ts";
import { readSecret } from "./secrets.ts";
import type { Workers } from "./workers/open.ts";

/** Services that one process may run; `up` runs all three. */
export type Role = "syncer" | "drift" | "console";

/** What every service is given. Services meet only through the store, the queue and core types. */
export interface Parts {
  readonly settings: SettingsFile;
  readonly operator: OperatorInputs;
  /** Id of this installation: every object of ours carries it. */
  readonly instance: string;
  /** Unique to this start of the process: ids of log entries that count with the store's counters carry it, since a store may be lost. */
  readonly start: string;
  readonly log: Logger;
  readonly store: Store;
  readonly queue: Queue;
  readonly trail: Trail;
  /** Where work is done whose size somebody else decides. */
  readonly workers: Workers;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What people call the time, ms since the epoch: for what is stored, told, or said by definitions. It may jump. */
  readonly now: () => number;
  /** ms since some moment, never back and never in jumps: for every interval that this process waits or measures. */
  readonly elapsed: () => number;
  readonly random: () => number;
  /** Aborts when the process shall stop. */
  readonly signal: AbortSignal;
}

/** Where the store is, as the settings say. */
export async function storeLocation(settings: SettingsFile, environment: Parts["environment"]): Promise<StoreLocation> {
  if (settings.database === undefined) return { kind: "embedded", folder: settings.stateFolder };
  return { kind: "postgres", url: await readSecret(settings.database, environment) };
}

export interface Opened extends AsyncDisposable {
  readonly store: Store;
  readonly queue: Queue;
  readonly instance: string;
}

/** Opens store and queue, and learns the installation's id. @throws FirebreakError STATE_LOCKED, STORE_UNAVAILABLE, QUEUE_UNAVAILABLE */
export async function openStoreAndQueue(
  settings: SettingsFile,
  environment: Parts["environment"],
  log: Logger,
  signal: AbortSignal,
): Promise<Opened> {
  await mkdir(settings.stateFolder, { recursive: true, mode: 0o700 });
  const location = await storeLocation(settings, environment);
  await using cleanup = new AsyncDisposableStack();
  const store = cleanup.use(
    await openStore(location, { signal, report: (event, detail) => log.warn({ event, detail: String(detail) }, "store") }),
  );
  const redis = settings.redis === undefined ? undefined : await readSecret(settings.redis, environment);
  const queue = cleanup.use(
    await openQueueEventually(queueLocation(location, store, redis), {
      signal,
      report: (event, detail) => log.warn({ event, detail: String(detail) }, "queue"),
    }),
  );
  const instance = await claimInstance(store, await instanceFile(settings.stateFolder));
  await writeFile(join(settings.stateFolder, "instance"), `${instance}\n`, { mode: 0o600 });
  const kept = cleanup.move();
  return { store, queue, instance, [Symbol.asyncDispose]: async () => await kept.disposeAsync() };
}

function queueLocation(location: StoreLocation, store: Store, redis: string | undefined): QueueLocation {
  if (redis !== undefined) return { kind: "redis", url: redis };
  if (location.kind === "postgres") return { kind: "postgres", url: location.url };
  if (store.session === undefined) throw new FirebreakError("PLAN_INVARIANT_BROKEN", "an embedded store has a session");
  return { kind: "embedded", session: store.session };
}

/** The id is kept beside the store, so that a lost store does not make our own objects look foreign. */
async function instanceFile(folder: string): Promise<string> {
  try {
    const text = (await readFile(join(folder, "instance"), "utf8")).trim();
    if (text !== "") return text;
  } catch (error) {
    if ((error as { code?: string }).code !== "ENOENT") throw error;
  }
  return randomUUID().slice(0, 13);
}
