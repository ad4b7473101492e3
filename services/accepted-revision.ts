import { revision, type Revision, type Store } from "../adapters/store/index.ts";
import { FirebreakError } from "../core/model/error.ts";

/** What looking a revision up takes. */
export interface RevisionParts {
  readonly store: Store;
  /** What the log says was accepted; only who holds the log has it, others believe the store. */
  readonly accepted?: { commitOf(sequence: number): string | undefined } | undefined;
}

/**
 * A revision by its number, or undefined.
 *
 * @throws FirebreakError STORE_CONTRADICTS_LOG when the log says that it is another commit
 */
export async function acceptedRevision({ store, accepted }: RevisionParts, sequence: number): Promise<Revision | undefined> {
  const found = await revision(store, sequence);
  if (found === undefined || accepted === undefined) return found;
  const logged = accepted.commitOf(sequence);
  if (logged !== found.commit) throw contradiction(sequence, found.commit, logged);
  return found;
}

/** The error for a revision of the store that the log does not know, or knows as another commit. */
export function contradiction(sequence: number, commit: string, logged: string | undefined): FirebreakError {
  const log = logged === undefined ? "of which the audit log knows nothing" : `which in the audit log is ${logged.slice(0, 12)}`;
  return new FirebreakError(
    "STORE_CONTRADICTS_LOG",
    `the store says that ${commit.slice(0, 12)} is revision ${sequence}, ${log}: nothing of the store is believed. Keep a copy, stop ` +
      "Firebreak, remove the store (the folder store of the state folder, or on a server DROP SCHEMA firebreak CASCADE) and start " +
      "again: it is rebuilt from Git and the log",
  );
}
