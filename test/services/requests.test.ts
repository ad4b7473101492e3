/** Who may ask the syncer to change something, when whoever has the database writes rows; a real store and Git, no targets. */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openRepository } from "../../adapters/git/index.ts";
import { recordApproval, submitRequest, waitForRequest, type RequestRow } from "../../adapters/store/index.ts";
import { run } from "../../adapters/store/session.ts";
import type { Forge, PullRequest } from "../../core/forge/forge.ts";
import { parseSettings } from "../../core/config/settings.ts";
import type { Outcome } from "../../adapters/workers/index.ts";
import { makeRoom } from "../../services/questions.ts";
import { requestKey, sealRequest } from "../../services/request-seal.ts";
import { approvalsOf } from "../../services/syncer/pulls/approvals.ts";
import { serveRequests } from "../../services/syncer/requests.ts";
import { startGit, type GitFixture } from "../support/git-fixture.ts";
import { openPullWorld, type PullWorld } from "../support/pull-world.ts";

const HEAD = "apiVersion: firebreak.dev/v1alpha1\n";
const definitions = (ingress: string): string =>
  `${HEAD}kind: Cluster\nmetadata: {name: eu}\nspec: {mode: apply, context: eu, enforcer: calico}\n---\n${HEAD}kind: Segment\n` +
  `metadata: {name: db}\nspec: {members: [{pods: {matchLabels: {app: db}}, namespaces: {}}], isolate: {ingress: ${ingress}, egress: off}}\n`;

const folder = mkdtempSync(join(tmpdir(), "fb-requests-"));
let git: GitFixture;
let world: PullWorld;
let refused: string;
const stop = new AbortController();
let serving: Promise<void>;

beforeAll(async () => {
  git = await startGit();
  git.push({ "policies/a.yaml": definitions("enforce") });
  const repositoryOf = openRepository({
    url: git.url,
    branch: "main",
    path: "policies",
    folder: join(folder, "git"),
    auth: { kind: "none" },
  });
  const forge = { kind: "gitea", url: "http://127.0.0.1:1/api/v1", repository: "a/b", credential: { token: "x" } } as const;
  world = await openPullWorld({ ...forge, git: { url: git.url }, repositoryOf });
  await world.follow();
  refused = git.push({ "policies/a.yaml": definitions('"off"') }, "open everything");
  expect(await world.follow()).toMatchObject({ kind: "refused" });
  serving = serveRequests(Object.assign(world.context, { signal: stop.signal }));
});

