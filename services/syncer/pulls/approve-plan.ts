import { listPullRows, notify, recordHold } from "../../../adapters/store/index.ts";
import type { ApproveAnswer } from "../../../core/api/shapes.ts";
import { FirebreakError } from "../../../core/ground/error.ts";
import { unknownName } from "../../../core/model/unknown-name.ts";
import type { SyncerContext } from "../context.ts";
import { approveHead } from "./approve.ts";
import { logResumed } from "./commands.ts";
import { judgeAgain } from "./context.ts";

/**
 * `firebreak approve PLAN`: a token approves the head that a plan is for, and lifts a hold.
 *
 * @throws FirebreakError NOT_FOUND for a plan that no open pull request shows, CONFLICT when its head has moved since, or the token made the change
 */
export async function approvePlan(context: SyncerContext, plan: string, actor: string): Promise<ApproveAnswer> {
  const { forge, store, facts, signal } = context;
  if (forge === undefined) throw new FirebreakError("USAGE", "firebreak.yaml names no forge, so there are no plans to approve");
  const rows = await listPullRows(store);
  const row = rows.find((each) => each.plan === plan);
  if (row === undefined) {
    const shown = rows.flatMap((each) => each.plan ?? []);
    throw unknownName("plan", plan, shown, "The comment of a pull request shows its id; a new commit has a new one");
  }
  const pull = await forge.readPull(row.number, signal);
  const told = facts.plan(plan);
  if (pull === undefined || pull.head.sha !== row.head || told?.pull !== row.number || told.commit !== row.head)
    throw new FirebreakError("CONFLICT", `plan ${plan} of #${row.number} is stale: the head has moved`);
  const approved = await approveHead({ ...context, forge }, pull, { who: actor, via: "token", id: actor }, plan);
  if (approved === "own")
    throw new FirebreakError("CONFLICT", `${actor} made the change of #${row.number}: an approval by it does not count`);
  const held = row.held ?? facts.hold(row.number);
  if (held !== undefined) {
    await logResumed(context, pull, { kind: "token", id: actor }, `token-${actor}-hold-of-${held.at}`);
    await recordHold(store, row.number, null);
  }
  await notify(store, "pulls", String(row.number));
  judgeAgain(context);
  return { pull: row.number, head: row.head, plan };
}
