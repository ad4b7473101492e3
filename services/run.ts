import { randomUUID } from "node:crypto";
import { join, resolve } from "node:path";
import { openTrail } from "../adapters/trail/open.ts";
import type { FileTrail } from "../adapters/trail/file-trail.ts";
import { lifelineFloor } from "../core/config/operator.ts";
import type { SettingsFile } from "../core/config/settings-schema.ts";
import { startConsole } from "./console/main.ts";
import { Health } from "./health.ts";
import { openLog } from "./log.ts";
import { ownPaths, ownUrls } from "./own-paths.ts";
import { patientQueue } from "./patient-queue.ts";
import { openStoreAndQueue, type Parts, type Role } from "./parts.ts";
import type { Service } from "./service.ts";
import { storeTrail } from "./store-trail.ts";
import type { SyncerParts } from "./syncer/main.ts";
import { openWorkers } from "./workers/open.ts";

export interface RunOptions {
  readonly signal: AbortSignal;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Called once everything has started. */
  readonly onStarted?: () => void;
  /** For tests: called after each step of a run of the syncer. */
  readonly onStep?: NonNullable<SyncerParts["onStep"]>;
}

/**
 * Runs services in this process until the signal aborts; the one place where everything is wired.
 *
 * The console runs beside whichever services there are, since each serves /livez, /readyz and /metrics.
 *
 * @throws FirebreakError STATE_LOCKED when another process has the state folder, and what opening the parts throws
 */
export async function runServices(settings: SettingsFile, roles: readonly Role[], options: RunOptions): Promise<void> {
  const environment = options.environment ?? process.env;
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const log = openLog(settings.logLevel, roles.length === 3 ? "firebreak" : roles.join("+"));
  await using opened = new AsyncDisposableStack();
  const workers = opened.use(openWorkers());
  // The first thing to be read is a commit of the branch: its worker starts while the store is opened.
  if (roles.includes("syncer") || roles.includes("drift")) workers.warm("branch");
  const { store, queue, instance } = opened.use(await openStoreAndQueue(settings, environment, log, signal));
  const fileTrail = roles.includes("syncer") ? opened.use(await openLogFiles(settings, instance, roles)) : undefined;
  const parts: Parts = {
    settings,
    operator: { floor: lifelineFloor(settings), ownPaths: await ownPaths(await ownUrls(settings, environment)) },
    instance,
    start: randomUUID().slice(0, 8),
    log,
    store,
    queue: patientQueue(queue, log),
    trail: fileTrail ?? storeTrail(store, Date.now, signal),
    workers,
    environment,
    now: Date.now,
    elapsed: () => performance.now(),
    random: Math.random,
    signal,
  };
  const services: Service[] = [];
  const probeLog = fileTrail === undefined ? undefined : async (): Promise<void> => await fileTrail.probe();
  const health = new Health({ ...parts, roles, probeLog, services: () => services });
  const watching = health.run();
  try {
    services.push(await startConsole({ ...parts, health, roles, startedAt: Date.now(), services: () => services }));
    // Only what this process runs is loaded: the console needs no half of it.
    if (fileTrail !== undefined) {
      const { startSyncer } = await import("./syncer/main.ts");
      services.push(
        await startSyncer({ ...parts, trail: fileTrail, ...(options.onStep === undefined ? {} : { onStep: options.onStep }) }),
      );
    }
    if (roles.includes("drift")) {
      const { startDrift } = await import("./drift/main.ts");
      services.push(await startDrift(parts));
    }
    log.info({ roles, instance }, "started");
    options.onStarted?.();
    await Promise.race(services.map(async ({ done }) => await done));
  } finally {
    stop.abort();
    await Promise.allSettled([watching, ...services.map(async ({ done }) => await done)]);
  }
}

async function openLogFiles(settings: SettingsFile, instance: string, roles: readonly Role[]): Promise<FileTrail> {
  const { audit, stateFolder } = settings;
  return await openTrail({
    folder: resolve(audit.folder ?? join(stateFolder, "audit")),
    origin: audit.origin,
    privateKeyFile: resolve(audit.keyFile ?? join(stateFolder, "audit.key")),
    producer: { service: roles.length === 3 ? "firebreak" : roles.join("+"), instance },
    now: () => new Date(),
  });
}
