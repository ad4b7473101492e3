import { pullRow, recordPlan, type PullRow } from "../../../adapters/store/index.ts";
import { commentMarker } from "../../../core/forge/comment.ts";
import { mayWrite, type PullRequest } from "../../../core/forge/forge.ts";
import type { ApprovalRules } from "../../../core/model/kinds.ts";
import { isStale } from "../../../core/review/binding.ts";
import type { Visibility } from "../../../core/review/review.ts";
import { pullCheck, pullComment, type PullView } from "../../../core/text/pull.ts";
import { approvalsOf } from "./approvals.ts";
import { readCommands, type CommandsRead } from "./commands.ts";
import type { Planned, PullContext } from "./context.ts";
import { bindingNow, planPull } from "./plan.ts";

/** Name of the check, and what the comment is found again by. */
const CHECK = "firebreak";
const MARKER = commentMarker("plan", "pull-request");

/** Before the first revision nothing is asked for. */
const NO_RULE: ApprovalRules = { required: 0, distinctFromAuthor: true, forRules: 0 };

/**
 * One look at an open pull request: commands, the plan when there is none that holds, comment and check.
 *
 * Everything may be repeated: what stands there already is not written again.
 *
 * @param base the branch's head
 * @returns true when somebody approved or lifted something
 */
export async function lookAtPull(context: PullContext, pull: PullRequest, base: string): Promise<boolean> {
  const row = await pullRow(context.store, pull.number);
  const read = await readCommands(context, pull, row);
  const visibility = await visibilityOf(context, pull, read);
  const known = context.plans.get(pull.number);
  const stale = await staleness(context, pull, base, known, visibility);
  let planned = known;
  if (planned === undefined || stale !== undefined || read.isPlanAsked) {
    try {
      planned = await planPull(context, pull, base, visibility, read.isPlanAsked);
    } catch (error) {
      // Until it can be planned again, nobody shall take the old plan for a new one.
      if (known !== undefined && stale !== undefined) await show(context, pull, { row, read, planned: known, stale });
      throw error;
    }
    context.plans.set(pull.number, planned);
    const { log } = context;
    log.info({ pull: pull.number, head: pull.head.sha, plan: planned.id, visibility, why: stale ?? "first look" }, "planned");
  }
  await show(context, pull, { row, read, planned, stale: undefined });
  return read.isApproved || ((row?.held ?? null) !== null) !== (read.reading.held !== null);
}

async function visibilityOf({ forge, signal }: PullContext, pull: PullRequest, { reading }: CommandsRead): Promise<Visibility> {
  if (reading.fullHead === pull.head.sha) return "full";
  return mayWrite(await forge.readPermission(pull.author, signal)) ? "full" : "intent";
}

async function staleness(
  context: PullContext,
  pull: PullRequest,
  base: string,
  known: Planned | undefined,
  visibility: Visibility,
): Promise<string | undefined> {
  if (known === undefined) return undefined;
  if (known.visibility !== visibility) return "who may see what has changed";
  return isStale(known.binding, await bindingNow(context, pull.head.sha, base, known.touched));
}

interface Shown {
  readonly row: PullRow | undefined;
  readonly read: CommandsRead;
  readonly planned: Planned;
  readonly stale: string | undefined;
}

/** Comment first: a check that is green without its reasons would be worse than none. */
async function show(context: PullContext, pull: PullRequest, { row, read, planned, stale }: Shown): Promise<void> {
  const { forge, store, trail, signal, inForce, settings } = context;
  const { reading } = read;
  const rules = inForce?.definitions.workspace.approvals ?? NO_RULE;
  const { reviewed } = planned;
  const isForRules = reviewed.kind === "reviewed" && reviewed.review.safeguards.length > 0;
  const rule = { ...rules, required: isForRules ? rules.forRules : rules.required };
  const view: PullView = {
    reviewed,
    plan: planned.id,
    binding: planned.binding,
    stale,
    held: reading.held ?? undefined,
    approvals: await approvalsOf({ forge, store, trail, signal }, rule, pull, pull.base.ref),
    answers: reading.answers,
  };
  const known = row?.commentId ?? undefined;
  const { id } = await forge.putComment(pull.number, { marker: MARKER, body: pullComment(view), known }, signal);
  await recordPlan(store, pull.number, { plan: stale === undefined ? planned.id : null, commentId: id });
  const check = pullCheck(view, settings.repository.path);
  const isCurrent = stale === undefined;
  await forge.putCheck(pull.head.sha, CHECK, isCurrent ? check : { ...check, state: "pending", title: `stale: ${stale}` }, signal);
}
