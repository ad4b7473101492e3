/**
 * What Firebreak asks of a forge: pull requests, comments, checks, issues, permissions, and branches for the changes it proposes.
 *
 * Every call takes an `AbortSignal` and has a deadline of its own. A failed call throws a FirebreakError:
 *   AUTH_DENIED    the credential was refused, or may not do this
 *   RATE_LIMITED   too many calls; `retryAfterMs` says how long to wait
 *   FORGE_FAILED   everything else that may pass by itself
 * Every write may be repeated: it looks for what an earlier, unanswered call left (by marker, name or branch) before it makes it
 * anew. "Not there" is `undefined`; "could not be asked" is always an error, never `undefined` and never an empty list.
 */
export interface Forge {
  readonly kind: ForgeKind;
  /** `owner/name` */
  readonly repository: string;

  /** Name of the account that we are here; undefined where the forge does not say (a workflow's own token). */
  readSelf(signal: AbortSignal): Promise<string | undefined>;
  /** Rights of an account on the repository; `none` for one that the forge does not know. */
  readPermission(user: string, signal: AbortSignal): Promise<Permission>;

  /** Open pull requests into a branch. */
  listPulls(base: string, signal: AbortSignal): Promise<readonly PullRequest[]>;
  /** Pull requests from a branch of this repository in every state, the newest first: shows that a person closed one. */
  listPullsFrom(branch: string, signal: AbortSignal): Promise<readonly PullRequest[]>;
  readPull(number: number, signal: AbortSignal): Promise<PullRequest | undefined>;
  /** The merged pull request that put this commit on its branch: the merge, the squash, or the last of what was rebased; undefined for others. */
  readMerged(commit: string, signal: AbortSignal): Promise<PullRequest | undefined>;
  /** How many commits of its own a pull request has, or had when it was merged; at most 250 (GitHub lists no more). */
  countCommits(number: number, signal: AbortSignal): Promise<number>;
  readChangedFiles(number: number, signal: AbortSignal): Promise<ChangedFiles>;
  /** Opens a pull request, or finds the open one of the same two branches (`isNew` false; its text stays as it is). */
  openPull(pull: NewPull, signal: AbortSignal): Promise<{ readonly pull: PullRequest; readonly isNew: boolean }>;
  /** Makes an open pull request say this; what is left out stays. */
  updatePull(number: number, change: PullChange, signal: AbortSignal): Promise<PullRequest>;
  /** Says why, in a comment found again by its marker, then closes. One that is closed or merged already only gets the comment. */
  closePull(number: number, why: { readonly marker: string; readonly body: string }, signal: AbortSignal): Promise<void>;
  /** In the order they were given. */
  listReviews(number: number, signal: AbortSignal): Promise<readonly Review[]>;
  /** When the pull request last went to another base, or its head was put to another commit by force (ISO 8601); undefined: never. */
  readMoved(number: number, signal: AbortSignal): Promise<string | undefined>;
  /** Asks for reviews; who cannot be asked (unknown, without rights, the author) is told, not thrown. */
  requestReviewers(number: number, reviewers: Reviewers, signal: AbortSignal): Promise<{ readonly refused: readonly string[] }>;

  /**
   * One comment of ours per (pull request or issue, marker): made, edited in place, or made again when a person deleted it.
   *
   * A comment by somebody else that quotes the marker is never taken for ours: its author could change it later.
   * A body beyond the forge's limit is cut ({@link ./comment.ts}).
   */
  putComment(number: number, comment: StickyComment, signal: AbortSignal): Promise<PutComment>;
  /** Comments changed at or after a time (ISO 8601; all without it), the oldest first. */
  listComments(number: number, since: string | undefined, signal: AbortSignal): Promise<readonly ForgeComment[]>;

  /** Makes the check of this name on a commit say this: a check run where the forge and our rights allow, else a commit status. */
  putCheck(commit: string, name: string, check: Check, signal: AbortSignal): Promise<{ readonly kind: "check" | "status" }>;

  /** The commit at the head of a branch; undefined when there is no such branch. */
  readBranch(branch: string, signal: AbortSignal): Promise<string | undefined>;
  /** Makes a branch at a commit. One that is there already stays where it is; its head is told. */
  createBranch(branch: string, commit: string, signal: AbortSignal): Promise<{ readonly head: string; readonly isNew: boolean }>;
  /** Deletes a branch while its head is this commit. False when it has moved; true also when it is gone already. */
  deleteBranch(branch: string, commit: string, signal: AbortSignal): Promise<boolean>;
  /** Commits that a branch or commit has and the base has not, the oldest first. */
  listCommits(base: string, head: string, signal: AbortSignal): Promise<readonly BranchCommit[]>;
  /** One commit on top of an expected head; writes nothing when the branch has moved or the files say this already. */
  commitFiles(commit: NewCommit, signal: AbortSignal): Promise<Committed>;
  /** Text of a file at a branch, tag or commit; undefined when it is not there or is no file. Not UTF-8 is FORGE_FAILED. */
  readFile(path: string, ref: string, signal: AbortSignal): Promise<string | undefined>;
  /** Text of the CODEOWNERS file in force at a ref, where this forge looks for it; undefined when there is none. */
  readCodeowners(ref: string, signal: AbortSignal): Promise<string | undefined>;

