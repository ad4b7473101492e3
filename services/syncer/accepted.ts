import { createHash } from "node:crypto";
import {
  forgetTarget,
  listRevisionCommits,
  listTargetRows,
  recordFetchError,
  recordRevision,
  recordTargets,
  type StoredError,
} from "../../adapters/store/index.ts";
import type { EntryOf } from "../../core/audit/entry.ts";
import type { TrailReader } from "../../core/audit/trail.ts";
import { hasCode } from "../../core/ground/error.ts";
import { listTargets } from "../../core/model/target.ts";
import { contradiction, notBelieved, type LoggedRevisions } from "../accepted-revision.ts";
import { findingEntries } from "../findings.ts";
import { listOrphans } from "../orphans.ts";
import { storedError } from "../stored-error.ts";
import type { SyncerContext } from "./context.ts";
import { restoreLostOrphans, restoreLostTargets } from "./lost-targets.ts";
import { logOrphans } from "./log-orphans.ts";

const PAGE = 1_000;
/** First line of a commit's message, as it is kept. */
const SUBJECT_CHARACTERS = 200;

type Acceptance = EntryOf<"revision.accepted">;
type Decision = Acceptance | EntryOf<"target.released">;

/** Which commits were accepted under which numbers, by the log's word: it alone says what may be in force. */
export class AcceptedRevisions implements LoggedRevisions {
  readonly #bySequence = new Map<number, Acceptance>();
  readonly #unheard: Decision[] = [];
  #lacked = 0;
  #newest: Acceptance | undefined;
  #position = 0;

  /** Reads what came into the log since the last time. */
  async catchUp(trail: Pick<TrailReader, "read">): Promise<void> {
    let from: number | undefined = this.#position;
    while (from !== undefined) {
      const page = await trail.read({ from, limit: PAGE, filter: { types: ["revision.accepted", "target.released"] } });
      for (const entry of page.entries) {
        this.#position = Math.max(this.#position, entry.seq + 1);
        if (entry.type === "revision.accepted") this.#add(entry);
        else if (entry.type === "target.released") this.#unheard.push(entry);
      }
      from = page.next;
    }
  }

  /** The one with the highest number; undefined while the log knows none. */
  get newest(): Acceptance | undefined {
    return this.#newest;
  }

  /** The commit that was accepted under this number; undefined when none was. */
  commitOf(sequence: number): string | undefined {
    return this.#bySequence.get(sequence)?.commit;
  }

