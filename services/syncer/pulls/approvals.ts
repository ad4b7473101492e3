import { listApprovals } from "../../../adapters/store/index.ts";
import { mayWrite, type Forge, type PullRequest } from "../../../core/forge/forge.ts";
import { approversOf } from "../../../core/forge/review.ts";
import type { ApprovalRule } from "../../../core/model/kinds.ts";
import { judgeApprovals, type Approval, type ApprovalState } from "../../../core/review/approvals.ts";
import type { SyncerContext } from "../context.ts";

/** What counting approvals takes. */
export type ApprovalParts = Pick<SyncerContext, "store" | "signal"> & { readonly forge: Forge };

/**
 * Who approved exactly this head, and may: reviews on the forge, `/firebreak approve` and `firebreak approve`. Rights are asked for now, not
 * remembered: who lost them approves nothing.
 *
 * @param base what the pull request's own commits are told from: the branch, or after the merge the commit before it
 */
export async function approvalsOf(
  parts: ApprovalParts,
  rule: ApprovalRule,
  { number, head, author }: PullRequest,
  base: string,
): Promise<ApprovalState> {
  const { forge, store, signal } = parts;
  const stored = await listApprovals(store, number, head.sha);
  const reviews = rule.required === 0 ? [] : await forge.listReviews(number, signal);
  const given: readonly Approval[] = [
    ...approversOf(reviews, head.sha).map((who) => ({
      who,
      via: "review" as const,
      at: isoOf(reviews.findLast((review) => review.author === who)?.at),
    })),
    ...stored.map(({ who, via, at }) => ({ who, via, at: new Date(at).toISOString() })),
  ];
  const allowed: Approval[] = [];
  for (const approval of given)
    if (approval.via === "token" || mayWrite(await forge.readPermission(approval.who, signal))) allowed.push(approval);
  const isAsked = rule.distinctFromAuthor && allowed.length > 0;
  return judgeApprovals(rule, allowed, isAsked ? [author, ...(await makersOf(parts, base, head.sha))] : []);
}

/** Accounts that the forge knows as author or committer of a pull request's own commits. */
export async function makersOf(
  { forge, signal }: Omit<ApprovalParts, "store">,
  base: string,
  head: string,
): Promise<readonly string[]> {
  const commits = await forge.listCommits(base, head, signal);
  return [...new Set(commits.flatMap(({ authorLogin, committerLogin }) => [authorLogin ?? [], committerLogin ?? []].flat()))];
}

/** Forges tell times with offsets; entries of the log are in UTC. */
function isoOf(text: string | undefined): string {
  const ms = Date.parse(text ?? "");
  return new Date(Number.isNaN(ms) ? 0 : ms).toISOString();
}
