import { sql } from "kysely";
import type { Finding } from "../../core/finding/finding.ts";
import { toJson } from "./json.ts";
import { notifyWithin } from "./notify.ts";
import { run, transact } from "./session.ts";
import type { Db, Store } from "./session.ts";
import type { StoredError } from "./tables.ts";

/**
 * due: wanted, no pull request is known yet · open: there is one · ended: there is none to keep, and `memory.end` says why.
 */
export type ProposalState = "due" | "open" | "ended";

/**
 * merged, declined: a person decided · gone: live says what Git says again · said: Git says what is live · unsayable: no edit says it ·
 * blocked: others use the branch, and nothing of theirs is touched.
 */
export type ProposalEnd = "merged" | "declined" | "gone" | "said" | "unsayable" | "blocked";

/** What is remembered of a proposal this time; all of it can be found again on the forge. */
export interface ProposalMemory {
  readonly number?: number;
  readonly url?: string;
  /** Head of the base branch that the last edit stands on. */
  readonly base?: string;
  /** Files ever written on the branch. */
  readonly paths?: readonly string[];
  /** Commits of ours on the branch. */
  readonly commits?: readonly string[];
  /** Of what the pull request was last made to say. */
  readonly digest?: string;
  readonly areReviewersAsked?: boolean;
  /** Pull requests of earlier times. */
  readonly past?: readonly number[];
  readonly end?: ProposalEnd;
  /** Why it ended, a sentence. */
  readonly why?: string;
}

/** A finding that a proposal is about. `isHealed`: Firebreak closed it meanwhile, so it asks on although it is gone. */
export interface ProposalMember {
  readonly fingerprint: string;
  readonly isResolved: boolean;
  readonly isHealed: boolean;
  readonly finding: Finding & { readonly firstSeen: number; readonly lastSeen: number };
}

/** A pull request that adopts a live change, or the wish for one. Times are ms since the epoch. */
export interface StoredProposal {
  readonly cause: string;
  readonly state: ProposalState;
  readonly memory: ProposalMemory;
  /** Since when it is asked this time. */
  readonly openedAt: number;
  readonly seenAt: number;
  readonly dueAt: number | undefined;
  readonly attempts: number;
  readonly lastError: StoredError | undefined;
  readonly members: readonly ProposalMember[];
}

/** One finding joins the proposal of its cause. */
export interface ProposalJoin {
  readonly cause: string;
  readonly finding: ProposalMember["finding"];
  readonly now: number;
  /** What a person declined is not asked again before its cause was away for so long. */
  readonly declinedForMs: number;
}

/**
 * A finding asks to be adopted. Repeats change nothing.
 *
 * A finding that is alone in its proposal stays there whatever it becomes, so that its pull request is updated; one of several whose
 * words change leaves for the proposal of its new cause.
 */
export function joinProposal(store: Store, { cause, finding, now, declinedForMs }: ProposalJoin): Promise<void> {
  return transact(store, `propose finding ${finding.fingerprint}`, async (tx) => {
    const { fingerprint } = finding;
    const homes = await tx
      .selectFrom("firebreak.proposalMembers as mine")
      .innerJoin("firebreak.proposals as proposal", "proposal.cause", "mine.cause")
      .select(["mine.cause", "proposal.state"])
      .where("mine.fingerprint", "=", fingerprint)
      .where("mine.resolved", "=", false)
      .where("mine.cause", "!=", cause)
      .execute();
    let home = cause;
    for (const other of homes) {
      if (other.state !== "ended" && home === cause && (await isAlone(tx, other.cause, fingerprint))) home = other.cause;
      else await writeMember(tx, other.cause, finding, { resolved: true, healed: false });
      await makeDue(tx, other.cause, now);
    }
    await openProposal(tx, home, now, declinedForMs);
    await writeMember(tx, home, finding, { resolved: false, healed: false });
    await notifyWithin(tx, "proposals", home);
  });
}

async function isAlone(tx: Db, cause: string, fingerprint: string): Promise<boolean> {
  const others = await tx
    .selectFrom("firebreak.proposalMembers")
    .select("fingerprint")
    .where("cause", "=", cause)
    .where("fingerprint", "!=", fingerprint)
    .where((where) => where.or([where("resolved", "=", false), where("healed", "=", true)]))
    .execute();
  return others.length === 0;
}

async function openProposal(tx: Db, cause: string, now: number, declinedForMs: number): Promise<void> {
  const known = await tx.selectFrom("firebreak.proposals").selectAll().where("cause", "=", cause).forUpdate().executeTakeFirst();
  if (known === undefined) {
    const values = { cause, state: "due", memory: toJson<unknown>({}), openedAt: now, seenAt: now, dueAt: now };
    await tx.insertInto("firebreak.proposals").values(values).execute();
    return;
  }
  const memory = known.memory as ProposalMemory; // only ever written from one
  const isRefused = memory.end === "declined" && now - known.seenAt < declinedForMs;
  if (known.state !== "ended" || isRefused) {
    const dueAt = known.state === "ended" ? null : now;
    await tx.updateTable("firebreak.proposals").set({ seenAt: now, dueAt }).where("cause", "=", cause).execute();
    return;
  }
  // Asked anew: who asked the last time asks no more.
  await tx.deleteFrom("firebreak.proposalMembers").where("cause", "=", cause).where("resolved", "=", true).execute();
  const { commits = [], past = [], number } = memory;
  const kept: ProposalMemory = { commits, past: number === undefined ? past : [...past, number] };
  const fresh = { state: "due", memory: toJson<unknown>(kept) as never, openedAt: now, seenAt: now, dueAt: now, attempts: 0 };
  await tx.updateTable("firebreak.proposals").set(fresh).where("cause", "=", cause).execute();
}

