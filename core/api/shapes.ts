import type { FindingEffect, FindingKind, Severity } from "../finding/finding.ts";
import type { Direction, TargetId, TargetMode } from "../model/kinds.ts";
import type { Denials } from "../observed/denials.ts";
import type { Note } from "../model/note.ts";
import type { Basis } from "../guardrail/report.ts";
import type { Diff } from "../reach/diff-lines.ts";
import type { ReachConnection } from "../reach/matrix-types.ts";
import type { ReachClass } from "../reach/matrix.ts";

/*
 * What the HTTP API says and the CLI prints with `-o json`: a stable contract. Times are ISO 8601, UTC; ages are computed by the reader.
 */

/** One state per target, the first that holds, in this order (docs/design/contracts.md "Work, queue, store"). */
export const TARGET_STATES = [
  "orphaned",
  "plan only",
  "replaced",
  "forbidden",
  "not understood",
  "unreachable",
  "stale",
  "drifted",
  "pending",
  "in sync",
] as const;
export type TargetState = (typeof TARGET_STATES)[number];

export interface ErrorShape {
  readonly code: string;
  readonly message: string;
}

export interface TargetStatus {
  readonly target: TargetId;
  readonly state: TargetState;
  readonly mode: TargetMode;
  /** Sequence of the revision that is live there; null: none yet. */
  readonly revision: number | null;
  readonly wanted: number | null;
  /** Segments and rules that have a part there. */
  readonly segments: number;
  readonly rules: number;
  readonly lastReadAt: string | null;
  readonly openFindings: number;
  /** Of a host that observes: what enforcing would have denied in the last week; null: nothing observes there. */
  readonly wouldDeny: { readonly connections: number; readonly full: readonly Direction[] } | null;
  readonly error: ErrorShape | null;
  readonly nextAttemptAt: string | null;
  /** A host that is enforced for the first time: until then everything passes, so that its kernel learns which sessions are open. */
  readonly settlesAt?: string;
}

/** What one target knows of connections that enforcing would deny; `seen` is null where nothing is recorded. */
export interface DenialsAnswer {
  readonly target: TargetId;
  readonly readAt: string | null;
  readonly seen: Denials | null;
}

export interface RevisionStatus {
  readonly sequence: number;
  readonly commit: string;
  readonly subject: string;
  readonly acceptedAt: string;
  readonly actor: string;
}

export interface RepositoryStatus {
  readonly head: string | null;
  readonly fetchedAt: string | null;
  readonly error: ErrorShape | null;
  /** The newest commit that is not in force, and why. */
  readonly refused: {
    readonly commit: string;
    readonly code: string;
    readonly message: string;
    readonly notes: readonly Note[];
  } | null;
}

/** A channel that does not take what it is told. */
export interface ChannelTrouble {
  /** Its name in firebreak.yaml, or `forge/issues`. */
  readonly channel: string;
  /** Groups of findings that it refuses until a person mends something. */
  readonly refused: number;
  readonly refusedSince: string | null;
  /** Groups whose last telling failed and is tried again by itself. */
  readonly failing: number;
  readonly error: ErrorShape | null;
}

/** A service that lacks what it works with, or was not heard of. */
export interface ServiceTrouble {
  /** syncer, drift or console */
  readonly service: string;
  readonly since: string;
  readonly error: ErrorShape;
}

/** A time in which nobody watched, or nothing that was seen could be recorded. */
export interface WatchGap {
  readonly from: string;
  readonly until: string;
}

export interface StatusAnswer {
  readonly instance: string;
  readonly revision: RevisionStatus | null;
  readonly repository: RepositoryStatus;
  readonly targets: readonly TargetStatus[];
  /** What keeps Firebreak itself from working; empty: nothing. */
  readonly troubles: readonly ServiceTrouble[];
  /** When nobody could record what was seen, within the last day, the newest last: what came and went then is not known. */
  readonly gaps: readonly WatchGap[];
  /** Where people are not told what they should be; empty: nowhere. */
  readonly channels: readonly ChannelTrouble[];
}

export interface FindingAnswer {
  readonly fingerprint: string;
  readonly kind: FindingKind;
  readonly severity: Severity;
  readonly target: TargetId;
  readonly subject: string;
  readonly summary: string;
  readonly effect: FindingEffect;
  readonly who: string | null;
  /** `file:line:column` of the definition concerned. */
  readonly at: string | null;
  readonly firstSeen: string;
  readonly lastSeen: string;
  readonly resolvedAt: string | null;
  readonly heals: number;
  /** Repairs stopped because somebody writes it again and again. */
  readonly stopped: boolean;
}

/** What would be written to one target, as people read it. */
export interface PlanAnswer {
  readonly target: TargetId;
  readonly mode: TargetMode;
  readonly revision: number | null;
  /** Absent when the target could be planned. */
  readonly error?: ErrorShape;
  readonly steps: readonly { readonly kind: string; readonly subject: string; readonly why: string }[];
  readonly effect: FindingEffect;
  readonly conflicts: readonly string[];
  readonly notes: readonly Note[];
}

