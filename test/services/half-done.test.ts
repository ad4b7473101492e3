/**
 * A syncer that ends between any two writes of what a person asked for, or of what a target proved: the next one finishes it. A real store and
 * Git, a log in memory; clusters, hosts and the forge are made up. Runs of targets and acceptances: `test/e2e/kills.test.ts`.
 */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openRepository } from "../../adapters/git/index.ts";
import {
  forgetPull,
  forgetTarget,
  listApprovals,
  listOpenWork,
  listTargetRows,
  pullRow,
  recordIdentity,
  recordOrphan,
  recordPlan,
  recordPull,
  requestRow,
  submitRequest,
  targetRow,
  type RequestKind,
  type RequestRow,
} from "../../adapters/store/index.ts";
import type { EntryInput } from "../../core/audit/entry.ts";
import type { Forge, ForgeComment, PullRequest } from "../../core/forge/forge.ts";
import { clusterTargetId } from "../../core/model/target.ts";
import type { ClusterStep } from "../../core/plan/plan.ts";
import { ANNOTATION } from "../../core/render/networkpolicy-mark.ts";
import { sealRequest } from "../../services/request-seal.ts";
import { AcceptedRevisions } from "../../services/syncer/accepted.ts";
import type { SyncerContext } from "../../services/syncer/context.ts";
import { readCommands } from "../../services/syncer/pulls/commands.ts";
import type { PullContext } from "../../services/syncer/pulls/context.ts";
import { endLastLife, replayLog, resume } from "../../services/syncer/recover.ts";
import { serveRequests } from "../../services/syncer/requests.ts";
import { finishTakeOvers, takeOver } from "../../services/syncer/takeover.ts";
import { inventory, namespace, pod } from "../support/definitions.ts";
import { lifeOf, type Life } from "../support/dying.ts";
import { startGit, type GitFixture } from "../support/git-fixture.ts";
import { openPullWorld, type PullWorld } from "../support/pull-world.ts";
import { until } from "../support/until.ts";

const [EU, US] = [clusterTargetId("eu"), clusterTargetId("us")];
const HEAD = "apiVersion: firebreak.dev/v1alpha1\n";
const cluster = (name: string): string =>
  `${HEAD}kind: Cluster\nmetadata: {name: ${name}}\nspec: {mode: apply, context: ${name}, enforcer: calico}\n`;
const segment = (ingress: string): string =>
  `${HEAD}kind: Segment\nmetadata: {name: db}\nspec: {members: [{pods: {matchLabels: {app: db}}, namespaces: {}}], isolate: {ingress: ${ingress}, egress: off}}\n`;
const SEEN = inventory("eu", { namespaces: [namespace("shop")], pods: [pod("shop/db-1", { app: "db" }, "10.2.0.9")] });
const ANSWER_MS = 120_000;
/** Some ten lives one after another, on the slowest machine. */
const LIVES_MS = 900_000;
/** More writes than any of this has: a test that never lives to its end fails. */
const MOST_WRITES = 40;

const folder = mkdtempSync(join(tmpdir(), "fb-half-done-"));
let git: GitFixture;
let world: PullWorld;
/** Names what is to be told apart from an earlier round. */
let round = 0;

beforeAll(async () => {
  git = await startGit();
  git.push({ "policies/eu.yaml": cluster("eu"), "policies/us.yaml": cluster("us"), "policies/db.yaml": segment("enforce") });
  const repositoryOf = openRepository({
    url: git.url,
    branch: "main",
    path: "policies",
    folder: join(folder, "git"),
    auth: { kind: "none" },
  });
  const forge = { kind: "gitea", url: "http://127.0.0.1:1/api/v1", repository: "a/b", credential: { token: "x" } } as const;
  world = await openPullWorld({ ...forge, git: { url: git.url }, repositoryOf });
  Object.assign(world.context, { holder: "us ", log: { ...world.context.log, info: () => undefined, error: () => undefined } });
  await world.follow();
  git.push({ "policies/eu.yaml": HEAD + "kind: Segment\nmetadata: {name: none}\nspec: {members: [{addresses: [10.9.9.9/32]}]}\n" });
  expect(await world.follow()).toMatchObject({ kind: "accepted", sequence: 2 });
});

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await git?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** What a start knows: the log and the store. */
function nextLife(last = Infinity): Life<SyncerContext> {
  round += 1;
  const fresh = {
    start: `start-${round}`,
    served: new Set<string>(),
    unreleased: new Set(),
    flying: new Set<string>(),
    accepted: new AcceptedRevisions(),
    inForce: undefined,
    takingUp: undefined,
    refused: undefined,
  };
  return lifeOf({ ...world.context, ...fresh } as SyncerContext, last);
}

