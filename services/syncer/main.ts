import { createSecretKey } from "node:crypto";
import { join } from "node:path";
import pLimit from "p-limit";
import { openRepository } from "../../adapters/git/index.ts";
import { subscribe } from "../../adapters/store/index.ts";
import type { FileTrail } from "../../adapters/trail/file-trail.ts";
import { ClusterPool } from "../clusters.ts";
import { openControlFolder } from "../control-folder.ts";
import { DefinitionSource } from "../definitions.ts";
import { openForgeOf } from "../forge.ts";
import { gitAuth } from "../git-auth.ts";
import { HostPool } from "../hosts.ts";
import { Bell, runLoop, withJitter } from "../loop.ts";
import type { Parts } from "../parts.ts";
import { requestKey } from "../request-seal.ts";
import type { Service } from "../service.ts";
import { gitWorker } from "../workers/git.ts";
import { answerReader } from "../workers/readback.ts";
import { Gaps } from "./ahead.ts";
import { AcceptedRevisions } from "./accepted.ts";
import { followBranch } from "./branch.ts";
import type { SyncerContext } from "./context.ts";
import { watchExpiry } from "./expiry.ts";
import { keepCommits } from "./keep-commits.ts";
import { MemberLog } from "./member-log.ts";
import { MembershipFeed } from "./memberships.ts";
import { OnlySyncer } from "./only-syncer.ts";
import { propose } from "./proposals/loop.ts";
import { PullWatch } from "./pulls/loop.ts";
import { reconcile } from "./reconcile.ts";
import { closeOpenIntents, endLastLife, replayLog, resume } from "./recover.ts";
import { relayEntries } from "./relay.ts";
import { serveRequests } from "./requests.ts";
import { sweep } from "./sweep.ts";

/** What only the syncer needs: it holds the log. */
export interface SyncerParts extends Parts {
  readonly trail: FileTrail;
  /** For tests: called after each step of a run. */
  readonly onStep?: SyncerContext["onStep"];
}

/** How often it is asked whether a commit need not wait any more. */
const WAITING_MS = 2_000;
const RESUME_RETRY_MS = 2_000;

/**
 * The syncer: Git → work → apply → read back.
 *
 * ```
 *   branch ──► revision ──┐
 *   watches ─► membership ┼─► work rows ─► queue ─► reconcile ─► targets
 *   requests, findings ───┘                            └─► log
 * ```
 */
export async function startSyncer(parts: SyncerParts): Promise<Service> {
  const { settings, log, signal, now, random } = parts;
  await using opened = new AsyncDisposableStack();
  const only = await OnlySyncer.open(parts.store, log, signal);
  const { repository: source } = settings;
  const repository = openRepository({
    url: source.url,
    branch: source.branch,
    path: source.path,
    folder: join(settings.stateFolder, "git-syncer"),
    auth: await gitAuth(settings, parts.environment),
    readAuth: async () => await gitAuth(settings, parts.environment),
    worker: gitWorker(parts.workers),
  });
  const forge = await openForgeOf(settings, parts.environment);
  const control = opened.use(await openControlFolder(settings.stateFolder, "syncer"));
  const hosts = opened.use(
    new HostPool({
      identityFile: settings.ssh.identityFile,
      knownHosts: settings.ssh.knownHosts,
      controlFolder: control.path,
      access: "apply",
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
      kubeconfig: settings.kubernetes.kubeconfig,
      onChange: (target, change) => {
        if (change.kind === "inventory") context.memberships.markChanged(target, change.event);
      },
    }),
  );
  const branchBell = new Bell();
  const context: SyncerContext = {
    ...parts,
    repository,
    forge,
    definitions: new DefinitionSource(repository, settings, parts.workers),
    clusters,
    hosts,
    get memberships() {
      return memberships;
    },
    get memberLog() {
      return memberLog;
    },
    holder: `${parts.trail.verifierKey} `,
    branchBell,
    oneLook: pLimit(1),
    refused: undefined,
    inForce: undefined,
    takingUp: undefined,
    accepted: new AcceptedRevisions(),
    contradiction: undefined,
    facts: parts.trail.facts,
    sealKey: createSecretKey(parts.trail.sealKey),
    isLogNew: parts.trail.isNew,
    only,
    requestKey: async () => await requestKey(settings, parts.environment),
    served: new Set(),
    unreleased: new Set(),
    flying: new Set(),
    openIntents: async () => await parts.trail.openIntents(),
    lastApply: async (target) => await parts.trail.lastApply(target),
    savedMemberships: new Map(),
    ahead: 0,
    gaps: new Gaps(),
    onStep: parts.onStep ?? (() => undefined),
  };
  const memberships = new MembershipFeed(context);
  const memberLog = new MemberLog(context);
  opened.defer(subscribe(parts.store, "repository", (payload) => payload === "hint" && branchBell.ring()));

  // This process has the log open, so whoever took leases under it is dead.
  await endLastLife(context);
  // And nobody else runs jobs: those of a killed run would wait until their locks run out.
  if (parts.queue.kind !== "embedded")
    await parts.queue
      .reset()
      .catch((error: unknown) => log.warn({ error }, "the queue could not be emptied; jobs of an earlier run wait"));
  await closeOpenIntents(context);
  await memberships.load();
  context.savedMemberships = new Map(memberships.known());
  const kept = opened.move();
  const done = run(context, parts.trail, kept);
  return {
    done,
    notReady: () => {
      const why = only.whyNot();
      if (why !== undefined) return { brief: why };
      if (context.contradiction !== undefined)
        return { brief: "the store contradicts the log: STORE_CONTRADICTS_LOG", detail: context.contradiction };
      if (context.inForce === undefined) return { brief: "no revision is in force yet" };
      return clusters.notReady();
    },
  };

  async function run(running: SyncerContext, trail: FileTrail, connections: AsyncDisposable): Promise<void> {
    await using _ = connections;
    const others = [
      running.memberships.run(),
      running.memberLog.run(),
      serveRequests(running),
      sweep(running),
      watchExpiry(running),
      relayEntries(running),
      propose(running),
      only.run(signal),
      new PullWatch(running).run(),
    ];
    let resumed = false;
    let isWaiting = false;
    const tooLarge = new Set<string>();
    const everyMs = (): number =>
      resumed ? Math.min(withJitter(source.poll, random), isWaiting ? WAITING_MS : Infinity) : RESUME_RETRY_MS;
    await runLoop({ name: "branch", log, signal, everyMs, bell: branchBell }, async () => {
      if (!resumed) {
        await replayLog(running, trail);
        await resume(running);
        // Not before: without a revision in force every run would fail, and be put off.
        await parts.queue.process(async (target, jobSignal) => await reconcile(running, target, jobSignal), {
          concurrency: settings.concurrency,
        });
        resumed = true;
      }
      try {
        const outcome = await followBranch(running);
        if (outcome.kind !== "unchanged") isWaiting = outcome.kind === "waiting";
      } finally {
        await keepCommits(running, tooLarge).catch((error: unknown) => log.warn({ error }, "no copies were kept, will retry"));
      }
    });
    await Promise.all(others);
  }
}
