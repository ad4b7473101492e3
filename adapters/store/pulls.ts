import type { Selectable } from "kysely";
import { toJson, toText } from "./json.ts";
import { run, transact } from "./session.ts";
import type { Store } from "./session.ts";
import type { ApprovalTable, PullHold, PullTable } from "./tables.ts";

/** What is remembered of a pull request between two looks at it. */
export type PullRow = Readonly<Selectable<PullTable>>;

/** Somebody approved exactly this head. */
export type ApprovalRow = Readonly<Selectable<ApprovalTable>>;

/** One pull request; undefined when it was never looked at, or is over. */
export function pullRow(store: Store, number: number): Promise<PullRow | undefined> {
  return run(store, `read pull request #${number}`, (db) =>
    db.selectFrom("firebreak.pulls").selectAll().where("number", "=", number).executeTakeFirst(),
  );
}

/** All of them, by number. */
export function listPullRows(store: Store): Promise<readonly PullRow[]> {
  return run(store, "list pull requests", (db) => db.selectFrom("firebreak.pulls").selectAll().orderBy("number").execute());
}

/** What a round of reading comments leaves behind, in one statement: the head, how far it was read, and what was asked. */
export type PullReading = Pick<
  PullRow,
  "number" | "head" | "author" | "url" | "fullHead" | "held" | "seenComment" | "seenAt" | "answers"
>;

/** Records what was read of a pull request; its plan and comment stay. */
export function recordPull(store: Store, reading: PullReading, now: number): Promise<void> {
  const { number, author, url, ...rest } = reading;
  const values = {
    ...rest,
    held: toJson(reading.held) as never,
    answers: toJson(reading.answers) as never,
    updatedAt: now,
  };
  return transact(store, `record pull request #${number}`, async (tx) => {
    await tx
      .insertInto("firebreak.pulls")
      .values({
        number,
        author: toText(author),
        url: toText(url),
        plan: null,
        commentId: null,
        overBudgetKey: null,
        overBudgetWhy: null,
        ...values,
      })
      .onConflict((conflict) => conflict.column("number").doUpdateSet(values))
      .execute();
  });
}

/** The plan and the comment that a pull request shows now. */
export function recordPlan(
  store: Store,
  number: number,
  shown: { readonly plan: string | null; readonly commentId: number },
): Promise<void> {
  return run(store, `record the plan of pull request #${number}`, async (db) => {
    await db.updateTable("firebreak.pulls").set(shown).where("number", "=", number).execute();
  });
}

/** Remembers, across starts, what could not be planned within its budget, so that it costs that budget once; null forgets it. */
export function recordOverBudget(
  store: Store,
  number: number,
  over: { readonly key: string; readonly why: string } | null,
): Promise<void> {
  return run(store, `record whether pull request #${number} can be planned`, async (db) => {
    await db
      .updateTable("firebreak.pulls")
      .set({ overBudgetKey: over?.key ?? null, overBudgetWhy: over === null ? null : toText(over.why) })
      .where("number", "=", number)
      .execute();
  });
}

/** Holds a pull request, or lets it go (null). */
export function recordHold(store: Store, number: number, held: PullHold | null): Promise<void> {
  return run(store, `hold pull request #${number}`, async (db) => {
    await db
      .updateTable("firebreak.pulls")
      .set({ held: toJson(held) as never })
      .where("number", "=", number)
      .execute();
  });
}

/** Forgets a pull request that is over; its approvals stay, because they are judged when its merge is. */
export function forgetPull(store: Store, number: number): Promise<void> {
  return run(store, `forget pull request #${number}`, async (db) => {
    await db.deleteFrom("firebreak.pulls").where("number", "=", number).execute();
  });
}

/** Records an approval; the same one again changes nothing. */
export function recordApproval(store: Store, approval: ApprovalRow): Promise<void> {
  return run(store, `record an approval of #${approval.pull}`, async (db) => {
    await db
      .insertInto("firebreak.approvals")
      .values({ ...approval, who: toText(approval.who) })
      .onConflict((conflict) => conflict.columns(["pull", "head", "via", "who"]).doNothing())
      .execute();
  });
}

/** Approvals of one head, the oldest first. */
export function listApprovals(store: Store, pull: number, head: string): Promise<readonly ApprovalRow[]> {
  return run(store, `read the approvals of #${pull}`, (db) =>
    db
      .selectFrom("firebreak.approvals")
      .selectAll()
      .where("pull", "=", pull)
      .where("head", "=", head)
      .orderBy("at")
      .orderBy("who")
      .execute(),
  );
}