async function start({ context }: Life<SyncerContext>): Promise<void> {
  await endLastLife(context);
  await replayLog(context, context.trail);
  await resume(context);
}

/** Serves until the request is answered, or the process ends. */
async function serve(life: Life<SyncerContext>, id: string): Promise<RequestRow | undefined> {
  const stop = new AbortController();
  const serving = serveRequests(Object.assign(life.context, { signal: stop.signal }));
  const row = async (): Promise<RequestRow | undefined> => await requestRow(world.context.store, id);
  try {
    await until(async () => life.hasEnded() || (await row())?.doneAt !== null, ANSWER_MS);
  } finally {
    stop.abort();
    await serving;
  }
  return await row();
}

async function ask(kind: RequestKind, args: unknown): Promise<string> {
  const request = { id: randomUUID(), kind, args, actor: "api-token", createdAt: Date.now() };
  await submitRequest(world.context.store, { ...request, mac: sealRequest(await world.context.requestKey(), request) });
  return request.id;
}

const logged = (type: EntryInput["type"], since: number): readonly EntryInput[] =>
  world.entries.slice(since).filter((entry) => entry.type === type);

/** A cluster of functions that answers as this one, with these policies of ours. */
function clusterOf(life: Life<SyncerContext>, uid: string, policies: Set<string>): void {
  const connection = {
    readObservation: async () => {
      const live = [...policies].map((name) => ({
        object: {
          metadata: {
            namespace: "shop",
            name,
            uid: name,
            resourceVersion: "1",
            annotations: { [ANNOTATION.instance]: "test", [ANNOTATION.sequence]: "1", [ANNOTATION.digest]: "d" },
          },
          spec: { podSelector: { matchLabels: { app: "db" } }, policyTypes: ["Ingress"] },
        },
      }));
      return await Promise.resolve({ kind: "cluster", target: EU, completeness: "complete", uid, policies: live, at: 1 });
    },
    inventory: () => SEEN,
    apply: async (step: ClusterStep) =>
      await life.writes(async () => await Promise.resolve(void (step.kind === "delete" && policies.delete(step.name)))),
  };
  Object.assign(life.context, { clusters: { ...world.context.clusters, connection: () => connection } });
}

/** Everything that is asked of the forge, for a pull request with one head. */
function forgeOf(pull: PullRequest, comments: readonly ForgeComment[] = []): Forge {
  // The cast: nothing else of a forge is asked for here.
  return {
    readSelf: async () => await Promise.resolve("firebreak"),
    listComments: async () => await Promise.resolve(comments),
    readPermission: async () => await Promise.resolve("write"),
    listCommits: async () => await Promise.resolve([{ authorLogin: "mia", committerLogin: "mia" }]),
    readPull: async () => await Promise.resolve(pull),
  } as unknown as Forge;
}

const pullOf = (number: number): PullRequest =>
  ({ number, author: "mia", url: "u", head: { sha: "a".repeat(40) }, base: { ref: "main" } }) as unknown as PullRequest;

/** A pull request whose plan is shown and that is on hold. */
async function held(number: number, plan: string): Promise<void> {
  const { store, trail } = world.context;
  const pull = pullOf(number);
  const about = { commit: pull.head.sha, pullRequest: { number, url: "u", author: "mia" } };
  await trail.append([
    { id: `reviewed-${plan}`, type: "plan.reviewed", plan, ...about },
    { id: `held-${plan}`, type: "plan.held", actor: { kind: "person", id: "rik" }, reason: "wait", ...about },
  ]);
  await recordPull(
    store,
    {
      number,
      head: pull.head.sha,
      author: "mia",
      url: "u",
      fullHead: null,
      held: { by: "rik", reason: "wait", at: 1 },
      seenComment: 0,
      seenAt: null,
      answers: [],
    },
    1,
  );
  await recordPlan(store, number, { plan, commentId: 1 });
}

/** Ends before each write in turn, until one life gets to the end. @returns how many writes it has */
async function beforeEachWrite(attempt: (last: number) => Promise<boolean>): Promise<number> {
  for (let last = 0; last < MOST_WRITES; last++) if (!(await attempt(last))) return last;
  throw new Error(`more than ${MOST_WRITES} writes`);
}

