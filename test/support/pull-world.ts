/** The syncer's side of pull requests on a real forge: a store, a clone and a log in memory; no clusters, no hosts. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";
import { openRepository, type Repository } from "../../adapters/git/index.ts";
import { openForge, type ForgeCredential } from "../../adapters/forge/open.ts";
import { openStore } from "../../adapters/store/index.ts";
import type { ClusterInventory } from "../../core/membership/inventory.ts";
import type { EntryInput } from "../../core/audit/entry.ts";
import { LogFacts } from "../../core/audit/log-facts.ts";
import { fillEntry } from "../../core/audit/fill.ts";
import { matchesFilter } from "../../core/audit/filter.ts";
import type { ReadRange } from "../../core/audit/trail.ts";
import { parseSettings } from "../../core/config/settings.ts";
import type { Forge } from "../../core/forge/forge.ts";
import { DefinitionSource } from "../../services/definitions.ts";
import { openLog } from "../../services/log.ts";
import { Bell } from "../../services/loop.ts";
import { AcceptedRevisions } from "../../services/syncer/accepted.ts";
import type { SyncerContext } from "../../services/syncer/context.ts";
import { followBranch, type BranchOutcome } from "../../services/syncer/branch.ts";
import { PullWatch } from "../../services/syncer/pulls/loop.ts";
import { gitWorker } from "../../services/workers/git.ts";
import { openWorkers } from "../../services/workers/open.ts";

export interface PullWorld extends AsyncDisposable {
  readonly context: SyncerContext;
  /** What was logged, in order, each id once. */
  readonly entries: readonly EntryInput[];
  /** A look at every open pull request. */
  look(): Promise<void>;
  /** The next look: at what is new, and at what was put off. */
  lookOn(): Promise<void>;
  /** Clusters that are connected from now on, as they are seen. */
  see(...seen: readonly ClusterInventory[]): void;
  /** A look at the branch. */
  follow(): Promise<BranchOutcome>;
  /** As after a start: nothing but the store is remembered. */
  restart(): void;
}

const LOGGED_AT = "2026-11-30T12:00:00.000Z";
const ORIGIN = { service: "syncer", instance: "test" };

interface Wish {
  readonly kind: Forge["kind"];
  readonly url: string;
  readonly repository: string;
  readonly credential: ForgeCredential;
  /** Where the definitions are cloned from, with a token's password. */
  readonly git: { readonly url: string; readonly username?: string };
  /** Instead of a clone. */
  readonly repositoryOf?: Repository;
}

export async function openPullWorld({ kind, url, repository: name, credential, git, repositoryOf }: Wish): Promise<PullWorld> {
  const folder = mkdtempSync(join(tmpdir(), "fb-pulls-"));
  const { signal } = new AbortController();
  const store = await openStore({ kind: "embedded", folder: join(folder, "state") }, { signal });
  const settings = parseSettings(`repository: {url: "${git.url}", path: "policies"}\nallow: {contexts: [eu, us]}\n`, {});
  const password = "token" in credential ? credential.token : "";
  const auth = { kind: "basic", username: git.username ?? "firebreak", password } as const;
  const workers = openWorkers();
  const repository =
    repositoryOf ??
    openRepository({
      url: git.url,
      branch: "main",
      path: "policies",
      folder: join(folder, "git"),
      auth,
      worker: gitWorker(workers),
    });
  const entries = new Map<string, EntryInput>();
  const facts = new LogFacts();
  // The cast: no part of it that reaches targets is asked for here.
  const context = {
    settings,
    operator: { floor: { from: [], ports: [] }, ownPaths: [] },
    instance: "test",
    start: "start",
    log: openLog("error", "test"),
    store,
    queue: { enqueue: async () => await Promise.resolve() },
    trail: {
      append: async (list: readonly EntryInput[]) => {
        for (const entry of list) {
          if (entries.has(entry.id)) continue;
          entries.set(entry.id, entry);
          facts.add({ type: entry.type, time: LOGGED_AT, fields: { ...entry } });
        }
        return await Promise.resolve([]);
      },
      read: async ({ from = 0, filter = {} }: ReadRange) => {
        const stored = [...entries.values()].map((entry, seq) => fillEntry(entry, { seq, time: LOGGED_AT, origin: ORIGIN }));
        return await Promise.resolve({ entries: stored.slice(from).filter((entry) => matchesFilter(entry, filter)) });
      },
    },
    facts,
    workers,
    environment: {},
    now: Date.now,
    elapsed: () => performance.now(),
    random: () => 0.5,
    signal,
    repository,
    forge: openForge({ kind, url, repository: name, credential, isPaced: false }),
    definitions: new DefinitionSource(repository, settings, workers),
    clusters: { connections: () => new Map(), update: async () => await Promise.resolve(new Map()) },
    memberships: { catchUp: async () => await Promise.resolve(), forget: () => undefined, known: () => new Map() },
    branchBell: new Bell(),
    oneLook: pLimit(1),
    accepted: new AcceptedRevisions(),
    contradiction: undefined,
    only: { signal: () => signal, whyNot: () => undefined },
    requestKey: async () => await Promise.resolve(new Uint8Array(32)),
    served: new Set(),
    unreleased: new Set(),
    flying: new Set(),
    openIntents: async () => await Promise.resolve([]),
    lastApply: async () => await Promise.resolve({ applied: undefined, begun: undefined }),
    savedMemberships: new Map(),
    refused: undefined,
    inForce: undefined,
    takingUp: undefined,
    ahead: 0,
    onStep: () => undefined,
  } as unknown as SyncerContext;
  let watch = new PullWatch(context);
  return {
    context,
    get entries() {
      return [...entries.values()];
    },
    async look() {
      watch.hint(undefined);
      await watch.round();
    },
    lookOn: async () => await watch.round(),
    see(...seen) {
      const connections = seen.map((inventory) => {
        const connection = {
          inventory: () => inventory,
          isInventoryCurrent: () => inventory.complete,
          synced: async () => await Promise.resolve(),
        };
        return [inventory.target, connection] as const;
      });
      Object.assign(context.clusters, { connections: () => new Map(connections) });
    },
    follow: async () => await followBranch(context),
    restart() {
      watch = new PullWatch(context);
      context.refused = undefined;
    },
    async [Symbol.asyncDispose]() {
      await workers[Symbol.asyncDispose]();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
