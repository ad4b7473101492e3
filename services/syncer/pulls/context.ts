import type { Forge, PullRequest } from "../../../core/forge/forge.ts";
import type { Binding } from "../../../core/review/binding.ts";
import type { Reviewed } from "../../../core/review/reviewed.ts";
import type { Visibility } from "../../../core/review/review.ts";
import type { SyncerContext } from "../context.ts";

/** What looking at pull requests takes of the syncer. */
export type PullContext = Pick<
  SyncerContext,
  | "store"
  | "trail"
  | "accepted"
  | "facts"
  | "memberships"
  | "workers"
  | "instance"
  | "settings"
  | "operator"
  | "log"
  | "signal"
  | "now"
  | "repository"
  | "definitions"
  | "clusters"
  | "inForce"
> & {
  readonly forge: Forge;
  /** This process's memory of plans, by number. */
  readonly plans: Map<number, Planned>;
};

/** A plan of a pull request, and what it holds for. Made again after a start: the same head, branch and world give the same one. */
export interface Planned {
  readonly id: string;
  readonly visibility: Visibility;
  readonly binding: Binding;
  /** Targets whose live state it holds for. */
  readonly touched: readonly string[];
  readonly reviewed: Reviewed;
}

/** As entries of the log name it. */
export function auditPull({ number, url, author }: Pick<PullRequest, "number" | "url" | "author">) {
  return { number, url, author };
}

/** `SEQUENCE COMMIT` of the revision in force. */
export function nameInForce({ inForce }: Pick<SyncerContext, "inForce">): string {
  return inForce === undefined ? "none" : `${inForce.sequence} ${inForce.commit}`;
}

/** The next look at the branch asks again for approvals, though it refused this commit already. */
export function judgeAgain(context: SyncerContext): void {
  context.refused = undefined;
  context.branchBell.ring();
}