/** Asks, ends before the write after the `last`, starts again: the request must be answered then. @returns whether it ended */
async function askedOf(
  last: number,
  request: { readonly kind: RequestKind; readonly args: unknown; readonly prepare?: (life: Life<SyncerContext>) => void },
  holds: (row: RequestRow | undefined, context: SyncerContext) => Promise<void>,
): Promise<boolean> {
  const first = nextLife();
  await start(first);
  const dying = lifeOf(first.context, last);
  request.prepare?.(dying);
  const id = await ask(request.kind, request.args);
  const row = await serve(dying, id);
  if (!dying.hasEnded()) {
    await holds(row, dying.context);
    return false;
  }
  const next = nextLife();
  request.prepare?.(next);
  await start(next);
  // Would catch: what was taken by a process that ended waits for two minutes.
  const answered = await serve(next, id);
  expect(answered?.error, `ended before write ${last + 1}`).toBeNull();
  await holds(answered, next.context);
  return true;
}

describe("a request that was under way is finished by the next start", { timeout: LIVES_MS }, () => {
  it("release: our objects are gone, the target is forgotten, and nobody is told that he asked for something unknown", async () => {
    const { store, trail } = world.context;
    const count = await beforeEachWrite(async (last) => {
      const target = { kind: "cluster", id: EU, uid: "uid-eu" } as const;
      const told = { id: `orphan-${last}`, type: "target.orphaned", target, revision: 2 } as EntryInput;
      await trail.append([{ id: `is-${last}`, type: "target.identified", target }, told]);
      await recordOrphan(store, { id: EU, mode: "apply", labels: {} }, { sequence: 1, orphanedAt: 2 }, 1);
      await recordIdentity(store, EU, { identity: "uid-eu" });
      const policies = new Set(["fb-db-1", "fb-db-2"]);
      const args = { target: EU, confirm: true, keep: false, forget: false };
      const since = world.entries.length;
      return await askedOf(
        last,
        { kind: "release", args, prepare: (life) => clusterOf(life, "uid-eu", policies) },
        async (row, context) => {
          expect(row?.result).toMatchObject({ target: EU, done: true });
          expect([...policies]).toEqual([]);
          expect(await targetRow(store, EU)).toBeUndefined();
          expect(logged("target.released", since).length).toBeGreaterThan(0);
          expect([...context.facts.orphans()]).toEqual([]);
          expect((await listOpenWork(store)).map(({ target }) => target)).toContain(US);
        },
      );
    });
    expect(count).toBeGreaterThan(8);
  });

  it("reconcile --replaced: the target is the new cluster's, in the log and in the store, and has work", async () => {
    const { store, trail } = world.context;
    const count = await beforeEachWrite(async (last) => {
      await trail.append([
        { id: `old-${last}`, type: "target.identified", target: { kind: "cluster", id: US, uid: `old-${last}` } },
      ]);
      await recordIdentity(store, US, { identity: `old-${last}` });
      const since = world.entries.length;
      const uid = `new-${last}`;
      return await askedOf(
        last,
        {
          kind: "reconcile",
          args: { target: US, replaced: uid },
          prepare: (life) => clusterOf(life, uid, new Set()),
        },
        async (row, context) => {
          expect(row?.result).toEqual({ targets: [US] });
          expect(await targetRow(store, US)).toMatchObject({ identity: uid, appliedSequence: null });
          expect(context.facts.target(US).uid).toBe(uid);
          const told = logged("target.replaced", since);
          expect(told.length).toBeGreaterThan(0);
          // Would catch: the second telling names the new cluster as the one before.
          expect(told.map(({ detail }) => detail)).toEqual(told.map(() => ({ before: `old-${last}`, after: uid })));
          const work = (await listOpenWork(store)).filter(({ kind, target }) => kind === "person" && target === US);
          expect(work.map(({ key }) => key)).toContain(row?.id);
        },
      );
    });
    expect(count).toBeGreaterThan(4);
  });

  it("approve: the approval counts once, and the hold is over in the log and in the store", async () => {
    const { store } = world.context;
    const count = await beforeEachWrite(async (last) => {
      const number = 100 + last;
      const plan = `${String(last).padStart(4, "0")}aaaaaaaa`;
      await held(number, plan);
      const since = world.entries.length;
      const prepare = ({ context }: Life<SyncerContext>): unknown => Object.assign(context, { forge: forgeOf(pullOf(number)) });
      const ended = await askedOf(last, { kind: "approve", args: { plan }, prepare }, async (row, { facts }) => {
        expect(row?.result).toMatchObject({ pull: number, plan });
        expect(await listApprovals(store, number, pullOf(number).head.sha)).toMatchObject([{ via: "token", who: "api-token" }]);
        expect([(await pullRow(store, number))?.held, facts.hold(number)]).toEqual([null, undefined]);
        expect([logged("plan.approved", since).length, logged("plan.resumed", since).length]).toEqual([1, 1]);
      });
      await forgetPull(store, number);
      return ended;
    });
    expect(count).toBeGreaterThan(4);
  });
});