  /** The number before this one; undefined for the first. */
  before(sequence: number): number | undefined {
    return [...this.#bySequence.keys()].filter((number) => number < sequence).reduce<number | undefined>(larger, undefined);
  }

  /** The number after this one; undefined for the newest. */
  after(sequence: number): number | undefined {
    return [...this.#bySequence.keys()].filter((number) => number > sequence).reduce<number | undefined>(smaller, undefined);
  }

  /**
   * Tells the store's side each decision that it may not have heard of, in the order of the log. What fails is told again the next time,
   * as if the telling had never ended.
   *
   * @param tell writes a decision; true when the store lacked it
   * @returns how many it lacked
   */
  async tellNews(tell: (decision: Decision, isBehind: boolean) => Promise<boolean>): Promise<number> {
    for (let [next] = this.#unheard; next !== undefined; [next] = this.#unheard) {
      if (await tell(next, this.#lacked > 0)) this.#lacked += 1;
      this.#unheard.shift();
    }
    const lacked = this.#lacked;
    this.#lacked = 0;
    return lacked;
  }

  /** A number is given once: whoever writes a second acceptance under it is not believed. */
  #add(entry: Acceptance): void {
    if (this.#bySequence.has(entry.revision)) return;
    this.#bySequence.set(entry.revision, entry);
    this.#unheard.push(entry);
    if (entry.revision > (this.#newest?.revision ?? 0)) this.#newest = entry;
  }
}

function larger(a: number | undefined, b: number): number {
  return a === undefined || b > a ? b : a;
}

function smaller(a: number | undefined, b: number): number {
  return a === undefined || b < a ? b : a;
}

/**
 * Holds the store against the log, which is fsynced and signed and alone says what was accepted. What the store lacks is written
 * there: a crash or a failure between the two, or a store that was lost.
 *
 * @returns how many revisions the store lacked
 * @throws FirebreakError STORE_CONTRADICTS_LOG when the store holds a revision that the log does not, or another one under its number
 */
export async function holdAgainstLog(context: SyncerContext): Promise<number> {
  try {
    const lacked = await completeStore(context);
    await holdTargets(context);
    context.contradiction = undefined;
    return lacked;
  } catch (error) {
    if (hasCode(error, "STORE_CONTRADICTS_LOG")) await tellContradiction(context, storedError(error));
    throw error;
  }
}

/** What the store says of targets, as far as the log tells it too. */
async function holdTargets(context: SyncerContext): Promise<void> {
  const newest = context.accepted.newest?.revision ?? 0;
  for (const { id, wantedSequence } of await listTargetRows(context.store)) {
    if ((wantedSequence ?? 0) > newest)
      throw notBelieved(`the store says that ${id} shall have revision ${wantedSequence}, of which the audit log knows nothing`);
  }
  await restoreLostTargets(context);
  await restoreLostOrphans(context);
  await listOrphans(context);
}

/** In `status`, in /readyz and in the log: until a person looked, nothing is accepted. */
async function tellContradiction(context: SyncerContext, error: StoredError): Promise<void> {
  const { store, trail, now } = context;
  context.contradiction = error.message;
  await recordFetchError(store, error, now());
  const { code, message } = error;
  const id = `store-rejected-${createHash("sha256").update(message).digest("hex").slice(0, 32)}`;
  await trail.append([{ id, type: "store.rejected", outcome: "denied", error: { code, messages: [message] } }]);
}

async function completeStore(context: SyncerContext): Promise<number> {
  const { store, accepted, now } = context;
  const stored = new Map((await listRevisionCommits(store)).map(({ sequence, commit }) => [sequence, commit]));
  for (const [sequence, commit] of stored)
    if (accepted.commitOf(sequence) !== commit) throw contradiction(sequence, commit, accepted.commitOf(sequence));
  const known = Math.max(0, ...stored.keys());
  return await accepted.tellNews(async (decision, isBehind) => {
    // Released while the store was there, it is forgotten already; one that was rebuilt knows it again.
    if (decision.type === "target.released") {
      if (isBehind) await forgetTarget(store, decision.target.id, now(), findingEntries(now()));
      if (isBehind) context.memberships.forget(decision.target.id);
      return false;
    }
    if (stored.has(decision.revision)) return false;
    await write(context, decision, decision.revision > known);
    return true;
  });
}

async function write(context: SyncerContext, entry: Acceptance, isNew: boolean): Promise<void> {
  const { store, signal, now } = context;
  const { tree, parents, author, committer, message } = await context.repository.commitInfo(entry.commit, signal);
  await recordRevision(store, entry.revision, {
    commit: entry.commit,
    tree,
    parent: parents[0] ?? null,
    actor: entry.actor?.kind === "token" ? entry.actor.id : "git",
    author,
    committer,
    subject: subjectOf(message),
    acceptedAt: Date.parse(entry.time),
  });
  // Targets that an older revision named are orphans of it, also when the newest one names them no more.
  const { definitions } = await context.definitions.read(entry.commit, signal);
  if (definitions === undefined || !isNew) return;
  await logOrphans(context, definitions, entry.revision);
  const named = listTargets(definitions).map(({ id, mode, labels }) => ({ id, mode, labels }));
  await recordTargets(store, named, entry.revision, now());
}

/** First line of a commit message. */
export function subjectOf(message: string): string {
  return (message.split("\n", 1)[0] ?? "").slice(0, SUBJECT_CHARACTERS);
}
