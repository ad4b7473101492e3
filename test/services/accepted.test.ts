/** What is in force is what the log says was accepted, whatever fails between the log and the store; on a real Git, store and log. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openRepository } from "../../adapters/git/index.ts";
import { currentRevision, listFindings, listOpenWork, repositoryState, targetRow } from "../../adapters/store/index.ts";
import { run } from "../../adapters/store/session.ts";
import type { FileTrail } from "../../adapters/trail/file-trail.ts";
import { openTrail } from "../../adapters/trail/open.ts";
import { type Disk, realDisk } from "../../adapters/trail/disk.ts";
import { verifyTrail } from "../../adapters/trail/verify.ts";
import type { EntryInput } from "../../core/audit/entry.ts";
import { listOrphans } from "../../services/orphans.ts";
import { AcceptedRevisions } from "../../services/syncer/accepted.ts";
import type { SyncerContext } from "../../services/syncer/context.ts";
import { replayLog, resume } from "../../services/syncer/recover.ts";
import { startGit, type GitFixture } from "../support/git-fixture.ts";
import { openPullWorld, type PullWorld } from "../support/pull-world.ts";

const HEAD = "apiVersion: firebreak.dev/v1alpha1\n";
const definitions = (ingress: string): string =>
  `${HEAD}kind: Cluster\nmetadata: {name: eu}\nspec: {mode: apply, context: eu, enforcer: calico}\n---\n${HEAD}kind: Segment\n` +
  `metadata: {name: db}\nspec: {members: [{pods: {matchLabels: {app: db}}, namespaces: {}}], isolate: {ingress: ${ingress}, egress: off}}\n`;

const other = (range: string): string =>
  `${HEAD}kind: Cluster\nmetadata: {name: us}\nspec: {mode: apply, context: us, enforcer: calico, podRanges: [${range}]}\n`;
const GONE = "cluster/us";

let folder: string;
let git: GitFixture;
let world: PullWorld;
let trail: FileTrail;
let context: SyncerContext;
/** Asked before every file that the log writes. */
let failing: (path: string) => boolean;

// One world for all: the tests go on from where the one before left it.
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "fb-accepted-"));
  git = await startGit();
  push("the first");
  failing = () => false;
  await begin();
});

afterEach(() => {
  failing = () => false;
});