async function writeMember(
  tx: Db,
  cause: string,
  finding: ProposalMember["finding"],
  state: { readonly resolved: boolean; readonly healed: boolean },
): Promise<void> {
  const values = { ...state, finding: toJson<unknown>(finding) };
  await tx
    .insertInto("firebreak.proposalMembers")
    .values({ cause, fingerprint: finding.fingerprint, ...values })
    .onConflict((conflict) => conflict.columns(["cause", "fingerprint"]).doUpdateSet(values))
    .execute();
}

async function makeDue(tx: Db, cause: string, now: number): Promise<void> {
  await tx
    .updateTable("firebreak.proposals")
    .set({ dueAt: now })
    .where("cause", "=", cause)
    .where("state", "!=", "ended")
    .execute();
}

/** A finding is over, or is nothing to adopt any more. @param healed Firebreak closed it, so that the question stays */
export function leaveProposal(store: Store, fingerprint: string, healed: boolean, now: number): Promise<void> {
  return transact(store, `end the proposal of finding ${fingerprint}`, async (tx) => {
    const rows = await tx
      .updateTable("firebreak.proposalMembers")
      .set({ resolved: true, healed })
      .where("fingerprint", "=", fingerprint)
      .where("resolved", "=", false)
      .returning("cause")
      .execute();
    for (const { cause } of rows) {
      await makeDue(tx, cause, now);
      await notifyWithin(tx, "proposals", cause);
    }
  });
}

/** Takes proposals whose time has come, for `holdMs`. */
export function takeProposals(store: Store, now: number, holdMs: number, limit = 20): Promise<readonly StoredProposal[]> {
  return run(store, "take proposals", async (db) => {
    const taken = await sql<{ cause: string }>`
      UPDATE firebreak.proposals SET due_at = ${now + holdMs}
      WHERE cause IN (
        SELECT cause FROM firebreak.proposals WHERE due_at IS NOT NULL AND due_at <= ${now}
        ORDER BY due_at, cause LIMIT ${limit} FOR UPDATE SKIP LOCKED)
      RETURNING cause`.execute(db);
    return await readProposals(
      db,
      taken.rows.map(({ cause }) => cause),
    );
  });
}

/** All proposals, the newest first. */
export function listProposals(store: Store, limit = 1_000): Promise<readonly StoredProposal[]> {
  return run(store, "list proposals", async (db) => {
    const rows = await db
      .selectFrom("firebreak.proposals")
      .select("cause")
      .orderBy("openedAt", "desc")
      .orderBy("cause")
      .limit(limit)
      .execute();
    return await readProposals(
      db,
      rows.map(({ cause }) => cause),
    );
  });
}

/**
 * What became of a proposal, and when it is looked at again (undefined: not before its findings change). One whose findings changed since
 * it was taken stays due.
 */
export function recordProposal(
  store: Store,
  { cause, dueAt: heldUntil }: Pick<StoredProposal, "cause" | "dueAt">,
  next: { readonly state: ProposalState; readonly memory: ProposalMemory; readonly dueAt: number | undefined },
): Promise<void> {
  return transact(store, `record proposal ${cause}`, async (tx) => {
    const values = {
      state: next.state,
      memory: toJson<unknown>(next.memory) as never,
      attempts: 0,
      lastError: toJson(null) as never,
    };
    await tx.updateTable("firebreak.proposals").set(values).where("cause", "=", cause).execute();
    await tx
      .updateTable("firebreak.proposals")
      .set({ dueAt: next.dueAt === undefined ? null : Math.round(next.dueAt) })
      .where("cause", "=", cause)
      .where("dueAt", "=", heldUntil ?? -1)
      .execute();
  });
}

/** It could not be looked after; when to try again. */
export function recordProposalFailure(store: Store, cause: string, error: StoredError, dueAt: number): Promise<void> {
  return run(store, `record that proposal ${cause} failed`, async (db) => {
    await sql`UPDATE firebreak.proposals SET attempts = attempts + 1, due_at = ${Math.round(dueAt)},
      last_error = ${toJson(error)} WHERE cause = ${cause}`.execute(db);
  });
}

async function readProposals(db: Db, causes: readonly string[]): Promise<readonly StoredProposal[]> {
  if (causes.length === 0) return [];
  const list = [...causes];
  const rows = await db.selectFrom("firebreak.proposals").selectAll().where("cause", "in", list).execute();
  const members = await db
    .selectFrom("firebreak.proposalMembers")
    .selectAll()
    .where("cause", "in", list)
    .orderBy("fingerprint")
    .execute();
  const byCause = Map.groupBy(members, ({ cause }) => cause);
  return list.flatMap((wanted) =>
    rows
      .filter(({ cause }) => cause === wanted)
      .map((row) => ({
        cause: row.cause,
        // The casts: these columns are only ever written from values of these types, above.
        state: row.state as ProposalState,
        memory: row.memory as ProposalMemory,
        openedAt: row.openedAt,
        seenAt: row.seenAt,
        dueAt: row.dueAt ?? undefined,
        attempts: row.attempts,
        lastError: row.lastError ?? undefined,
        members: (byCause.get(row.cause) ?? []).map((member) => ({
          fingerprint: member.fingerprint,
          isResolved: member.resolved,
          isHealed: member.healed,
          finding: member.finding as ProposalMember["finding"],
        })),
      })),
  );
}
