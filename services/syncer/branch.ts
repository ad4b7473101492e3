import {
  addWork,
  notify,
  recordCandidate,
  recordFetch,
  recordFetchError,
  recordHeld,
  recordTargets,
  repositoryState,
  revisionFloor,
} from "../../adapters/store/index.ts";
import type { EntryInput } from "../../core/audit/entry.ts";
import type { AuditActor } from "../../core/audit/fields.ts";
import { errorChain, FirebreakError, withoutCredentials } from "../../core/ground/error.ts";
import { listTargets } from "../../core/model/target.ts";
import { judgeRevision, type Judgement, type RevisionProblem } from "../../core/revision/judge.ts";
import { clustersInPlay } from "../clusters-in-play.ts";
import { storedError } from "../stored-error.ts";
import { holdAgainstLog, subjectOf } from "./accepted.ts";
import { BRANCH, type InForce, type SyncerContext } from "./context.ts";
import { guardrailsBroken } from "./guardrails.ts";
import { limitsBroken } from "./limits.ts";
import { auditPull } from "./pulls/context.ts";
import { logOrphans } from "./log-orphans.ts";
import { judgeMergesFor, type MergeJudgement } from "./pulls/judge.ts";

/** Who made a commit the revision in force: the branch, or a person by `firebreak accept`. */
export interface Acceptance {
  readonly commit: string;
  readonly actor: string;
}

/** What a look at the branch led to. */
export type BranchOutcome =
  | { readonly kind: "unchanged" }
  | { readonly kind: "accepted"; readonly sequence: number; readonly commit: string }
  /** Nothing is known against it, and not everything is known: it is judged again when more is. */
  | { readonly kind: "waiting"; readonly commit: string; readonly problems: readonly RevisionProblem[] }
  | { readonly kind: "refused"; readonly commit: string; readonly problems: readonly RevisionProblem[] };

/**
 * One look at the branch: the newest commit becomes the revision in force, or is refused and told.
 *
 * A commit that was refused is judged again when the revision in force changed, when a person accepts it, and after a start (firebreak.yaml
 * may allow more now), and when another target is seen whole than then. One look at a time, whoever asks; ref → SHA is read once.
 */
export async function followBranch(context: SyncerContext, acceptance?: Acceptance): Promise<BranchOutcome> {
  return await context.oneLook(async () => {
    context.only.signal().throwIfAborted();
    return await lookAtBranch(context, acceptance);
  });
}

async function lookAtBranch(context: SyncerContext, acceptance: Acceptance | undefined): Promise<BranchOutcome> {
  await finish(context);
  const head = await fetchHead(context);
  const commit = acceptance?.commit ?? head;
  // A target carries a number that the log does not know: what is in force gets one above it.
  const isBehind = context.ahead > 0 && context.ahead >= (context.inForce?.sequence ?? 0);
  if (commit === context.inForce?.commit && !isBehind) {
    await forgetRefusal(context);
    return { kind: "unchanged" };
  }
  if (acceptance !== undefined && acceptance.commit !== head) {
    throw new FirebreakError(
      "NOT_FOUND",
      `${acceptance.commit} is not the head of branch ${context.settings.repository.branch}, which is ${head}`,
    );
  }
  // Approvals come after the commit, so who gave them is part of the question.
  const merges = await judgeMergesFor(context, commit, acceptance !== undefined);
  const asked = merges.problems.map(({ message }) => message).join(" ");
  const question = `${commit} after ${context.inForce?.sequence ?? 0} ${asked} ${notWhole(context).join(" ")}`;
  if (acceptance === undefined && context.refused === question) return { kind: "unchanged" };
  const judgement = await judge(context, commit, merges, acceptance);
  if (judgement.kind !== "accept") {
    const outcome = await refuse(context, commit, judgement);
    context.refused = question;
    return outcome;
  }
  const sequence = await accept(context, commit, { judgement, merges, acceptance });
  return { kind: "accepted", sequence, commit };
}

/** Clusters whose workloads are not all known, sorted: a verdict about a guardrail may be another when they are. */
function notWhole({ clusters }: SyncerContext): readonly string[] {
  const open = [...clusters.connections()];
  return open.flatMap(([target, connection]) => (connection.isInventoryCurrent() ? [] : [target])).sort();
}

async function fetchHead(context: SyncerContext): Promise<string> {
  try {
    const head = await context.repository.fetchHead(context.signal);
    await recordFetch(context.store, head, context.now());
    return head;
  } catch (error) {
    if (!context.signal.aborted) await recordFetchError(context.store, storedError(error), context.now());
    throw error;
  }
}

async function judge(
  context: SyncerContext,
  commit: string,
  merges: MergeJudgement,
  acceptance: Acceptance | undefined,
): Promise<Judgement> {
  const { inForce, repository, signal } = context;
  const descends = inForce === undefined || (await repository.isAncestor(inForce.commit, commit, signal));
  const { definitions, notes } = await context.definitions.read(commit, signal);
  const problems =
    definitions === undefined
      ? []
      : [
          ...(await limitsBroken(context, definitions, commit)),
          ...(await guardrailsBroken(context, definitions, commit)),
          ...merges.problems,
        ];
  return judgeRevision({ commit, definitions, notes, descends, problems, acceptedBy: acceptance?.actor });
}

