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
  readonly required: number;
  /** One of each. */
  readonly counted: readonly Approval[];
  /** Those who made the change, by account; their approval does not count. */
  readonly ownWork: readonly string[];
  readonly isEnough: boolean;
}

/**
 * Counts approvals: each account once, all that came by a token as one, those who made the change not at all when the rule asks for others.
 *
 * @param madeBy accounts that opened the pull request or made one of its commits; forges do not tell upper from lower case
 */
export function judgeApprovals(rule: ApprovalRule, approvals: readonly Approval[], madeBy: readonly string[]): ApprovalState {
  const authors = new Set(madeBy.map((name) => name.toLowerCase()));
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
  return { required: rule.required, counted: list, ownWork: [...ownWork], isEnough: list.length >= rule.required };
}
