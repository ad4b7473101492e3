import type { Denials } from "../../core/observed/denials.ts";
import type { ColumnType, Generated, GeneratedAlways } from "kysely";

/*
 * The tables as Kysely sees them: camelCase here, snake_case in the database. `migrations.ts` is the other half and changes in
 * the same commit. Times are ms since the epoch (bigint), except leases, which live by the database's own clock.
 *
 * JSON goes in as text cast to jsonb (`json.ts`) and comes out parsed.
 */

/** A jsonb column: read as a value, written through `toJson`. */
export type Json<T> = ColumnType<T, T, T>;

export interface InstanceTable {
  /** Always 1. */
  one: number;
  id: string;
}

export interface CounterTable {
  name: string;
  value: number;
}

export interface RevisionTable {
  sequence: number;
  /** 40 or 64 hex digits. */
  commit: string;
  tree: string;
  /** First parent, or null for a root commit. */
  parent: string | null;
  /** Who made it the revision in force: `git` (followed the branch) or a token's identity. */
  actor: string;
  author: string;
  committer: string;
  /** First line of the message. */
  subject: string;
  acceptedAt: number;
}

/** A copy of a commit that targets are compared with. */
export interface CommitTable {
  commit: string;
  /** What `bundleOf` of adapters/git makes. */
  bundle: Uint8Array;
}

export interface RepositoryTable {
  one: number;
  head: string | null;
  fetchedAt: number | null;
  fetchOkAt: number | null;
  error: Json<StoredError | null>;
  candidate: Json<Candidate | null>;
  held: Json<HeldBranch | null>;
}

export interface RequestTable {
  id: string;
  kind: RequestKind;
  args: Json<unknown>;
  actor: string;
  createdAt: number;
  takenAt: number | null;
  /** Until when the taker holds it, by the database's clock; after that another may take it. */
  takenUntil: Date | null;
  doneAt: number | null;
  result: Json<unknown>;
  error: Json<StoredError | null>;
  /** Seal of the API over the columns above that ask (services/request-seal.ts); null for a row that it did not write. */
  mac: string | null;
}

export interface TargetTable {
  id: string;
  mode: "plan" | "apply";
  labels: Json<Readonly<Record<string, string>>>;
  inGit: Generated<boolean>;
  orphanedAtSequence: number | null;
  identity: string | null;
  enforcer: string | null;
  wantedSequence: number | null;
  wantedAt: number | null;
  appliedSequence: number | null;
  appliedPlan: string | null;
  appliedAt: number | null;
  generation: Generated<number>;
  appliedInputs: Json<unknown>;
  membershipDigest: string | null;
  intent: Json<StoredIntent | null>;
  observationDigest: string | null;
  lastReadAt: number | null;
  lastReadOkAt: number | null;
  readError: Json<StoredError | null>;
  lastError: Json<StoredError | null>;
  nextAttemptAt: number | null;
  failures: Generated<number>;
  segments: Generated<number>;
  rules: Generated<number>;
  leaseOwner: string | null;
  leaseUntil: Date | null;
  fencing: Generated<number>;
  notes: Json<readonly unknown[]>;
  /** What a host that observes would have denied, as of the last read; null: nothing observes there. */
  denials: Json<Denials | null>;
}

export interface WorkTable {
  id: GeneratedAlways<number>;
  target: string;
  kind: WorkKind;
  /** Open rows of one target, kind and key are one row; see `work.ts`. */
  key: string;
  detail: Json<unknown>;
  createdAt: number;
  notBefore: number;
  /** Grows when a cause joins an open row; a reader closes the row only as it read it. */
  touched: Generated<number>;
  closedAt: number | null;
  outcome: string | null;
}

