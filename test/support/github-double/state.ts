import { GitStore } from "./git.ts";

export interface DoublePull {
  readonly number: number;
  title: string;
  body: string;
  readonly author: string;
  draft: boolean;
  state: "open" | "closed";
  mergedAt: string | null;
  mergeCommit?: string;
  readonly head: string;
  /** Full name of the repository that the head is in; null: the fork is gone. */
  headRepository: string | null;
  /** Commit of a head that is in a fork. */
  forkHead?: string;
  readonly base: string;
  /** Events of its timeline by which it went to another base, or its head back. */
  moves?: readonly string[];
  labels: string[];
  readonly reviewers: string[];
}

export interface DoubleIssue {
  readonly number: number;
  title: string;
  body: string;
  readonly author: string;
  state: "open" | "closed";
  /** ISO 8601; a test may set it back. */
  closedAt: string | null;
  labels: string[];
}

export interface DoubleComment {
  readonly id: number;
  readonly number: number;
  body: string;
  readonly author: string;
  readonly createdAt: string;
  updatedAt: string;
  /** As GraphQL tells it: also for an edit within the second. */
  editedAt?: string;
}

export interface DoubleReview {
  readonly pull: number;
  readonly author: string;
  readonly state: "APPROVED" | "CHANGES_REQUESTED" | "COMMENTED" | "DISMISSED";
  readonly commit: string;
  readonly at: string;
}

export interface DoubleCheckRun {
  readonly id: number;
  readonly name: string;
  readonly head: string;
  externalId: string;
  conclusion: string | null;
  title: string;
  summary: string;
  readonly annotations: { readonly path: string; readonly start_line: number; readonly message: string }[];
}

export interface DoubleStatus {
  readonly sha: string;
  readonly context: string;
  readonly state: string;
  readonly description: string;
  readonly target: string | null;
}

/** Everything the double knows of its one repository. Tests read it, and write to it as people would. */
export class GitHubState {
  readonly git = new GitStore();
  readonly pulls: DoublePull[] = [];
  readonly issues: DoubleIssue[] = [];
  comments: DoubleComment[] = [];
  readonly reviews: DoubleReview[] = [];
  readonly checkRuns: DoubleCheckRun[] = [];
  readonly statuses: DoubleStatus[] = [];
  readonly labels: string[] = ["bug"];
  /** Account → role name. */
  readonly roles = new Map<string, string>();
  /** Repositories on some plans cannot have drafts. */
  hasDrafts = true;
  private count = 0;

  constructor() {
    const first = this.git.commit(new Map([["README.md", "policies\n"]]), [], "first", "ann");
    this.git.branches.set("main", first.sha);
  }

  nextNumber(): number {
    return this.pulls.length + this.issues.length + 1;
  }

  nextId(): number {
    this.count += 1;
    return 1_000 + this.count;
  }

  /** Seconds, as GitHub tells them; each a second later than the one before, so that an edit shows. */
  nextTime(): string {
    this.count += 1;
    return `${new Date(Date.UTC(2027, 0, 1) + this.count * 1_000).toISOString().slice(0, 19)}Z`;
  }

  /** Of a pull request: its newest comment or review, or when it was opened. */
  updatedAt(number: number): string {
    const times = [
      ...this.comments.filter((comment) => comment.number === number).map(({ updatedAt }) => updatedAt),
      ...this.reviews.filter(({ pull }) => pull === number).map(({ at }) => at),
    ];
    return times.toSorted().at(-1) ?? "2027-01-01T00:00:00Z";
  }

  /** A person pushes files to a branch (made when it is not there). */
  push(branch: string, files: Readonly<Record<string, string>>, author: string): string {
    const parent = this.git.at(branch) ?? this.git.at("main");
    if (parent === undefined) throw new Error("no main");
    const commit = this.git.commit(new Map([...parent.files, ...Object.entries(files)]), [parent.sha], "by hand", author);
    this.git.branches.set(branch, commit.sha);
    return commit.sha;
  }
}
