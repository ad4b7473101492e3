/** Who approves what, while the author pushes; a forge of functions, a real store. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { forgetPull, listApprovals, openStore, pullRow, recordPlan, type Store } from "../../adapters/store/index.ts";
import type { EntryInput } from "../../core/audit/entry.ts";
import { LogFacts } from "../../core/audit/log-facts.ts";
import type { Forge, ForgeComment, PullRequest } from "../../core/forge/forge.ts";
import { approvePlan } from "../../services/syncer/pulls/approve-plan.ts";
import { readCommands } from "../../services/syncer/pulls/commands.ts";
import type { PullContext } from "../../services/syncer/pulls/context.ts";
import type { SyncerContext } from "../../services/syncer/context.ts";

const [H1, H2] = ["1".repeat(40), "2".repeat(40)];
const [PLAN_1, PLAN_2] = ["aaaaaaaaaaaa", "bbbbbbbbbbbb"];
const { signal } = new AbortController();

let folder: string;
let store: Store;
let comments: ForgeComment[];
let entries: EntryInput[];
let context: PullContext;
let facts: LogFacts;

/** A pull request of its own for each test. */
let number = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "fb-race-"));
  store = await openStore({ kind: "embedded", folder }, { signal });
});

beforeEach(async () => {
  if (number > 0) await forgetPull(store, number);
  number += 1;
  comments = [];
  entries = [];
  facts = new LogFacts();
  // The casts: nothing else of a forge and of the syncer is asked for here.
  const forge = {
    readSelf: async () => await Promise.resolve("firebreak"),
    listComments: async () => await Promise.resolve(comments),
    readPermission: async () => await Promise.resolve("write"),
    listCommits: async () => await Promise.resolve([{ authorLogin: "mallory", committerLogin: "Carl" }]),
    readPull: async () => await Promise.resolve(pull(H2)),
  } as unknown as Forge;
  context = {
    forge,
    store,
    signal,
    now: Date.now,
    plans: new Map(),
    trail: { append: async (list: readonly EntryInput[]) => await Promise.resolve(void entries.push(...list)) },
    facts,
    inForce: { definitions: { workspace: { approvals: { required: 1, distinctFromAuthor: true, forRules: 2 } } } },
    branchBell: { ring: () => undefined },
  } as unknown as PullContext;
});

afterAll(async () => {
  await store?.close();
  rmSync(folder, { recursive: true, force: true });
});

const pull = (sha: string): PullRequest =>
  ({ number, author: "mallory", url: "u", head: { sha }, base: { ref: "main" } }) as unknown as PullRequest;

/** The log tells of a plan before anybody is shown it. */
function reviewed(commit: string, plan: string): void {
  facts.add({ type: "plan.reviewed", time: "", fields: { commit, plan, pullRequest: { number } } });
}

/** A round: the head is seen, comments are read, its plan is shown. */
async function round(head: string, plan: string): Promise<string> {
  reviewed(head, plan);
  const { reading } = await readCommands(context, pull(head), await pullRow(store, number));
  await recordPlan(store, number, { plan, commentId: 1 });
  return reading.answers.at(-1)?.text ?? "";
}

function says(body: string, author = "rik"): void {
  const at = new Date(0).toISOString();
  comments = [...comments, { id: comments.length + 1, author, body, createdAt: at, updatedAt: at, isEdited: false }];
}

const approvals = async (head: string): Promise<number> => (await listApprovals(store, number, head)).length;

describe("an approval while the author pushes", () => {
  // Would catch: rik reads the plan of H1, the comment is edited in place, and his word counts for H2 (M1).
  it.each([
    "/firebreak approve",
    `/firebreak approve ${PLAN_1}`,
    `/firebreak approve ${H1}`,
    `/firebreak approve ${H2.slice(0, 12)}`,
  ])("counts for no head that was not named: %s", async (words) => {
    await round(H1, PLAN_1);
    await round(H2, PLAN_2);
    says(words);
    expect(await round(H2, PLAN_2)).toContain(`/firebreak approve ${PLAN_2}`);
    expect([await approvals(H1), await approvals(H2), entries]).toEqual([0, 0, []]);
  });

  it.each([PLAN_2, H2, PLAN_2.toUpperCase()])("counts for the plan or the head that it names: %s", async (named) => {
    await round(H1, PLAN_1);
    await round(H2, PLAN_2);
    says(`/firebreak approve ${named}`);
    expect(await round(H2, PLAN_2)).toBe("approved.");
    expect([await approvals(H1), await approvals(H2)]).toEqual([0, 1]);
    expect(entries).toMatchObject([{ type: "plan.approved", commit: H2, actor: { kind: "person", id: "rik" } }]);
  });

  it("lifts no hold when it names nothing", async () => {
    await round(H2, PLAN_2);
    says("/firebreak hold wait");
    says("/firebreak approve");
    await round(H2, PLAN_2);
    expect((await pullRow(store, number))?.held).toMatchObject({ by: "rik" });
  });

  // Would catch: the one way asks who made the change, and the other does not.
  it.each(["mallory", "carl"])("of %s, who made the change, counts neither in a comment nor by a token", async (name) => {
    await round(H2, PLAN_2);
    says(`/firebreak approve ${PLAN_2}`, name);
    expect(await round(H2, PLAN_2)).toContain("your approval does not count");
    const asToken = approvePlan(context as unknown as SyncerContext, PLAN_2, name);
    await expect(asToken).rejects.toMatchObject({ code: "CONFLICT" });
    expect([await approvals(H2), entries]).toEqual([0, []]);
    expect(await approvePlan(context as unknown as SyncerContext, PLAN_2, "api-token")).toMatchObject({ head: H2 });
  });

  // Would catch: who has the database puts yesterday's plan beside today's head, and lets an old comment be read again.
  it("is of the head that the log says a plan showed, whatever the store says", async () => {
    await round(H1, PLAN_1);
    says(`/firebreak approve ${PLAN_1}`);
    await round(H2, PLAN_2);
    await recordPlan(store, number, { plan: PLAN_1, commentId: 1 });
    says(`/firebreak approve ${PLAN_1}`);
    const { reading } = await readCommands(context, pull(H2), await pullRow(store, number));
    expect(reading.answers.at(-1)?.text).toContain("that is not the plan that is shown here");
    const asToken = approvePlan(context as unknown as SyncerContext, PLAN_1, "api-token");
    await expect(asToken).rejects.toMatchObject({ code: "CONFLICT" });
    expect([await approvals(H2), entries.filter(({ commit }) => commit === H2)]).toEqual([0, []]);
  });
});
