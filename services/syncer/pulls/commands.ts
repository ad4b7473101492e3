import { recordPull, type PullAnswer, type PullReading, type PullRow } from "../../../adapters/store/index.ts";
import type { AuditActor } from "../../../core/audit/fields.ts";
import { parseCommands, type ForgeCommand } from "../../../core/forge/command.ts";
import { mayWrite, type ForgeComment, type PullRequest } from "../../../core/forge/forge.ts";
import { plain } from "../../../core/ground/inert.ts";
import { approveHead } from "./approve.ts";
import { auditPull, type PullContext } from "./context.ts";

/** The last answers stand in the comment. */
const ANSWERS = 5;

const MAYBE_EDITED =
  "the forge does not say that this is what was first written there, so nothing was done. Say it in a new comment; if that does not help " +
  "(activity that is kept private), approve by a review.";

/** What reading comments led to. */
export interface CommandsRead {
  readonly reading: PullReading;
  /** Somebody asked for a plan of this head. */
  readonly isPlanAsked: boolean;
  readonly isApproved: boolean;
}

/**
 * Reads the comments of a pull request that were not read yet, and does what those with write access ask for.
 *
 * A command counts for the head that was known when the comment was first read after it: what was said before a head was seen here
 * says nothing about it, whatever clocks and commits claim. An approval names the plan that was looked at as well. Only a hold counts always. An
 * edited comment is no command.
 */
export async function readCommands(context: PullContext, pull: PullRequest, row: PullRow | undefined): Promise<CommandsRead> {
  const { forge, store, signal, now } = context;
  const isNewHead = row?.head !== pull.head.sha;
  const self = await forge.readSelf(signal);
  const state: State = {
    fullHead: row?.fullHead ?? null,
    held: row?.held ?? context.facts.hold(pull.number) ?? null,
    answers: isNewHead ? [] : [...(row?.answers ?? [])],
    isPlanAsked: false,
    isApproved: false,
  };
  const comments = await forge.listComments(pull.number, row?.seenAt ?? undefined, signal);
  const fresh = comments.filter(({ id }) => id > (row?.seenComment ?? 0)).toSorted((a, b) => a.id - b.id);
  for (const comment of fresh) {
    if (comment.author === self) continue;
    const commands = parseCommands(comment.body);
    // Its times show no edit: who waits for an answer hears why there is none. An edit that shows is the author's to see.
    if (comment.isEdited && commands.length > 0 && comment.createdAt === comment.updatedAt)
      state.answers.push({ to: plain(comment.author), text: MAYBE_EDITED });
    if (!comment.isEdited && commands.length > 0) await carryOut(context, { pull, row, comment, commands, isNewHead }, state);
  }
  const last = fresh.at(-1);
  const reading: PullReading = {
    number: pull.number,
    head: pull.head.sha,
    author: pull.author,
    url: pull.url,
    fullHead: state.fullHead,
    held: state.held,
    seenComment: last?.id ?? row?.seenComment ?? 0,
    seenAt: last?.createdAt ?? row?.seenAt ?? null,
    answers: state.answers.slice(-ANSWERS),
  };
  // The head and how far its comments were read go together: a crash in between must not make an old comment count for a new head.
  if (row === undefined || isNewHead || last !== undefined) await recordPull(store, reading, now());
  return { reading, isPlanAsked: state.isPlanAsked, isApproved: state.isApproved };
}

interface State {
  fullHead: string | null;
  held: PullReading["held"];
  answers: PullAnswer[];
  isPlanAsked: boolean;
  isApproved: boolean;
}

interface Asked {
  readonly pull: PullRequest;
  readonly row: PullRow | undefined;
  readonly comment: ForgeComment;
  readonly commands: readonly ForgeCommand[];
  readonly isNewHead: boolean;
}

async function carryOut(context: PullContext, asked: Asked, state: State): Promise<void> {
  const { comment, commands } = asked;
  const answer = (text: string): void => void state.answers.push({ to: plain(comment.author), text });
  if (!mayWrite(await context.forge.readPermission(comment.author, context.signal))) {
    answer("has no write access here, so nothing was done.");
    return;
  }
  for (const command of commands) {
    const text = await carryOutOne(context, asked, state, command);
    answer(text);
  }
}

/** @returns what is said of it */
async function carryOutOne(context: PullContext, asked: Asked, state: State, command: ForgeCommand): Promise<string> {
  const { comment, pull, isNewHead } = asked;
  if (isNewHead && (command.kind === "plan" || command.kind === "approve"))
    return "that was said before this head was seen here; look at its plan, then say it again.";
  switch (command.kind) {
    case "plan":
      state.fullHead = pull.head.sha;
      state.isPlanAsked = true;
      return "planned again.";
    case "hold":
      state.held = { by: comment.author, reason: plain(command.reason), at: context.now() };
      await logHold(context, asked, command.reason);
      return "on hold.";
    case "approve":
      return await approve(context, asked, state, command.plan);
    case "help":
      return "the commands are listed at the end of this comment.";
    case "unknown":
      return "that is no command; they are listed at the end of this comment.";
    default:
      return command satisfies never;
  }
}

/** Counts only with what was looked at: while somebody reads one head, its author may push another. */
async function approve(context: PullContext, { pull, comment, row }: Asked, state: State, named: string): Promise<string> {
  // The store says which plan is shown, the log of which head it is: nobody's yes for one head becomes one for another.
  const told = context.facts.plan(row?.plan ?? "");
  const shown = told?.pull === pull.number && told.commit === pull.head.sha ? (row?.plan ?? null) : null;
  const isHead = named === pull.head.sha;
  if (!isHead && (shown === null || named !== shown)) {
    const say =
      shown === null ? "its id stands at the end of this comment as soon as it is made" : `\`/firebreak approve ${shown}\``;
    return named === ""
      ? `say which plan you looked at. For the one that is shown here: ${say}.`
      : `that is not the plan that is shown here. Look at this one, then say ${say}.`;
  }
  const who = comment.author;
  const approved = await approveHead(context, pull, { who, via: "comment", id: String(comment.id) }, isHead ? null : named);
  if (approved === "own") {
    // Who made the change may take back a hold of his own, no other's.
    if (state.held?.by !== who) return "you made this change: your approval does not count.";
    await logResumed(context, pull, { kind: "person", id: who }, `comment-${comment.id}`);
    state.held = null;
    return "the hold is lifted; your approval does not count, because you made this change.";
  }
  const wasHeld = state.held !== null;
  if (wasHeld) await logResumed(context, pull, { kind: "person", id: who }, `comment-${comment.id}`);
  state.held = null;
  state.isApproved = true;
  return wasHeld ? "approved; the hold is lifted." : "approved.";
}

/**
 * The end of a hold is told of in the log, as its beginning is, before the store forgets it.
 *
 * @param by what names this time among all: the log takes the same entry for a retry
 */
export async function logResumed(
  { trail }: Pick<PullContext, "trail">,
  pull: PullRequest,
  actor: AuditActor,
  by: string,
): Promise<void> {
  await trail.append([
    {
      id: `plan-resumed-${pull.number}-${by}`,
      type: "plan.resumed",
      commit: pull.head.sha,
      actor,
      pullRequest: auditPull(pull),
    },
  ]);
}

async function logHold({ trail }: PullContext, { pull, comment }: Asked, reason: string): Promise<void> {
  await trail.append([
    {
      id: `plan-held-${pull.number}-comment-${comment.id}`,
      type: "plan.held",
      commit: pull.head.sha,
      actor: { kind: "person", id: comment.author },
      pullRequest: auditPull(pull),
      reason: plain(reason),
    },
  ]);
}