describe("a comment that was being read is read again by the next look", { timeout: LIVES_MS }, () => {
  const comment = (body: string, id: number): ForgeComment => {
    const at = new Date(0).toISOString();
    return { id, author: "rik", body, createdAt: at, updatedAt: at, isEdited: false };
  };

  it.each([
    ["hold", (): string => "/firebreak hold not today", { isHeld: true, approvals: 0, types: ["plan.held"] }],
    [
      "approve",
      (plan: string): string => `/firebreak approve ${plan}`,
      { isHeld: false, approvals: 1, types: ["plan.approved", "plan.resumed"] },
    ],
  ] as const)("%s: told once, and in force", async (_, words, { isHeld, approvals, types }) => {
    const { store, facts } = world.context;
    const count = await beforeEachWrite(async (last) => {
      const number = 200 + (round += 1);
      const plan = `${String(number).padStart(4, "0")}bbbbbbbb`;
      await held(number, plan);
      const since = world.entries.length;
      const pull = pullOf(number);
      const look = async (life: Life<SyncerContext>): Promise<void> => {
        const inForce = world.context.inForce;
        const context = {
          ...life.context,
          inForce,
          forge: forgeOf(pull, [comment(words(plan), number)]),
        } as unknown as PullContext;
        await readCommands(context, pull, await pullRow(store, number));
      };
      const dying = nextLife(last);
      await look(dying).catch((error: unknown) => {
        if (!dying.hasEnded()) throw error;
      });
      if (dying.hasEnded()) await look(nextLife());
      expect(((await pullRow(store, number))?.held ?? null) !== null).toBe(isHeld);
      expect(facts.hold(number) !== undefined).toBe(isHeld);
      expect(await listApprovals(store, number, pull.head.sha)).toHaveLength(approvals);
      expect(world.entries.slice(since).map(({ type }) => type)).toEqual(types);
      await forgetPull(store, number);
      return dying.hasEnded();
    });
    expect(count).toBeGreaterThan(1);
  });
});

// Would catch: the log has let the orphan go, so nobody takes it over any more, and its old revision is planned on the cluster of the new name.
it("an orphan that was being taken over is forgotten by the next start, and told once", { timeout: LIVES_MS }, async () => {
  const { store, trail, facts } = world.context;
  const count = await beforeEachWrite(async (last) => {
    const uid = `same-${last}`;
    const target = { kind: "cluster", id: EU, uid } as const;
    const orphaned = { id: `gone-${last}`, type: "target.orphaned", target, revision: 2 } as EntryInput;
    await trail.append([
      { id: `eu-is-${last}`, type: "target.identified", target },
      orphaned,
      { id: `us-is-${last}`, type: "target.identified", target: { ...target, id: US } },
    ]);
    await recordOrphan(store, { id: EU, mode: "apply", labels: {} }, { sequence: 1, orphanedAt: 2 }, 1);
    for (const id of [EU, US]) await recordIdentity(store, id, { identity: uid });
    const since = world.entries.length;
    const dying = nextLife(last);
    await takeOver(dying.context, US, uid).catch((error: unknown) => {
      if (!dying.hasEnded()) throw error;
    });
    if (dying.hasEnded()) {
      const { context } = nextLife();
      await finishTakeOvers(context);
      await takeOver(context, US, uid);
    }
    expect((await listTargetRows(store)).map(({ id }) => id)).toEqual([US]);
    expect(logged("target.released", since)).toHaveLength(1);
    expect([...facts.orphans()]).toEqual([]);
    await forgetTarget(store, EU, 1, () => []);
    return dying.hasEnded();
  });
  expect(count).toBeGreaterThan(3);
});