export interface FindingTable {
  fingerprint: string;
  target: string;
  kind: string;
  severity: string;
  subject: string;
  summary: string;
  effect: Json<unknown>;
  who: string | null;
  at: Json<unknown>;
  healable: boolean;
  widens: boolean;
  foreignObject: boolean;
  firstSeen: number;
  lastSeen: number;
  resolvedAt: number | null;
  openedCount: Generated<number>;
  healTimes: Json<readonly number[]>;
  stopped: Generated<boolean>;
  issueRef: string | null;
  adoption: Json<unknown>;
}

/** Pull requests that adopt live changes, one per cause. */
export interface ProposalTable {
  cause: string;
  state: string;
  memory: Json<unknown>;
  /** This time. */
  openedAt: number;
  seenAt: number;
  dueAt: number | null;
  attempts: Generated<number>;
  lastError: Json<StoredError | null>;
}

/** Findings that a proposal is about. */
export interface ProposalMemberTable {
  cause: string;
  fingerprint: string;
  resolved: boolean;
  healed: boolean;
  finding: Json<unknown>;
}

export interface MembershipTable {
  target: string;
  segments: Json<Readonly<Record<string, readonly string[]>>>;
  complete: boolean;
  observedAt: number;
  digest: string;
  version: number;
}

export interface DeliveryTable {
  id: GeneratedAlways<number>;
  fingerprint: string;
  channel: string;
  event: DeliveryEvent;
  payload: Json<unknown>;
  createdAt: number;
  attempts: Generated<number>;
  nextAttemptAt: number;
  deliveredAt: number | null;
  lastError: Json<StoredError | null>;
}

export interface NoticeTable {
  /** 16 hex characters: the group's name on its channel. */
  id: string;
  channel: string;
  groupKey: string;
  /** `Timing` of core/notify/group.ts, as its route said when the group began. */
  timing: Json<unknown>;
  since: number;
  /** `Told` of core/notify/group.ts. */
  told: Json<unknown>;
  /** What the channel returned for it. */
  ref: string | null;
  /** The telling that is on its way: sent again, unchanged, until it is known to have arrived. */
  sending: Json<unknown>;
  attempts: Generated<number>;
  /** When to look at it; null: not until a member changes. */
  dueAt: number | null;
  /** Since when it waits for a person: the channel refuses it. */
  deadAt: number | null;
  lastError: Json<StoredError | null>;
}

export interface NoticeMemberTable {
  notice: string;
  fingerprint: string;
  channel: string;
  severity: string;
  changedAt: number;
  resolved: boolean;
  /** Its end was told: it has no part in the group any more, and is kept to know flapping. */
  toldEnded: Generated<boolean>;
  digest: string;
  openedAt: Json<readonly number[]>;
  /** `Incident` of core/finding/incident.ts. */
  incident: Json<unknown>;
}

export interface PendingEntryTable {
  id: string;
  position: GeneratedAlways<number>;
  input: Json<unknown>;
  createdAt: number;
  seq: number | null;
  integratedAt: number | null;
  /** The database's role that inserted it; nobody gives it. */
  writtenBy: ColumnType<string, never, never>;
}

/** Everything, by qualified name: the schema is always spelled, so that the queue may use the same database session. */
export interface PullTable {
  number: number;
  /** The head that its comments were read for. */
  head: string;
  /** Account that opened it. */
  author: string;
  url: string;
  /** Id of the plan that its comment shows; null before the first. */
  plan: string | null;
  commentId: number | null;
  /** The head whose full plan somebody with write access asked for. */
  fullHead: string | null;
  held: Json<PullHold | null>;
  /** Id of the last comment that was read for commands, and when it was made (ISO 8601). */
  seenComment: number;
  seenAt: string | null;
  answers: Json<readonly PullAnswer[]>;
  /** What could not be planned within its budget (head, base and what it was held against), and why; null: nothing. */
  overBudgetKey: string | null;
  overBudgetWhy: string | null;
  updatedAt: number;
}