afterAll(async () => {
  stop.abort();
  await serving;
  await world?.[Symbol.asyncDispose]();
  await git?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

type Asking = Pick<RequestRow, "id" | "kind" | "args" | "actor" | "createdAt">;

/** What becomes of a row in the table. */
async function insert(asking: Asking, mac: string | null): Promise<RequestRow> {
  const { store } = world.context;
  await submitRequest(store, { ...asking, mac });
  return await waitForRequest(store, asking.id, AbortSignal.timeout(20_000));
}

const accept = (more: Partial<Asking> = {}): Asking => ({
  id: randomUUID(),
  kind: "accept",
  args: { revision: refused },
  actor: "anna (security)",
  createdAt: Date.now(),
  ...more,
});

const inForce = (): number | undefined => world.context.inForce?.sequence;

// Would catch: one INSERT has the rights of a token, under any name.
it("a row that the API did not seal is refused and told, also one that was sealed and changed", async () => {
  const key = await world.context.requestKey();
  const asking = accept();
  const forged = [
    await insert(accept(), null),
    await insert(accept(), sealRequest(new Uint8Array(32).fill(1), asking)),
    await insert({ ...asking, args: { revision: refused }, actor: "somebody else" }, sealRequest(key, asking)),
  ];
  for (const { error } of forged)
    expect(error).toMatchObject({ code: "AUTH_DENIED", message: expect.stringContaining("api.token") });
  expect(inForce()).toBe(1);
  const told = world.entries.filter(({ type }) => type === "request.rejected");
  expect(told.map(({ detail }) => detail?.["request"])).toEqual(forged.map(({ id }) => id));
});

// Would catch: a row that was answered is copied, or put back, weeks later.
it("a request that is too old, or was served, is refused", async () => {
  const { requestKey: readKey, store } = world.context;
  const key = await readKey();
  const old = accept({ createdAt: Date.now() - 3_600_000 });
  expect((await insert(old, sealRequest(key, old))).error).toMatchObject({ code: "AUTH_DENIED" });
  expect(inForce()).toBe(1);

  const asking = accept({ actor: "api-token" });
  expect((await insert(asking, sealRequest(key, asking))).result).toMatchObject({ accepted: true, sequence: 2 });
  await run(store, "somebody", async (db) => await db.deleteFrom("firebreak.requests").where("id", "=", asking.id).execute());
  expect((await insert(asking, sealRequest(key, asking))).error).toMatchObject({
    message: expect.stringContaining("served already"),
  });
});

it("the key is the token's: another token has another, and the database has none", async () => {
  const keyOf = async (token: string): Promise<string> => {
    const settings = parseSettings("repository: {url: /r}\napi: {token: 'env:T'}\n", {});
    return Buffer.from(await requestKey(settings, { T: token })).toString("hex");
  };
  expect(await keyOf("one")).toBe(await keyOf("one"));
  expect(await keyOf("one")).not.toBe(await keyOf("two"));
});

// Would catch: two rows in `approvals` let a pull request in.
it("an approval counts only when the log tells of it", async () => {
  const { store, trail, signal } = world.context;
  const head = "a".repeat(40);
  const pull = { number: 7, head: { sha: head }, author: "m", base: { ref: "main" }, url: "" } as PullRequest;
  const forge = {
    listReviews: async () => [],
    readPermission: async () => "write",
    listCommits: async () => [],
  } as unknown as Forge;
  const counted = async (): Promise<readonly string[]> =>
    (await approvalsOf({ forge, store, trail, signal }, { required: 2, distinctFromAuthor: true }, pull, "main")).counted.map(
      ({ who }) => who,
    );
  for (const via of ["token", "comment"] as const)
    await recordApproval(store, { pull: 7, head, who: `rik-${via}`, via, plan: null, at: 1 });
  expect(await counted()).toEqual([]);
  await trail.append([
    {
      id: "plan-approved-7",
      type: "plan.approved",
      commit: head,
      actor: { kind: "person", id: "rik-comment" },
      pullRequest: { number: 7, url: "", author: "m" },
      outcome: "ok",
    },
  ]);
  expect(await counted()).toEqual(["rik-comment"]);
});

// Would catch: one person pushes a commit that no account is known for to a bot's pull request, and approves it.
it("an approval is not enough alone for a commit whose maker is not known", async () => {
  const { store, trail, signal } = world.context;
  const pull = { number: 8, head: { sha: "b".repeat(40) }, author: "bot", base: { ref: "main" }, url: "" } as PullRequest;
  const commits = [{ authorLogin: "bot", committerLogin: "bot" }];
  const review = { author: "rik", state: "approved", commit: pull.head.sha, at: "2027-01-01T00:00:00Z" };
  const forge = {
    listReviews: async () => [review],
    readMoved: async () => undefined,
    readPermission: async () => "write",
    listCommits: async () => commits,
  } as unknown as Forge;
  const isEnough = async (): Promise<boolean> =>
    (await approvalsOf({ forge, store, trail, signal }, { required: 1, distinctFromAuthor: true }, pull, "main")).isEnough;
  expect(await isEnough()).toBe(true);
  for (const unknown of [
    { authorLogin: undefined, committerLogin: "bot" },
    { authorLogin: "bot", committerLogin: undefined },
  ]) {
    commits[1] = unknown as never; // the forge knows one account only
    expect(await isEnough()).toBe(false);
  }
  commits[1] = { authorLogin: "bot", committerLogin: "Rik" };
  expect(await isEnough()).toBe(false);
});

// Would catch: a reader's questions stand before a person's `accept`, or pile up without end in the database.
it("questions are answered, hold up no change, and beyond sixteen that wait are refused", async () => {
  const { store } = world.context;
  const question = (more: Partial<Asking> = {}): Asking => ({
    id: randomUUID(),
    kind: "reach",
    args: {},
    actor: "reader",
    createdAt: Date.now(),
    ...more,
  });
  expect((await insert(question(), null)).result).toMatchObject({ connections: [] });
  expect((await insert(question({ kind: "segments" }), null)).result).toMatchObject({
    basis: "live",
    inNone: expect.any(Array) as unknown,
  });
  const unknown = await insert(question({ kind: "segments", args: { name: "nosuch" } }), null);
  expect(unknown.error).toMatchObject({
    code: "NOT_FOUND",
    message: expect.stringContaining("there is no segment nosuch") as string,
  });
  expect((await insert(question({ createdAt: Date.now() - 200_000 }), null)).error).toMatchObject({ code: "WAIT_TIMED_OUT" });
  const gate = Promise.withResolvers<Outcome<never>>();
  const { workers } = world.context;
  Object.assign(world.context, { workers: { run: async () => await gate.promise } });
  try {
    const waiting = Array.from({ length: 16 }, () => question());
    for (const one of waiting) {
      await makeRoom(store, one.kind, Date.now());
      await submitRequest(store, { ...one, mac: null });
    }
    await expect(makeRoom(store, "reach", Date.now())).rejects.toMatchObject({ code: "RATE_LIMITED" });
    await makeRoom(store, "accept", Date.now());
    expect((await insert(accept(), null)).error).toMatchObject({ code: "AUTH_DENIED" });
    gate.resolve({ kind: "timed-out", afterMs: 30_000 });
    const [first] = waiting;
    const row = await waitForRequest(store, first?.id ?? "", AbortSignal.timeout(20_000));
    expect(row.error).toMatchObject({ code: "LIMIT_EXCEEDED", message: expect.stringContaining("more than 30 s") });
  } finally {
    gate.resolve({ kind: "timed-out", afterMs: 30_000 });
    Object.assign(world.context, { workers });
  }
});
