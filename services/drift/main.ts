import { join } from "node:path";
import { openRepository } from "../../adapters/git/index.ts";
import { currentRevision, keptCommit, subscribe } from "../../adapters/store/index.ts";
import { unknownChannels } from "../../core/notify/route.ts";
import { clustersInPlay } from "../clusters-in-play.ts";
import { ClusterPool } from "../clusters.ts";
import { openControlFolder } from "../control-folder.ts";
import { DefinitionSource } from "../definitions.ts";
import { gitAuth } from "../git-auth.ts";
import { LookMemory } from "../look-memory.ts";
import { ForeignUpdates } from "../foreign-updates.ts";
import { HostPool } from "../hosts.ts";
import { Bell, runLoop } from "../loop.ts";
import type { Parts } from "../parts.ts";
import type { Service } from "../service.ts";
import { storedError } from "../stored-error.ts";
import { gitWorker } from "../workers/git.ts";
import { answerReader } from "../workers/readback.ts";
import type { DriftContext } from "./context.ts";
import { deliver } from "./deliver.ts";
import { GuardrailWatch } from "./guardrails.ts";
import { IsolationWatch } from "./isolation.ts";
import { openChannels } from "./notify/channels.ts";
import { tell } from "./notify/tell.ts";
import { SeenTargets } from "./seen.ts";
import { lookAtStanding } from "./standing.ts";
import { Watch } from "./watch.ts";
import { watchTheWatch } from "./watched.ts";

const REVISION_POLL_MS = 2_000;
const STANDING_MS = 5_000;

/**
 * The drift detector: live → findings → responses. Read-only credentials; a repair is work for the syncer.
 *
 * ```
 *   watches, schedule ─► look ─► compare with Git at the pointer ─► findings ─► heal (work) · log · groups ─► channels, issues
 * ```
 */
export async function startDrift(parts: Parts): Promise<Service> {
  const { settings, log, signal, now, store } = parts;
  await using opened = new AsyncDisposableStack();
  const { repository: source, readOnly, ssh, kubernetes } = settings;
  const repository = openRepository({
    url: source.url,
    branch: source.branch,
    path: source.path,
    folder: join(settings.stateFolder, "git-drift"),
    auth: await gitAuth(settings, parts.environment),
    readAuth: async () => await gitAuth(settings, parts.environment),
    worker: gitWorker(parts.workers),
    kept: async (commit) => await keptCommit(store, commit),
  });
  const channels = await openChannels(parts);
  const control = opened.use(await openControlFolder(settings.stateFolder, "drift"));
  const hosts = opened.use(
    new HostPool({
      identityFile: readOnly.identityFile ?? ssh.identityFile,
      knownHosts: ssh.knownHosts,
      controlFolder: control.path,
      access: readOnly.identityFile === undefined ? "apply" : "readback",
      allowLocal: settings.allow.local,
      maxReadBytes: settings.hosts.readLimitMiB * 1024 * 1024,
      keepForStart: settings.hosts.persist,
      readAnswer: answerReader(parts.workers),
      signal,
      now,
    }),
  );
  const clusters = opened.use(
    new ClusterPool({
      kubeconfig: readOnly.kubeconfig ?? kubernetes.kubeconfig,
      onChange: (target, change) => {
        if (change.kind === "policies") watch.markChanged(target);
        else {
          isolation.markChanged(target);
          guardrails.markChanged();
        }
      },
    }),
  );
  const context: DriftContext = {
    ...parts,
    definitions: new DefinitionSource(repository, settings, parts.workers),
    clusters,
    hosts,
    inForce: undefined,
    lacking: new Map(),
    seen: new SeenTargets(),
    failures: new Map(),
    aheadSince: new Map(),
    askedAt: new Map(),
    foreignUpdates: new ForeignUpdates(),
    looked: new LookMemory(),
    lookAgain: new Map(),
    adoptions: new Map(),
  };
  const watch = new Watch(context);
  const isolation = new IsolationWatch(context);
  const guardrails = new GuardrailWatch(context);
  const revisionBell = new Bell();
  opened.defer(subscribe(store, "revision", () => revisionBell.ring()));
  const kept = opened.move();
  const done = runAll(kept, [
    runLoop({ name: "revision", log, signal, everyMs: () => REVISION_POLL_MS, bell: revisionBell }, async () => {
      try {
        await followRevision(context);
      } catch (error) {
        if (context.inForce === undefined) context.lacking.set("", storedError(error));
        throw error;
      }
    }),
    runLoop({ name: "standing", log, signal, everyMs: () => STANDING_MS }, async () => await lookAtStanding(context)),
    watch.run(),
    watchTheWatch(context),
    isolation.run(),
    guardrails.run(),
    deliver(context, [...channels.keys()]),
    tell(context, channels),
  ]);
  return {
    done,
    lacks: () => context.lacking.values().next().value,
    notReady: () => {
      if (context.inForce === undefined) return { brief: "no revision is in force yet" };
      return clusters.notReady();
    },
  };
}

/** Waits for all loops to end, then closes what they used. */
async function runAll(connections: AsyncDisposable, loops: readonly Promise<void>[]): Promise<void> {
  await using _ = connections;
  await Promise.all(loops);
}

/** Works by the revision in force: whose responses count, and which clusters to watch. */
async function followRevision(context: DriftContext): Promise<void> {
  const current = await currentRevision(context.store);
  if (current === undefined || current.sequence === context.inForce?.sequence) return;
  const definitions = await context.definitions.accepted(current.commit, context.signal);
  await context.clusters.update(await clustersInPlay(context, definitions));
  context.lacking.delete("");
  context.inForce = { sequence: current.sequence, commit: current.commit, definitions };
  const unknown = unknownChannels(definitions.workspace.routes, Object.keys(context.settings.channels));
  if (unknown.length > 0)
    context.log.error(
      { channels: unknown },
      "routes name channels that firebreak.yaml does not have; who has no other is told everywhere",
    );
}
