import { revision, type Revision, type Store } from "../adapters/store/index.ts";
import type { LogFacts } from "../core/audit/log-facts.ts";
import { FirebreakError } from "../core/ground/error.ts";

/** The revisions of the log, by number. */
export interface LoggedRevisions {
  commitOf(sequence: number): string | undefined;
  /** The number before this one; undefined for the first. */
  before(sequence: number): number | undefined;
  /** The number after this one; undefined for the newest. */
  after(sequence: number): number | undefined;
}

/** What looking a revision up takes. */
export interface RevisionParts {
  readonly store: Store;
  /** What the log says was accepted; only who holds the log has it, others believe the store. */
  readonly accepted?: LoggedRevisions | undefined;
  /** What the log says of targets; only who holds the log has it. */
  readonly facts?: Pick<LogFacts, "target"> | undefined;
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
  return notBelieved(`the store says that ${commit.slice(0, 12)} is revision ${sequence}, ${log}`);
}

/** The error for anything that the store says and the log does not. */
export function notBelieved(what: string): FirebreakError {
  return new FirebreakError(
    "STORE_CONTRADICTS_LOG",
    `${what}: nothing of the store is believed. Keep a copy, stop Firebreak, remove the store (the folder store of the state folder, or ` +
      "on a server DROP SCHEMA firebreak CASCADE) and start again: it is rebuilt from Git and the log",
  );
}
