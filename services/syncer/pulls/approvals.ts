import { listApprovals, type ApprovalRow } from "../../../adapters/store/index.ts";
import type { EntryPage } from "../../../core/audit/trail.ts";
import { mayWrite, type Forge, type PullRequest } from "../../../core/forge/forge.ts";
import { approversOf } from "../../../core/forge/review.ts";
import type { ApprovalRule } from "../../../core/model/kinds.ts";
import { judgeApprovals, type Approval, type ApprovalState, type Makers } from "../../../core/review/approvals.ts";
import type { SyncerContext } from "../context.ts";

/** What counting approvals takes. */
export type ApprovalParts = Pick<SyncerContext, "store" | "trail" | "signal"> & { readonly forge: Forge };

/**
 * Who approved exactly this head, and may: reviews on the forge since it last went to another base, `/firebreak approve` and `firebreak approve`. Rights are asked for now, not
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
  const { forge, signal } = parts;
  const stored = await loggedApprovals(parts, number, head.sha);
  const reviews = rule.required === 0 ? [] : await forge.listReviews(number, signal);
  const hasReviews = approversOf(reviews, head.sha).length > 0;
  const moved = hasReviews ? await forge.readMoved(number, signal) : undefined;
  const given: readonly Approval[] = [
    ...approversOf(reviews, head.sha, moved).map((who) => ({
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
  return judgeApprovals(rule, allowed, isAsked ? await makersOf(parts, { author, base, head: head.sha }) : NOBODY);
}

/** Approvals of the store that the log tells of: it is written first, and whoever has the database cannot write to it. */
async function loggedApprovals({ store, trail }: ApprovalParts, number: number, head: string): Promise<readonly ApprovalRow[]> {
  const stored = await listApprovals(store, number, head);
  if (stored.length === 0) return [];
  const logged = new Set<string>();
  for (let from: number | undefined = 0; from !== undefined;) {
    const page: EntryPage = await trail.read({ from, filter: { types: ["plan.approved"], commit: head } });
    for (const entry of page.entries)
      if (entry.type === "plan.approved") logged.add(`${entry.pullRequest.number} ${entry.actor.kind} ${entry.actor.id}`);
    from = page.next;
  }
  return stored.filter(({ who, via }) => logged.has(`${number} ${via === "token" ? "token" : "person"} ${who}`));
}

const NOBODY: Makers = { accounts: [], unknown: 0 };

/** Who opened a pull request, and who the forge knows as author or committer of its own commits. */
export async function makersOf(
  { forge, signal }: Pick<ApprovalParts, "forge" | "signal">,
  { author, base, head }: { readonly author: string; readonly base: string; readonly head: string },
): Promise<Makers> {
  const commits = await forge.listCommits(base, head, signal);
  const known = commits.flatMap(({ authorLogin, committerLogin }) => [authorLogin ?? [], committerLogin ?? []].flat());
  const unknown = commits.filter(({ authorLogin, committerLogin }) => authorLogin === undefined || committerLogin === undefined);
  return { accounts: [...new Set([author, ...known])], unknown: unknown.length };
}

/** Forges tell times with offsets; entries of the log are in UTC. */
function isoOf(text: string | undefined): string {
  const ms = Date.parse(text ?? "");
  return new Date(Number.isNaN(ms) ? 0 : ms).toISOString();
}