async function refuse(
  context: SyncerContext,
  commit: string,
  judgement: Extract<Judgement, { kind: "refuse" | "wait" }>,
): Promise<BranchOutcome> {
  const { problems, notes } = judgement;
  const code = problems[0]?.code ?? "REVISION_INVALID";
  const message = problems.map(({ message }) => message).join(" ");
  const now = context.now();
  const isRewritten = code === "GIT_BRANCH_REWRITTEN";
  const isHeld = isRewritten || judgement.kind === "wait";
  await context.trail.append([
    {
      id: `revision-${judgement.kind === "wait" ? "waits" : isHeld ? "held" : "rejected"}-${commit}-after-${context.inForce?.sequence ?? 0}`,
      type: isHeld ? "revision.held" : "revision.rejected",
      commit,
      repository: withoutCredentials(context.settings.repository.url),
      outcome: "denied",
      error: { code, messages: problems.map(({ message }) => message) },
      ...(context.inForce === undefined ? {} : { previousCommit: context.inForce.commit, revision: context.inForce.sequence }),
    },
  ]);
  await recordCandidate(context.store, { commit, code, message, notes, at: now });
  await recordHeld(context.store, isRewritten ? { from: context.inForce?.commit ?? "", to: commit, at: now } : null);
  const isWaiting = judgement.kind === "wait";
  context.log.warn(
    { commit, code, problems: problems.length, notes: notes.length },
    isWaiting ? "revision waits" : "revision refused",
  );
  return { kind: isWaiting ? "waiting" : "refused", commit, problems };
}

/** A commit that comes into force, and by what. */
interface Accepted {
  readonly judgement: Extract<Judgement, { kind: "accept" }>;
  readonly merges: MergeJudgement;
  readonly acceptance: Acceptance | undefined;
}

/**
 * The log first: from there on the commit is accepted, and whatever fails or ends afterwards is made up for by {@link finish}, at the
 * next look or the next start.
 */
async function accept(context: SyncerContext, commit: string, { judgement, merges, acceptance }: Accepted): Promise<number> {
  const { inForce, store, signal } = context;
  const info = await context.repository.commitInfo(commit, signal);
  const actor = acceptance?.actor ?? "git";
  const sequence = Math.max(context.accepted.newest?.revision ?? 0, await revisionFloor(store), context.ahead) + 1;
  const auditActor: AuditActor = acceptance === undefined ? { kind: "person", id: info.committer } : { kind: "token", id: actor };
  await context.trail.append([
    {
      id: `revision-accepted-${sequence}-${commit}`,
      type: "revision.accepted",
      commit,
      revision: sequence,
      tree: info.tree,
      repository: withoutCredentials(context.settings.repository.url),
      actor: auditActor,
      outcome: "ok",
      reason: subjectOf(info.message),
      detail: { author: info.author },
      checks: [
        { name: "definitions", verdict: "valid" },
        ...judgement.overridden.map((problem) => ({ name: problem.code, verdict: `overridden by ${actor}` })),
      ],
      ...mergedBy(merges),
      ...(inForce === undefined ? {} : { previousCommit: inForce.commit }),
    },
  ]);
  await context.onStep("acceptance-logged", BRANCH);
  await finish(context);
  await forgetRefusal(context);
  context.log.info({ commit, sequence }, "revision accepted");
  return sequence;
}

/** What the log accepted is in the store and in force, also when whoever began with it failed or ended half-way. */
async function finish(context: SyncerContext): Promise<void> {
  await context.accepted.catchUp(context.trail);
  await holdAgainstLog(context);
  await takeUp(context);
}

/** Puts the revision into force that the log accepted last, unless it is. */
export async function takeUp(context: SyncerContext): Promise<void> {
  const { accepted, inForce, takingUp } = context;
  const newest = accepted.newest;
  if (newest === undefined || (takingUp === undefined && newest.revision === inForce?.sequence)) return;
  await context.onStep("acceptance-stored", BRANCH);
  const definitions = await context.definitions.accepted(newest.commit, context.signal);
  await putInForce(context, { sequence: newest.revision, commit: newest.commit, definitions });
}

/** Who approved what came in; empty where nobody was asked. */
function mergedBy({ merged }: MergeJudgement): Pick<EntryInput, "approvals" | "pullRequest"> {
  const [only, ...more] = merged;
  if (only === undefined) return {};
  const approvals = merged.flatMap(({ pull, approvals: given }) =>
    given.map(({ who, at }) => ({ who, at, commit: pull.head.sha, coversFinal: true })),
  );
  return { approvals, ...(more.length === 0 ? { pullRequest: auditPull(only.pull) } : {}) };
}

/** Makes a revision the one this process works by: connections follow it, and every target has work. */
async function putInForce(context: SyncerContext, next: InForce): Promise<void> {
  const { store } = context;
  context.takingUp = next;
  const targets = listTargets(next.definitions);
  await logOrphans(context, next.definitions, next.sequence);
  await recordTargets(
    store,
    targets.map(({ id, mode, labels }) => ({ id, mode, labels })),
    next.sequence,
    context.now(),
  );
  context.inForce = next;
  await context.onStep("targets-recorded", BRANCH);
  const failed = await context.clusters.update(await clustersInPlay(context, next.definitions));
  for (const [target, error] of failed) context.log.warn({ target, chain: errorChain(error) }, "cluster cannot be opened");
  await context.memberships.catchUp();
  await addWork(
    store,
    targets.map(({ id }) => ({ target: id, kind: "revision" as const, detail: { sequence: next.sequence } })),
    context.now(),
  );
  context.takingUp = undefined;
  await notify(store, "pulls"); // plans hold for what is in force
  for (const { id } of targets) await context.queue.enqueue(id);
}

async function forgetRefusal(context: SyncerContext): Promise<void> {
  const state = await repositoryState(context.store);
  if (state.candidate !== null) await recordCandidate(context.store, null);
  if (state.held !== null) await recordHeld(context.store, null);
}
