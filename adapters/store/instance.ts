import { transact } from "./session.ts";
import type { Store } from "./session.ts";

/**
 * The id of this installation, which every object of ours carries. The first claim stands: pass the id that is kept outside the
 * store (state folder, live marks) and use what is returned.
 *
 * With a lost store the caller must pass the old id, else the installation's own objects would look foreign.
 */
export function claimInstance(store: Store, candidate: string): Promise<string> {
  return transact(store, "claim the installation's id", async (tx) => {
    const known = await tx.selectFrom("firebreak.instance").select("id").executeTakeFirst();
    if (known !== undefined) return known.id; // a role that may not write here gets by
    await tx
      .insertInto("firebreak.instance")
      .values({ one: 1, id: candidate })
      .onConflict((conflict) => conflict.column("one").doNothing())
      .execute();
    const { id } = await tx.selectFrom("firebreak.instance").select("id").executeTakeFirstOrThrow();
    return id;
  });
}

/** The installation's id, or undefined before the first claim. */
export function instanceId(store: Store): Promise<string | undefined> {
  return transact(store, "read the installation's id", async (tx) => {
    const row = await tx.selectFrom("firebreak.instance").select("id").executeTakeFirst();
    return row?.id;
  });
}
