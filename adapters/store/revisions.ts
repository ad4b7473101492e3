import type { Selectable } from "kysely";
import { FirebreakError } from "../../core/ground/error.ts";
import { toText } from "./json.ts";
import { notifyWithin } from "./notify.ts";
import { run, transact } from "./session.ts";
import type { Db, Store } from "./session.ts";
import type { RevisionTable } from "./tables.ts";

/** A commit that was accepted. */
export type Revision = Readonly<Selectable<RevisionTable>>;

/** What is written of a commit when it becomes the revision in force. */
export type NewRevision = Omit<Revision, "sequence">;

/**
 * Writes down a revision under the number that the log gave it. The same one again changes nothing; numbers go on above it.
 *
 * @throws CONFLICT when the store has another commit under that number
 */
export function recordRevision(store: Store, sequence: number, revision: NewRevision): Promise<void> {
  return transact(store, `record revision ${sequence}`, async (tx) => {
    const row = tx.selectFrom("firebreak.counters").select("value").where("name", "=", "revision").forUpdate();
    await row.executeTakeFirstOrThrow();
    const there = await tx.selectFrom("firebreak.revisions").select("commit").where("sequence", "=", sequence).executeTakeFirst();
    if (there?.commit === revision.commit) return;
    if (there !== undefined)
      throw new FirebreakError("CONFLICT", `revision ${sequence} is ${there.commit}, not ${revision.commit}`);
    await insertRevision(tx, sequence, revision);
    await tx
      .updateTable("firebreak.counters")
      .set({ value: sequence })
      .where("name", "=", "revision")
      .where("value", "<", sequence)
      .execute();
    await notifyWithin(tx, "revision", String(sequence));
  });
}

/** The highest number that was ever given here; 0 before the first. The next one is above it. */
export function revisionFloor(store: Store): Promise<number> {
  return run(store, "read the number of the newest revision", async (db) => {
    const row = await db.selectFrom("firebreak.counters").select("value").where("name", "=", "revision").executeTakeFirstOrThrow();
    return row.value;
  });
}

/** Every revision's number and commit: what is held against the log. */
export function listRevisionCommits(store: Store): Promise<readonly Pick<Revision, "sequence" | "commit">[]> {
  return run(store, "list the commits of revisions", (db) =>
    db.selectFrom("firebreak.revisions").select(["sequence", "commit"]).orderBy("sequence").execute(),
  );
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

async function insertRevision(tx: Db, sequence: number, revision: NewRevision): Promise<void> {
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
