import { run, type Store } from "./session.ts";

/** Keeps a copy of a commit for processes that cannot get it from Git: every object in it is named by its hash, so nobody has to believe it. */
export async function keepCommit(store: Store, commit: string, bundle: Uint8Array): Promise<void> {
  await run(store, `keep a copy of ${commit}`, async (db) => {
    await db
      .insertInto("firebreak.commits")
      .values({ commit, bundle })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  });
}

/** The copy that is kept of a commit; undefined without one. */
export async function keptCommit(store: Store, commit: string): Promise<Uint8Array | undefined> {
  const row = await run(store, `read the copy of ${commit}`, (db) =>
    db.selectFrom("firebreak.commits").select("bundle").where("commit", "=", commit).executeTakeFirst(),
  );
  return row?.bundle;
}

/** Of which commits a copy is kept. */
export async function listKeptCommits(store: Store): Promise<ReadonlySet<string>> {
  const rows = await run(store, "list the commits that are kept", (db) =>
    db.selectFrom("firebreak.commits").select("commit").execute(),
  );
  return new Set(rows.map(({ commit }) => commit));
}

/** Removes copies that nobody needs any more. */
export async function forgetCommits(store: Store, commits: readonly string[]): Promise<void> {
  if (commits.length === 0) return;
  await run(store, "forget copies of commits", async (db) => {
    await db.deleteFrom("firebreak.commits").where("commit", "in", commits).execute();
  });
}
