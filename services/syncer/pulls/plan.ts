import { listTargetRows, pullRow, recordOverBudget } from "../../../adapters/store/index.ts";
import { allowOf } from "../../../core/config/operator.ts";
import type { PullRequest } from "../../../core/forge/forge.ts";
import { FirebreakError } from "../../../core/ground/error.ts";
import { liveDigest, planId, type Binding } from "../../../core/review/binding.ts";
import type { LiveWorld, Visibility } from "../../../core/review/review.ts";
import { verdictOf, type Reviewed } from "../../../core/review/reviewed.ts";
import { reviewTitle } from "../../../core/text/review.ts";
import { listOrphans, readOrphans } from "../../orphans.ts";
import { enforcedElsewhere } from "../enforced.ts";
import { valueOf } from "../../workers/value.ts";
import { seenOnce } from "../guardrails.ts";
import { auditPull, nameInForce, type Planned, type PullContext } from "./context.ts";

/**
 * Plans a pull request: its head merged in thought into the branch's, compared with what is in force. Its files are parsed, nothing of
 * it is run, whichever repository it comes from. What was over its budget once is not tried again until head or base is another one.
 *
 * @param isAsked somebody with write access asks for it, now
 */
export async function planPull(
  context: PullContext,
  { number, head, url, author }: PullRequest,
  base: string,
  visibility: Visibility,
  isAsked: boolean,
): Promise<Planned> {
  const reviewed = await reviewOnce(context, { number, head: head.sha, base }, visibility, isAsked);
  const touched = reviewed.kind === "reviewed" && visibility === "full" ? reviewed.review.touched.targets.map(({ id }) => id) : [];
  const binding = { head: head.sha, base, live: await liveOf(context, touched) };
  // With what no author of a pull request knows: nobody makes two heads whose plans have one id.
  const id = planId(number, binding, `${visibility} ${context.instance}`);
  await context.trail.append([
    {
      id: `plan-reviewed-${number}-${id}`,
      type: "plan.reviewed",
      commit: head.sha,
      previousCommit: base,
      plan: id,
      pullRequest: auditPull({ number, url, author }),
      actor: { kind: "system", id: "syncer" },
      reason: reviewTitle(reviewed),
      checks: [{ name: "review", verdict: verdictOf(reviewed) }],
      detail: { visibility },
    },
  ]);
  return { id, visibility, binding, touched, reviewed };
}

/** What a plan of this head would hold for now. */
export async function bindingNow(context: PullContext, head: string, base: string, touched: readonly string[]): Promise<Binding> {
  return { head, base, live: await liveOf(context, touched) };
}

async function liveOf(context: PullContext, touched: readonly string[]): Promise<string> {
  const rows = touched.length === 0 ? [] : await listTargetRows(context.store);
  const live = touched.map((id) => ({ id, observationDigest: rows.find((row) => row.id === id)?.observationDigest ?? null }));
  return liveDigest(nameInForce(context), live);
}

/** A pull request at one head, into one base. */
interface Asked {
  readonly number: number;
  readonly head: string;
  readonly base: string;
}

async function reviewOnce(context: PullContext, asked: Asked, visibility: Visibility, isAsked: boolean): Promise<Reviewed> {
  const { store, log } = context;
  const { number, head, base } = asked;
  const key = `${head} ${base} ${visibility}`;
  const known = await pullRow(store, number);
  if (!isAsked && known?.overBudgetKey === key) return { kind: "unplannable", why: known.overBudgetWhy ?? "too large" };
  try {
    const reviewed = await reviewOfPull(context, asked, visibility);
    if ((known?.overBudgetKey ?? null) !== null) await recordOverBudget(store, number, null);
    return reviewed;
  } catch (error) {
    // Too many files, too large ones, or too much work: the author's to mend.
    if (!(error instanceof FirebreakError) || error.code !== "LIMIT_EXCEEDED") throw error;
    log.warn({ pull: number, head, why: error.message }, "pull request cannot be planned within its budget");
    await recordOverBudget(store, number, { key, why: error.message });
    return { kind: "unplannable", why: error.message };
  }
}

async function reviewOfPull(context: PullContext, { number, head, base }: Asked, visibility: Visibility): Promise<Reviewed> {
  const { repository, signal, settings, inForce, operator, now, workers } = context;
  await repository.fetchPull(number, head, signal);
  const [common, ...others] = await repository.mergeBases(base, head, signal);
  if (common === undefined || others.length > 0) return { kind: "unplannable", why: NO_COMMON };
  const candidate = {
    common: await repository.readDefinitions(common, signal),
    base: await repository.readDefinitions(base, signal),
    head: await repository.readDefinitions(head, signal),
    allow: allowOf(settings),
    before: inForce?.definitions,
    now: now(),
    operator,
    live: visibility === "full" ? await liveWorld(context) : undefined,
  };
  const lane = visibility === "full" ? "writers" : "strangers";
  return valueOf(await workers.run("review", candidate, { lane, signal }), "plan the change");
}

const NO_COMMON = "it and the branch have no single commit in common that they parted at; merge the branch into it";

async function liveWorld(context: PullContext): Promise<LiveWorld> {
  await seenOnce(context);
  return {
    inventories: new Map([...context.clusters.connections()].map(([target, connection]) => [target, connection.inventory()])),
    orphans: await readOrphans(context, await listOrphans(context)),
    enforced: await enforcedElsewhere(context),
    memberships: new Map(context.memberships.known()),
  };
}