/** What a release opens; `done` tells whether it was carried out. */
export interface ReleaseAnswer {
  readonly target: TargetId;
  readonly done: boolean;
  readonly removes: readonly string[];
  readonly effect: FindingEffect;
}

export interface ReleaseRequest {
  readonly target: TargetId;
  /** false: only tell what it would do. */
  readonly confirm: boolean;
  /** Leave our objects where they are. */
  readonly keep: boolean;
  /** Forget a target that cannot be reached. */
  readonly forget: boolean;
}

export interface AcceptAnswer {
  readonly commit: string;
  readonly accepted: boolean;
  readonly sequence: number | null;
  readonly message: string;
}

/** A pull request's head that was approved by a token. */
export interface ApproveAnswer {
  readonly pull: number;
  readonly head: string;
  readonly plan: string;
}

/** Who may connect to whom, by classes: the definitions in force on the workloads of now, or what is enforced. */
export interface ReachAnswer {
  readonly classes: readonly ReachClass[];
  readonly connections: readonly ReachConnection[];
  readonly notes: readonly Note[];
}

/** What changes between two revisions, or between what the definitions say (before) and what is enforced (after). */
export interface DiffAnswer {
  readonly before: string;
  readonly after: string;
  /** Whose workloads were compared; null for plain manifests, which hold their own. */
  readonly basis: Basis | null;
  /** Targets in `mode: plan`, where nothing opens or closes whatever changes; absent where they were asked as if applied, and of the service. */
  readonly planned?: readonly TargetId[];
  readonly diff: Diff;
}

export interface ReconcileAnswer {
  readonly targets: readonly TargetId[];
}

/** How many groups of findings are told anew. */
export interface NotifyRetryAnswer {
  readonly revived: number;
}

/** What the console's first page shows: counts, and the targets that need somebody. Never more than a bound. */
export interface OverviewAnswer {
  readonly instance: string;
  readonly revision: RevisionStatus | null;
  readonly repository: RepositoryStatus;
  readonly targets: number;
  /** Every state that a target is in, in the order of `TARGET_STATES`. */
  readonly states: readonly { readonly state: TargetState; readonly count: number }[];
  /** When the targets were last read back: the one that waits longest, the newest, and how many never were. */
  readonly looked: { readonly oldest: string | null; readonly newest: string | null; readonly never: number };
  /** Open findings by severity, the gravest first. */
  readonly findings: readonly { readonly severity: Severity; readonly count: number }[];
  /** Targets that are not in sync, 50 at most. */
  readonly attention: readonly TargetStatus[];
  readonly moreAttention: number;
  readonly troubles: readonly ServiceTrouble[];
  readonly gaps: readonly WatchGap[];
  readonly channels: readonly ChannelTrouble[];
}

/** Findings that one act made: the same kind of change of the same thing with the same effect, on whatever targets. */
export interface CauseAnswer {
  readonly id: string;
  readonly kind: FindingKind;
  readonly severity: Severity;
  readonly subject: string;
  readonly summary: string;
  readonly effect: Omit<FindingEffect, "full">;
  readonly who: string | null;
  readonly at: string | null;
  /** Where it is, 20 at most; `count` is of all. */
  readonly targets: readonly TargetId[];
  readonly count: number;
  readonly firstSeen: string;
  readonly lastSeen: string;
  readonly heals: number;
  /** Repairs stopped on one of them, because somebody writes it again and again. */
  readonly stopped: boolean;
  /** A finding of it, for `firebreak findings`. */
  readonly fingerprint: string;
}

/** The inbox: open causes, the gravest first. */
export interface CausesAnswer {
  readonly causes: readonly CauseAnswer[];
  /** Causes beyond the bound. */
  readonly more: number;
  /** False: there are more open findings than were read. */
  readonly isWhole: boolean;
}

/** A link into the console that counts once, within five minutes. */
export interface SignInAnswer {
  /** Goes after the address by which the console is reached. */
  readonly path: string;
  readonly mayWrite: boolean;
  readonly expiresAt: string;
}

/** Who is signed in to the console. */
export interface SessionAnswer {
  readonly mayWrite: boolean;
  /** Goes into the header `x-firebreak-csrf` of every write. */
  readonly csrf: string;
  readonly expiresAt: string;
}

/** Paths of the API, version 1. */
export const API = {
  status: "/api/v1/status",
  overview: "/api/v1/overview",
  causes: "/api/v1/causes",
  events: "/api/v1/events",
  findings: "/api/v1/findings",
  denials: "/api/v1/denials",
  plan: "/api/v1/plan",
  inventory: "/api/v1/inventory",
  test: "/api/v1/test",
  explain: "/api/v1/explain",
  reach: "/api/v1/reach",
  diff: "/api/v1/diff",
  segments: "/api/v1/segments",
  reconcile: "/api/v1/reconcile",
  accept: "/api/v1/accept",
  approve: "/api/v1/approve",
  release: "/api/v1/release",
  notifyRetry: "/api/v1/notify/retry",
  signIn: "/api/v1/sign-in",
} as const;

/** Where the console's page exchanges a link for a session, asks who it is, and ends it. */
export const SESSION_PATH = "/api/v1/session";