/** Somebody with write access does not want it in force. */
export interface PullHold {
  readonly by: string;
  /** A stranger's text, one line; may be "". */
  readonly reason: string;
  readonly at: number;
}

/** What came of a command: to whom it is said, and a sentence of ours. */
export interface PullAnswer {
  readonly to: string;
  readonly text: string;
}

export interface ApprovalTable {
  pull: number;
  head: string;
  who: string;
  /** A comment on the forge, or a token of the API: names of the two are no one's twice. */
  via: "comment" | "token";
  plan: string | null;
  at: number;
}

/** A sign of life of one role; `seenAt` by the database's own clock. */
export interface ProcessTable {
  role: string;
  start: string;
  troubles: Json<readonly StoredTrouble[]>;
  seenAt: Date;
  /** Of drift: when it could last record what it sees. */
  watchedAt: Date | null;
  /** Of drift: when it could not, the newest last. */
  gaps: ColumnType<readonly StoredGap[], readonly StoredGap[] | undefined, readonly StoredGap[]>;
}

/** A time in which nobody recorded what was seen; ms since the epoch, by the database's clock. */
export interface StoredGap {
  readonly from: number;
  readonly until: number;
}

export interface Tables {
  "firebreak.instance": InstanceTable;
  "firebreak.counters": CounterTable;
  "firebreak.revisions": RevisionTable;
  "firebreak.commits": CommitTable;
  "firebreak.repository": RepositoryTable;
  "firebreak.requests": RequestTable;
  "firebreak.targets": TargetTable;
  "firebreak.work": WorkTable;
  "firebreak.findings": FindingTable;
  "firebreak.memberships": MembershipTable;
  "firebreak.deliveries": DeliveryTable;
  "firebreak.notices": NoticeTable;
  "firebreak.noticeMembers": NoticeMemberTable;
  "firebreak.proposals": ProposalTable;
  "firebreak.proposalMembers": ProposalMemberTable;
  "firebreak.entriesPending": PendingEntryTable;
  "firebreak.pulls": PullTable;
  "firebreak.approvals": ApprovalTable;
  "firebreak.processes": ProcessTable;
}

/** An error as people and other processes see it; the text is the chain's outermost message, never a secret. */
export interface StoredError {
  readonly code: string;
  readonly message: string;
}

/** Something a process cannot reach: the store, the queue, the disk of the log, or the definitions in force. */
export interface StoredTrouble {
  readonly need: "store" | "queue" | "log" | "definitions";
  /** ms since the epoch */
  readonly since: number;
  readonly error: StoredError;
  /** No answer in time, which a busy machine gives, too; absent: said by an older version. */
  readonly isSlow?: boolean;
}

/** The newest commit that was not accepted, and why. */
export interface Candidate {
  readonly commit: string;
  /** REVISION_INVALID, REVISION_EMPTIES, LIMIT_EXCEEDED … */
  readonly code: string;
  /** One line for people. */
  readonly message: string;
  /** `Note` values of core/model/note.ts. */
  readonly notes: readonly unknown[];
  /** ms since the epoch */
  readonly at: number;
}

/** The branch no longer contains the revision in force. */
export interface HeldBranch {
  readonly from: string;
  readonly to: string;
  readonly at: number;
}

/** What is about to be sent to an enforcer: stored before it is sent. */
export interface StoredIntent {
  readonly sequence: number;
  readonly plan: string;
  readonly generation: number;
  readonly membershipDigest: string;
  /** What was compiled besides Git, so that drift can render the same expectation. */
  readonly inputs: unknown;
  readonly at: number;
}

export type RequestKind =
  | "accept"
  | "approve"
  | "release"
  | "reconcile"
  | "plan"
  | "inventory"
  | "test"
  | "explain"
  | "reach"
  | "diff"
  | "segments";
export type WorkKind = "revision" | "finding" | "membership" | "time" | "person" | "start" | "release";
export type DeliveryEvent = "opened" | "updated" | "resolved";
