import type { Selectable } from "kysely";
import { toJson } from "./json.ts";
import { notifyWithin } from "./notify.ts";
import { run, transact } from "./session.ts";
import type { Store } from "./session.ts";
import type { Candidate, HeldBranch, RepositoryTable, StoredError } from "./tables.ts";

/** What is known of the branch: the newest commit seen, the last failure, and what is refused or held. */
export type RepositoryState = Readonly<Omit<Selectable<RepositoryTable>, "one">>;

/** The one row; always there. */
export function repositoryState(store: Store): Promise<RepositoryState> {
  return run(store, "read the repository's state", (db) =>
    db
      .selectFrom("firebreak.repository")
      .select(["head", "fetchedAt", "fetchOkAt", "error", "candidate", "held"])
      .executeTakeFirstOrThrow(),
  );
}

/** The branch was read and points here. */
export function recordFetch(store: Store, head: string, now: number): Promise<void> {
  return change(store, "record a fetch", { head, fetchedAt: now, fetchOkAt: now, error: toJson(null) });
}

/** The branch could not be read; what was known of it stays. */
export function recordFetchError(store: Store, error: StoredError, now: number): Promise<void> {
  return change(store, "record a failed fetch", { fetchedAt: now, error: toJson(error) });
}

/** The newest commit was refused; null: the newest commit is in force. */
export function recordCandidate(store: Store, candidate: Candidate | null): Promise<void> {
  return change(store, "record a candidate", { candidate: toJson(candidate) });
}

/** The branch was rewritten and is held; null: it is not. */
export function recordHeld(store: Store, held: HeldBranch | null): Promise<void> {
  return change(store, "record a held branch", { held: toJson(held) });
}

type Change = { [Column in keyof RepositoryState]?: RepositoryState[Column] | ReturnType<typeof toJson<RepositoryState[Column]>> };

function change(store: Store, doing: string, values: Change): Promise<void> {
  return transact(store, doing, async (tx) => {
    // The cast: Kysely's update type does not follow a mapped union of values and expressions.
    await tx
      .updateTable("firebreak.repository")
      .set(values as never)
      .execute();
    await notifyWithin(tx, "repository");
  });
}