afterAll(async () => {
  await trail?.close();
  await world?.[Symbol.asyncDispose]();
  await git?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** A commit that may come into force. */
function push(message: string): string {
  return git.push({ "policies/a.yaml": `${definitions("enforce")}# ${message}\n` }, message);
}

/** A world with an empty store on the log that there is. */
async function begin(): Promise<void> {
  const repositoryOf = openRepository({
    url: git.url,
    branch: "main",
    path: "policies",
    folder: join(folder, "git"),
    auth: { kind: "none" },
  });
  const forge = { kind: "gitea", url: "http://127.0.0.1:1/api/v1", repository: "a/b", credential: { token: "x" } } as const;
  world = await openPullWorld({ ...forge, git: { url: git.url }, repositoryOf });
  const disk: Disk = {
    ...realDisk,
    async writeFile(path, bytes, mode) {
      if (failing(path)) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
      await realDisk.writeFile(path, bytes, mode);
    },
    async syncFolder(path) {
      if (failing(path)) throw Object.assign(new Error("i/o error"), { code: "EIO" });
      await realDisk.syncFolder(path);
    },
  };
  trail = await openTrail({
    folder: join(folder, "audit"),
    origin: "firebreak",
    privateKeyFile: join(folder, "audit.key"),
    producer: { service: "syncer", instance: "i" },
    now: () => new Date(),
    disk,
  });
  context = Object.assign(world.context, { trail, facts: trail.facts });
}

/** As a start: nothing is remembered but store, log and Git. */
async function restart(): Promise<void> {
  Object.assign(context, { accepted: new AcceptedRevisions(), inForce: undefined, takingUp: undefined, refused: undefined });
  await replayLog(context, trail);
  await resume(context);
}

async function logged(): Promise<readonly string[]> {
  const { entries } = await trail.read({ filter: { types: ["revision.accepted"] } });
  return entries.map((entry) => (entry.type === "revision.accepted" ? `${entry.revision} ${entry.commit}` : ""));
}

/** Store, log and what this process works by say the same. */
async function expectInForce(sequence: number, commit: string): Promise<void> {
  expect(context.inForce).toMatchObject({ sequence, commit });
  expect(await currentRevision(context.store)).toMatchObject({ sequence, commit });
  expect((await logged()).at(-1)).toBe(`${sequence} ${commit}`);
  expect((await listOpenWork(context.store)).some(({ kind }) => kind === "revision")).toBe(true);
  const verified = await verifyTrail(trail.folder, { verifierKey: trail.verifierKey });
  expect(verified.verdict).toBe("verified");
}

const STEPS = ["acceptance-logged", "acceptance-stored", "targets-recorded"];

describe("an acceptance that fails between the log and the store", () => {
  // Would catch: the revision is in the store and the log refuses it (a full disk); every look after that says CONFLICT for ever.
  it("is none while the log takes nothing, and the newest commit is accepted once it does", async () => {
    failing = () => true;
    await expect(world.follow()).rejects.toMatchObject({ code: "AUDIT_UNAVAILABLE" });
    expect(await currentRevision(context.store)).toBeUndefined();
    failing = () => false;
    const next = push("the branch moves on");
    expect(await world.follow()).toMatchObject({ kind: "accepted", sequence: 1, commit: next });
    await expectInForce(1, next);
  });

  // Would catch: the append is refused after the checkpoint is in place; the number is given a second time, to another commit.
  it("stands when the log has it although the append failed, and the next commit gets the next number", async () => {
    const first = push("in the log, and refused");
    failing = (path) => path === trail.folder;
    await expect(world.follow()).rejects.toMatchObject({ code: "AUDIT_UNAVAILABLE" });
    failing = () => false;
    const next = push("the branch moves on again");
    expect(await world.follow()).toMatchObject({ kind: "accepted", sequence: 3, commit: next });
    expect((await logged()).slice(1)).toEqual([`2 ${first}`, `3 ${next}`]);
    await expectInForce(3, next);
  });

  it.each(STEPS)("is finished by the next look when it fails after %s", async (step) => {
    const { sequence = 0 } = context.inForce ?? {};
    const first = push(`fails after ${step}`);
    failAt(step);
    await expect(world.follow()).rejects.toThrow("stopped here");
    const next = push(`the branch moves on after ${step}`);
    expect(await world.follow()).toMatchObject({ kind: "accepted", sequence: sequence + 2, commit: next });
    expect((await logged()).slice(-2)).toEqual([`${sequence + 1} ${first}`, `${sequence + 2} ${next}`]);
    await expectInForce(sequence + 2, next);
  });

  it.each(STEPS)("is finished by the next start when it ends after %s", async (step) => {
    const { sequence = 0 } = context.inForce ?? {};
    const first = push(`ends after ${step}`);
    failAt(step);
    await expect(world.follow()).rejects.toThrow("stopped here");
    await restart();
    await expectInForce(sequence + 1, first);
    expect(await world.follow()).toEqual({ kind: "unchanged" });
  });
});

describe("a store that somebody changed", () => {
  let good: string;
  let bad: string;
  let newest: number;

  beforeAll(() => {
    good = git.git("rev-parse", "HEAD");
    newest = context.inForce?.sequence ?? 0;
    bad = git.push({ "policies/a.yaml": definitions('"off"') }, "open everything");
    git.git("push", "-q", git.bare, `${bad}:refs/heads/attic`);
    git.git("reset", "-q", "--hard", good);
    git.git("push", "-q", "-f", git.bare, `${good}:main`);
  });

  const write = async (statement: (db: Parameters<Parameters<typeof run>[2]>[0]) => Promise<unknown>): Promise<void> => {
    await run(context.store, "somebody", statement);
  };
  const point = async (commit: string): Promise<void> =>
    await write(async (db) => {
      await db.updateTable("firebreak.revisions").set({ commit }).where("sequence", "=", newest).execute();
    });
  const insert = async (): Promise<void> =>
    await write(async (db) => {
      const row = await db.selectFrom("firebreak.revisions").selectAll().where("sequence", "=", newest).executeTakeFirstOrThrow();
      await db
        .insertInto("firebreak.revisions")
        .values({ ...row, sequence: newest + 1, commit: bad })
        .execute();
    });
  const remove = async (): Promise<void> =>
    await write(async (db) => await db.deleteFrom("firebreak.revisions").where("sequence", ">", newest).execute());

  // Would catch: the row's commit comes into force at the next start, and the log is made to say that it was accepted.
  it.each([
    ["another commit under a number", async () => await point(bad), async () => await point(good)],
    ["a revision that nobody accepted", insert, remove],
  ])("by %s stops the start, says so in the log and in status, and names the way out", async (_, tamper, undo) => {
    await tamper();
    const before = await logged();
    await expect(restart()).rejects.toMatchObject({
      code: "STORE_CONTRADICTS_LOG",
      message: expect.stringContaining("DROP SCHEMA"),
    });
    expect(context.inForce).toBeUndefined();
    expect(context.contradiction).toContain(`revision ${newest}`.slice(0, -1));
    expect((await repositoryState(context.store)).error).toMatchObject({ code: "STORE_CONTRADICTS_LOG" });
    expect((await trail.read({ filter: { types: ["store.rejected"] } })).entries.length).toBeGreaterThan(0);
    expect(await logged()).toEqual(before);
    await undo();
    await restart();
    await expectInForce(newest, good);
  });

  it("stops every look while it runs, and what is in force stays", async () => {
    await insert();
    const next = push("a good one");
    for (let look = 0; look < 2; look += 1) await expect(world.follow()).rejects.toMatchObject({ code: "STORE_CONTRADICTS_LOG" });
    expect(context.inForce?.commit).toBe(good);
    await remove();
    expect(await world.follow()).toMatchObject({ kind: "accepted", sequence: newest + 1, commit: next });
  });

  // Would catch: a finding whose end the log never tells, and one that is opened a second time.
  it("by losing everything gets the findings back that the log tells of as open", async () => {
    const told = (type: "finding.opened" | "finding.resolved", fingerprint: string, target: string): EntryInput => ({
      type,
      id: `${type} ${fingerprint}`,
      target: { kind: "cluster", id: target },
      finding: { fingerprint, kind: "modified", summary: "changed", severity: "critical", object: "np", manager: "kubectl" },
      detail: { verdict: "opens", opened: ["any → db"], closed: [] },
    });
    await trail.append([
      told("finding.opened", "open", "cluster/eu"),
      told("finding.opened", "over", "cluster/eu"),
      told("finding.resolved", "over", "cluster/eu"),
      told("finding.opened", "released", "cluster/gone"),
    ]);
    await write(async (db) => await db.deleteFrom("firebreak.revisions").execute());
    await write(async (db) => await db.deleteFrom("firebreak.findings").execute());
    await restart();
    const found = await listFindings(context.store, { open: true });
    expect(found).toMatchObject([
      { fingerprint: "open", target: "cluster/eu", kind: "modified", severity: "critical", effect: { opened: ["any → db"] } },
    ]);
  });

  /** Writes to the row of the orphan. */
  const setOrphan = async (set: {
    readonly wantedSequence?: number | null;
    readonly inGit?: boolean;
    readonly id?: string;
  }): Promise<void> =>
    await write(async (db) => await db.updateTable("firebreak.targets").set(set).where("id", "=", GONE).execute());

  // Would catch: an UPDATE makes an older revision the last word about a target that Git names no more: what it opened is open again. And: no entry ever told that a target was gone from Git.
  it("by what it says of a target gone from Git stops it; the log tells when that was", async () => {
    const path = "policies/us.yaml";
    git.push({ [path]: other("10.66.0.0/16") }, "it had another range");
    expect(await world.follow()).toMatchObject({ kind: "accepted" });
    const older = context.inForce?.sequence ?? 0;
    git.push({ [path]: other("10.11.0.0/16") }, "it got its own");
    expect(await world.follow()).toMatchObject({ kind: "accepted", sequence: older + 1 });
    git.push({ [path]: "# no cluster\n" }, "it is gone");
    expect(await world.follow()).toMatchObject({ kind: "accepted", sequence: older + 2 });
    const { entries } = await trail.read({ filter: { types: ["target.orphaned"] } });
    expect(entries).toMatchObject([{ target: { id: GONE }, revision: older + 2 }]);
    expect(await listOrphans(context)).toEqual([{ target: GONE, sequence: older + 1 }]);
    await setOrphan({ wantedSequence: older });
    await expect(listOrphans(context)).rejects.toMatchObject({ code: "STORE_CONTRADICTS_LOG" });
    await expect(world.follow()).rejects.toMatchObject({ code: "STORE_CONTRADICTS_LOG" });
    await expect(restart()).rejects.toMatchObject({ code: "STORE_CONTRADICTS_LOG" });
    // A number that nobody gave would keep every later revision from being recorded.
    await setOrphan({ wantedSequence: 9_999 });
    await expect(restart()).rejects.toMatchObject({
      code: "STORE_CONTRADICTS_LOG",
      message: expect.stringContaining("9999") as string,
    });
    await setOrphan({ wantedSequence: older + 1 });
    await restart();
    // Would catch: without its row nobody compares the target any more, which is a release that nobody asked for.
    const sabotage = [
      async () => await write(async (db) => await db.deleteFrom("firebreak.targets").where("id", "=", GONE).execute()),
      async () => await setOrphan({ inGit: true }),
      async () => await setOrphan({ wantedSequence: null }),
    ];
    for (const damage of sabotage) {
      await damage();
      await world.follow();
      expect(await listOrphans(context)).toEqual([{ target: GONE, sequence: older + 1 }]);
      expect((await listOpenWork(context.store)).map(({ target, kind }) => `${target} ${kind}`)).toContain(`${GONE} start`);
    }
    const told = (await trail.read({ filter: { types: ["store.rejected"] } })).entries.at(-1);
    expect(told).toMatchObject({ target: { id: GONE } });
    await trail.append([
      { id: "let go", type: "target.released", target: { kind: "cluster", id: GONE }, actor: { kind: "token", id: "t" } },
    ]);
    await write(async (db) => await db.deleteFrom("firebreak.targets").where("id", "=", GONE).execute());
    await world.follow();
    expect(await listOrphans(context)).toEqual([]);
    // Would catch: nobody compares a target whose row is gone, until the next revision.
    await write(async (db) => await db.deleteFrom("firebreak.targets").where("id", "=", "cluster/eu").execute());
    await world.follow();
    expect(await targetRow(context.store, "cluster/eu")).toMatchObject({ inGit: true, wantedSequence: context.inForce?.sequence });
    // What Git names is no orphan, whatever a row says.
    await write(
      async (db) => await db.updateTable("firebreak.targets").set({ inGit: false }).where("id", "=", "cluster/eu").execute(),
    );
    expect(await listOrphans(context).catch(() => [])).not.toContainEqual(expect.objectContaining({ target: "cluster/eu" }));
    await write(
      async (db) => await db.updateTable("firebreak.targets").set({ inGit: true }).where("id", "=", "cluster/eu").execute(),
    );
  });

  it("by taking revisions away is completed from the log", async () => {
    const { sequence = 0, commit = "" } = context.inForce ?? {};
    await write(async (db) => await db.deleteFrom("firebreak.revisions").execute());
    await restart();
    await expectInForce(sequence, commit);
  });
});

/** Throws once at a step of the look at the branch. */
function failAt(step: string): void {
  let isOver = false;
  Object.assign(context, {
    onStep: (at: string) => {
      if (isOver || at !== step) return;
      isOver = true;
      throw new Error("stopped here");
    },
  });
}
