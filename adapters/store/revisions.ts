import type { Selectable } from "kysely";
import { FirebreakError } from "../../core/model/error.ts";
import { toText } from "./json.ts";
import { notifyWithin } from "./notify.ts";
import { run, transact } from "./session.ts";
import type { Db, Store } from "./session.ts";
import type { RevisionTable } from "./tables.ts";

/** A commit that was accepted. */
export type Revision = Readonly<Selectable<RevisionTable>>;

/** What is written of a commit when it becomes the revision in force. */
export type NewRevision = Omit<Revision, "sequence"> & {
  /** Sequence of the revision it was judged against; 0 when there was none. */
  readonly after: number;
};

/**
 * Makes a commit the revision in force and returns its sequence number, gapless above the floor (a sequence of the database
 * would leave gaps after a rollback).
 *
 * Another process that accepted the same commit first: its number. Any other revision in between: the judgement is out of date.
 * @throws CONFLICT when the revision in force is no longer `after`.
 */
export function acceptRevision(store: Store, revision: NewRevision): Promise<number> {
  return transact(store, `accept revision ${revision.commit}`, async (tx) => {
    const counter = await tx
      .selectFrom("firebreak.counters")
      .select("value")
      .where("name", "=", "revision")
      .forUpdate()
      .executeTakeFirstOrThrow();
    const current = await newestRevision(tx);
    if ((current?.sequence ?? 0) !== revision.after) {
      if (current?.commit === revision.commit) return current.sequence;
      throw new FirebreakError(
        "CONFLICT",
        `revision ${current?.sequence ?? 0} is in force, not ${revision.after}: judge ${revision.commit} again`,
      );
    }
    const sequence = counter.value + 1;
    await tx.updateTable("firebreak.counters").set({ value: sequence }).where("name", "=", "revision").execute();
    await insertRevision(tx, sequence, revision);
    await notifyWithin(tx, "revision", String(sequence));
    return sequence;
  });
}

/** The revision in force, or undefined before the first. */
export function currentRevision(store: Store): Promise<Revision | undefined> {
  return run(store, "read the revision in force", newestRevision);
}

/** The revision with this number, or undefined. */
export function revision(store: Store, sequence: number): Promise<Revision | undefined> {
  return run(store, `read revision ${sequence}`, (db) =>
    db.selectFrom("firebreak.revisions").selectAll().where("sequence", "=", sequence).executeTakeFirst(),
  );
}

/** The newest revisions, newest first. */
export function listRevisions(store: Store, limit = 50): Promise<readonly Revision[]> {
  return run(store, "list revisions", (db) =>
    db.selectFrom("firebreak.revisions").selectAll().orderBy("sequence", "desc").limit(limit).execute(),
  );
}

/**
 * For a store that was lost: numbers continue above `floor` (the highest mark found live or in the log); with a revision, that
 * commit is the one in force under the floor's number. Never lowers anything; does nothing to a store that is at or beyond it.
 */
export function seedRevision(store: Store, floor: number, known?: Omit<NewRevision, "after">): Promise<void> {
  return transact(store, `continue above revision ${floor}`, async (tx) => {
    const raised = await tx
      .updateTable("firebreak.counters")
      .set({ value: floor })
      .where("name", "=", "revision")
      .where("value", "<", floor)
      .executeTakeFirst();
    if (raised.numUpdatedRows === 0n || known === undefined) return;
    await insertRevision(tx, floor, known);
    await notifyWithin(tx, "revision", String(floor));
  });
}

async function insertRevision(tx: Db, sequence: number, revision: Omit<NewRevision, "after">): Promise<void> {
  const { commit, tree, parent, actor, author, committer, subject, acceptedAt } = revision;
  const texts = { actor: toText(actor), author: toText(author), committer: toText(committer), subject: toText(subject, 200) };
  await tx
    .insertInto("firebreak.revisions")
    .values({ sequence, commit, tree, parent, acceptedAt, ...texts })
    .execute();
}

function newestRevision(db: Db): Promise<Revision | undefined> {
  return db.selectFrom("firebreak.revisions").selectAll().orderBy("sequence", "desc").limit(1).executeTakeFirst();
}
