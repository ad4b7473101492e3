import type { ApprovalRule } from "../model/kinds.ts";

/** Somebody said yes to exactly one head. */
export interface Approval {
  /** Account on the forge, or the name of a token. */
  readonly who: string;
  readonly via: "review" | "comment" | "token";
  /** ISO 8601 */
  readonly at: string;
}

/** Approvals of one head, held against the rule in force. */
export interface ApprovalState {
  /** One more than the rule says where `unknown` is not 0. */
  readonly required: number;
  /** Commits whose author or committer the forge knows no account of. */
  readonly unknown: number;
  /** One of each. */
  readonly counted: readonly Approval[];
  /** Those who made the change, by account; their approval does not count. */
  readonly ownWork: readonly string[];
  readonly isEnough: boolean;
}

/** Who made a change, as far as the forge tells. */
export interface Makers {
  /** Accounts that opened the pull request or made one of its commits; forges do not tell upper from lower case. */
  readonly accounts: readonly string[];
  /** Commits of which it knows no account for the author or the committer. */
  readonly unknown: number;
}

/**
 * Counts approvals: each account once, all that came by a token as one, those who made the change not at all when the rule asks for others.
 * A commit of an unknown maker may be an approver's own, so it asks for one approval more: then one at least is somebody else's.
 */
export function judgeApprovals(rule: ApprovalRule, approvals: readonly Approval[], madeBy: Makers): ApprovalState {
  const authors = new Set(madeBy.accounts.map((name) => name.toLowerCase()));
  const counted = new Map<string, Approval>();
  const ownWork = new Set<string>();
  for (const approval of approvals) {
    const name = approval.who.toLowerCase();
    const isOwn = rule.distinctFromAuthor && authors.has(name);
    if (isOwn) ownWork.add(approval.who);
    const key = approval.via === "token" ? "token " : name; // no account has a blank in its name
    if (!isOwn && !counted.has(key)) counted.set(key, approval);
  }
  const list = [...counted.values()];
  const unknown = rule.distinctFromAuthor ? madeBy.unknown : 0;
  const required = rule.required + (rule.required > 0 && unknown > 0 ? 1 : 0);
  return { required, unknown, counted: list, ownWork: [...ownWork], isEnough: list.length >= required };
}