  /**
   * Makes the issue say this: edits the known one, or finds it by the marker in its body, or opens a new one. One that somebody else
   * opened is never taken for ours, whatever it quotes.
   *
   * @param known number remembered from an earlier call; undefined when there is none
   * @param marker text that the body contains and no other issue's does: an issue without it is never written to
   * @returns the issue's number
   */
  putIssue(known: number | undefined, marker: string, issue: IssueState, signal: AbortSignal): Promise<number>;
}

export type ForgeKind = "github" | "gitea";

/** From least to most; `maintain` exists on GitHub only. */
export type Permission = "none" | "read" | "write" | "maintain" | "admin";

/** True for rights that suffice to push: who has them may command. */
export function mayWrite(permission: Permission): boolean {
  return permission === "write" || permission === "maintain" || permission === "admin";
}

export interface PullRequest {
  readonly number: number;
  /** Without the prefix that marks a draft. */
  readonly title: string;
  readonly body: string;
  /** Account name. */
  readonly author: string;
  readonly state: "open" | "closed" | "merged";
  readonly isDraft: boolean;
  /** `repository` is undefined when the fork was deleted. */
  readonly head: { readonly sha: string; readonly ref: string; readonly repository: string | undefined };
  /** `sha` may lag behind the branch; {@link Forge.readBranch} is the present. */
  readonly base: { readonly sha: string; readonly ref: string };
  /** True also when it is not known where the head is. */
  readonly isFork: boolean;
  readonly labels: readonly string[];
  /** Of a merged one: the merge, the squash, or the last commit of what was rebased. */
  readonly mergeCommit: string | undefined;
  /** ISO 8601: moves with commits, comments, reviews and edits. */
  readonly updatedAt: string;
  /** For a browser. */
  readonly url: string;
}

/** `isWhole` is false when the forge lists only a part (GitHub: 3,000 files). */
export interface ChangedFiles {
  /** Old and new path of a rename both. */
  readonly paths: readonly string[];
  readonly isWhole: boolean;
}

export interface NewPull {
  readonly title: string;
  readonly body: string;
  /** Branch of this repository. */
  readonly head: string;
  readonly base: string;
  readonly isDraft: boolean;
  readonly labels: readonly string[];
}

export interface PullChange {
  readonly title?: string;
  readonly body?: string;
  readonly isDraft?: boolean;
  /** Are added; none is removed. */
  readonly labels?: readonly string[];
}

export interface Review {
  readonly author: string;
  readonly state: "approved" | "changes-requested" | "commented" | "dismissed";
  /** The head that was reviewed. */
  readonly commit: string;
  /** ISO 8601 */
  readonly at: string;
}

export interface Reviewers {
  readonly users: readonly string[];
  /** Names inside the repository's organisation, without it. */
  readonly teams: readonly string[];
}

export interface StickyComment {
  /** From {@link ./comment.ts}; unique in the pull request. */
  readonly marker: string;
  /** Markdown without the marker. */
  readonly body: string;
  /** Id remembered from an earlier call; undefined when there is none. */
  readonly known?: number | undefined;
}

export interface PutComment {
  readonly id: number;
  readonly kind: "created" | "edited" | "unchanged";
}

export interface ForgeComment {
  readonly id: number;
  readonly author: string;
  readonly body: string;
  /** ISO 8601 */
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Its text may not be what its author first wrote: a command in it does not count. */
  readonly isEdited: boolean;
}

export interface Check {
  /** `neutral` neither blocks nor praises; `attention`: a person must look, it never shows as success; `error`: we could not tell. */
  readonly state: "pending" | "success" | "failure" | "neutral" | "attention" | "error";
  /** One line; all that a commit status shows (140 characters). */
  readonly title: string;
  /** Markdown; shown by check runs only. */
  readonly summary: string;
  readonly annotations: readonly CheckAnnotation[];
  readonly detailsUrl?: string | undefined;
}

/** A note on lines of a file of the commit; shown by check runs only. */
export interface CheckAnnotation {
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly level: "notice" | "warning" | "failure";
  readonly title: string;
  readonly message: string;
}

export interface BranchCommit {
  readonly sha: string;
  /** First line of the message. */
  readonly subject: string;
  /** As Git says; unverified. */
  readonly authorName: string;
  readonly authorEmail: string;
  /** Accounts that the forge found for the author and the committer; undefined when none. */
  readonly authorLogin: string | undefined;
  readonly committerLogin: string | undefined;
}

export interface NewCommit {
  readonly branch: string;
  /** The branch's head as the caller saw it. */
  readonly parent: string;
  readonly message: string;
  readonly files: readonly FileChange[];
}

/** `text` undefined deletes the file. */
export interface FileChange {
  readonly path: string;
  readonly text: string | undefined;
}

export type Committed =
  | { readonly kind: "committed"; readonly sha: string }
  /** The files say this already at the parent. */
  | { readonly kind: "unchanged" }
  /** Somebody else moved the branch. `head` undefined: it is gone. */
  | { readonly kind: "moved"; readonly head: string | undefined };

/** Issue text and whether it is open. */
export interface IssueState {
  readonly title: string;
  readonly body: string;
  /** Undefined: stays as it is, so that a person's close is not undone; a new issue is open. */
  readonly state: "open" | "closed" | undefined;
  /** Are added, and made in the repository when they are missing. */
  readonly labels?: readonly string[];
  /** Labels with this beginning that are not among `labels` are taken away; undefined: none is. */
  readonly ownLabels?: string;
  /** One that was closed longer ago is left alone, and another one is opened when `state` is given; undefined: never. */
  readonly anewAfterMs?: number;
}
