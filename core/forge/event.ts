import { z } from "zod";

/**
 * What a forge's webhook tells us, reduced to what we act on. It is a hint: what counts (heads, bodies, permissions) is read from the
 * forge again. `sender` is the account that did it.
 */
export type ForgeEvent =
  | PullEvent
  | CommentEvent
  | { readonly kind: "push"; readonly repository: string; readonly branch: string; readonly before: string; readonly after: string }
  | {
      readonly kind: "review-submitted";
      readonly repository: string;
      readonly pull: number;
      readonly head: string;
      readonly sender: string;
    }
  | { readonly kind: "ping" }
  /** Nothing to do; `why` is for the debug log. */
  | { readonly kind: "ignored"; readonly why: string };

export interface PullEvent {
  /** `pull-edited`: title, text, base branch or draft state; `pull-pushed`: new commits. */
  readonly kind: "pull-opened" | "pull-pushed" | "pull-edited" | "pull-closed" | "pull-merged" | "pull-reopened";
  readonly repository: string;
  readonly pull: number;
  /** Head commit when it happened. */
  readonly head: string;
  readonly base: string;
  readonly sender: string;
}

export interface CommentEvent {
  readonly kind: "comment-created" | "comment-edited";
  readonly repository: string;
  /** Number of the pull request or issue. */
  readonly pull: number;
  /** False for a comment on an issue. */
  readonly isOnPull: boolean;
  readonly comment: number;
  readonly author: string;
  readonly body: string;
  readonly sender: string;
}

const name = z.string().max(300);
const text = z.string().max(1_000_000);
const number = z.number().int().positive();
const account = z.object({ login: name });
const repository = z.object({ full_name: name });

const pullPayload = z.object({
  action: name,
  repository,
  sender: account,
  pull_request: z.object({
    number,
    merged: z.boolean().nullish(),
    merged_at: z.string().nullish(),
    head: z.object({ sha: name }),
    base: z.object({ ref: name }),
  }),
});

const commentPayload = z.object({
  action: name,
  repository,
  sender: account,
  issue: z.object({ number, pull_request: z.unknown().optional() }),
  comment: z.object({ id: number, body: text, user: account.nullish() }),
});

const pushPayload = z.object({ ref: name, before: name, after: name, repository });

/** GitHub's actions and Gitea's. */
const PULL_ACTIONS: Readonly<Record<string, PullEvent["kind"]>> = {
  opened: "pull-opened",
  synchronize: "pull-pushed", // GitHub
  synchronized: "pull-pushed", // Gitea
  edited: "pull-edited",
  ready_for_review: "pull-edited",
  converted_to_draft: "pull-edited",
  closed: "pull-closed",
  reopened: "pull-reopened",
};

/**
 * Reads a webhook's payload, of GitHub or of Gitea (which sends GitHub's event names and shapes with some differences, named below).
 * Never throws: what is unknown, incomplete or malformed is `ignored`.
 *
 * @param event value of the header `X-GitHub-Event` or `X-Gitea-Event`
 * @param payload the parsed JSON of a verified body
 */
export function parseForgeEvent(event: string, payload: unknown): ForgeEvent {
  switch (event) {
    case "ping":
      return { kind: "ping" };
    case "pull_request":
      return parsePull(payload);
    case "issue_comment":
      return parseComment(payload);
    case "push":
      return parsePush(payload);
    case "pull_request_review":
      return parseReview(payload, "submitted");
    // Gitea has one event per verdict.
    case "pull_request_approved":
    case "pull_request_rejected":
    case "pull_request_comment":
      return parseReview(payload, "reviewed");
    default:
      return { kind: "ignored", why: `no such event: ${event.slice(0, 100)}` };
  }
}

function parsePull(payload: unknown): ForgeEvent {
  const read = pullPayload.safeParse(payload);
  if (!read.success) return malformed(read.error);
  const { action, pull_request: pull } = read.data;
  const kind = Object.hasOwn(PULL_ACTIONS, action) ? PULL_ACTIONS[action] : undefined;
  if (kind === undefined) return { kind: "ignored", why: `pull request ${action}` };
  const isMerged = pull.merged === true || typeof pull.merged_at === "string";
  return {
    kind: kind === "pull-closed" && isMerged ? "pull-merged" : kind,
    repository: read.data.repository.full_name,
    pull: pull.number,
    head: pull.head.sha,
    base: pull.base.ref,
    sender: read.data.sender.login,
  };
}

function parseComment(payload: unknown): ForgeEvent {
  const read = commentPayload.safeParse(payload);
  if (!read.success) return malformed(read.error);
  const { action, issue, comment } = read.data;
  if (action !== "created" && action !== "edited") return { kind: "ignored", why: `comment ${action}` };
  if (!comment.user) return { kind: "ignored", why: "comment of a deleted account" };
  return {
    kind: `comment-${action}`,
    repository: read.data.repository.full_name,
    pull: issue.number,
    isOnPull: issue.pull_request !== undefined && issue.pull_request !== null,
    comment: comment.id,
    author: comment.user.login,
    body: comment.body,
    sender: read.data.sender.login,
  };
}

function parsePush(payload: unknown): ForgeEvent {
  const read = pushPayload.safeParse(payload);
  if (!read.success) return malformed(read.error);
  const { ref, before, after } = read.data;
  const branch = /^refs\/heads\/(.+)$/.exec(ref)?.[1];
  if (branch === undefined) return { kind: "ignored", why: "push of something that is no branch" };
  return { kind: "push", repository: read.data.repository.full_name, branch, before, after };
}

function parseReview(payload: unknown, action: string): ForgeEvent {
  const read = pullPayload.safeParse(payload);
  if (!read.success) return malformed(read.error);
  if (read.data.action !== action) return { kind: "ignored", why: `review ${read.data.action}` };
  const { pull_request: pull } = read.data;
  const { repository: from, sender } = read.data;
  return { kind: "review-submitted", repository: from.full_name, pull: pull.number, head: pull.head.sha, sender: sender.login };
}

/** Only where, never what: a payload is a stranger's. */
function malformed(error: z.ZodError): ForgeEvent {
  const where = error.issues.map(({ path }) => path.join(".")).slice(0, 5);
  return { kind: "ignored", why: `malformed payload at ${where.join(", ")}` };
}
