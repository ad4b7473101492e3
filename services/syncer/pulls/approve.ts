import { recordApproval } from "../../../adapters/store/index.ts";
import type { PullRequest } from "../../../core/forge/forge.ts";
import { makersOf } from "./approvals.ts";
import { auditPull, type PullContext } from "./context.ts";

/** Who says yes to a head, and by what. */
export interface Approver {
  /** Account on the forge, or the token's name. */
  readonly who: string;
  readonly via: "comment" | "token";
  /** Tells one saying from another in the log: the comment's number, the token's name. */
  readonly id: string;
}

/** What approving takes. */
export type ApproveParts = Pick<PullContext, "store" | "trail" | "signal" | "now" | "inForce" | "forge">;

/**
 * The one way in which a person or a token approves a head: logged, then recorded. Who made the change approves nothing, whichever way it is
 * said, where the Workspace in force asks for others.
 *
 * @param plan the id of the plan that was looked at; null when the head itself was named
 * @returns `own`: nothing was recorded, because they made the change
 */
export async function approveHead(
  { store, trail, signal, now, inForce, forge }: ApproveParts,
  pull: PullRequest,
  { who, via, id }: Approver,
  plan: string | null,
): Promise<"approved" | "own"> {
  const isDistinct = inForce?.definitions.workspace.approvals.distinctFromAuthor ?? true;
  const { author, base, head } = pull;
  const makers = isDistinct ? (await makersOf({ forge, signal }, { author, base: base.ref, head: head.sha })).accounts : [];
  if (makers.some((name) => name.toLowerCase() === who.toLowerCase())) return "own";
  await trail.append([
    {
      id: `plan-approved-${pull.number}-${pull.head.sha}-${via}-${id}`,
      type: "plan.approved",
      commit: pull.head.sha,
      actor: { kind: via === "token" ? "token" : "person", id: who },
      pullRequest: auditPull(pull),
      outcome: "ok",
      ...(plan === null ? {} : { plan }),
    },
  ]);
  await recordApproval(store, { pull: pull.number, head: pull.head.sha, who, via, plan, at: now() });
  return "approved";
}
