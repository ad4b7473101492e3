import {
  addWork,
  finishRequest,
  listTargetRows,
  resumeHealing,
  subscribe,
  takeRequest,
  targetRow,
  type RequestKind,
  type RequestRow,
} from "../../adapters/store/index.ts";
import pLimit from "p-limit";
import { z } from "zod";
import type { AcceptAnswer, PlanAnswer, ReconcileAnswer } from "../../core/api/shapes.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { noteNotEnforcing } from "../../core/plan/not-enforcing.ts";
import { unknownTarget } from "../../core/model/unknown-name.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import { Bell, runLoop } from "../loop.ts";
import { recordFindings } from "../findings.ts";
import { QUESTION_PATIENCE_MS, QUESTIONS } from "../questions.ts";
import { whyRefused } from "../request-seal.ts";
import { storedError } from "../stored-error.ts";
import { acceptReplaced } from "./accept-replaced.ts";
import { followBranch } from "./branch.ts";
import { answerConnections } from "./connections.ts";
import type { SyncerContext } from "./context.ts";
import { makePlan } from "./planning.ts";
import { approvePlan } from "./pulls/approve-plan.ts";
import { release } from "./release.ts";
import { saveInventory } from "./save-inventory.ts";

const POLL_MS = 1_000;
/** Another syncer may take a request over after this. */
const HOLD_MS = 120_000;

/** What changes something; the others only tell, and their answers lie where their questions were. */
const WRITES: readonly RequestKind[] = ["accept", "approve", "release", "reconcile"];

const OneTarget = z.object({ target: z.string().optional() });
const ReconcileArgs = z.object({ target: z.string().optional(), replaced: z.string().optional() });
const AcceptArgs = z.object({ revision: z.string() });
const ApproveArgs = z.object({ plan: z.string() });
const ReleaseArgs = z.object({ target: z.string(), confirm: z.boolean(), keep: z.boolean(), forget: z.boolean() });

/** Answers what the API asks of the syncer, which alone can look at targets and write to them. */
export async function serveRequests(context: SyncerContext): Promise<void> {
  // Each one after the other, and questions hold up no change, however many they are and however long they take.
  await Promise.all([serveKinds(context, "changes", WRITES), serveKinds(context, "questions", QUESTIONS)]);
}

async function serveKinds(context: SyncerContext, name: string, kinds: readonly RequestKind[]): Promise<void> {
  const { store, log, signal, now } = context;
  const bell = new Bell();
  const unsubscribe = subscribe(store, "requests", () => bell.ring());
  try {
    await runLoop({ name, log, signal, everyMs: () => POLL_MS, bell }, async () => {
      for (;;) {
        if (context.only.whyNot() !== undefined) return;
        const row = await takeRequest(store, kinds, HOLD_MS, now());
        if (row === undefined) return;
        await serve(context, row);
      }
    });
  } finally {
    unsubscribe();
  }
}

async function serve(context: SyncerContext, row: RequestRow): Promise<void> {
  const { store, log, now } = context;
  try {
    await checkAsker(context, row);
    if (!WRITES.includes(row.kind) && now() - row.createdAt > QUESTION_PATIENCE_MS)
      throw new FirebreakError("WAIT_TIMED_OUT", "nobody waits for the answer any more");
    await finishRequest(store, row.id, { result: await answer(context, row) }, now());
  } catch (error) {
    log.info({ request: row.kind, error }, "request refused");
    await finishRequest(store, row.id, { error: storedError(error) }, now());
  }
}

/**
 * What changes something is done only for a row that the API sealed, and once: whoever has the database can write rows and copy them.
 *
 * @throws FirebreakError AUTH_DENIED
 */
async function checkAsker(context: SyncerContext, row: RequestRow): Promise<void> {
  if (!WRITES.includes(row.kind)) return;
  const { requestKey: readKey, served, now, log, trail } = context;
  const why = served.has(row.id) ? "it was served already" : whyRefused(await readKey(), row, now());
  if (why === undefined) {
    served.add(row.id);
    return;
  }
  const message = `the request to ${row.kind} was refused: ${why}`;
  log.error({ request: row.id, kind: row.kind }, "a request that the API did not make was refused");
  const detail = { request: row.id, kind: row.kind, actor: row.actor };
  const id = `request-rejected-${row.id}`.slice(0, 400);
  await trail.append([
    { id, type: "request.rejected", outcome: "denied", error: { code: "AUTH_DENIED", messages: [message] }, detail },
  ]);
  throw new FirebreakError("AUTH_DENIED", message);
}

async function answer(context: SyncerContext, { id, kind, args, actor }: RequestRow): Promise<unknown> {
  switch (kind) {
    case "accept":
      return await accept(context, AcceptArgs.parse(args).revision, actor);
    case "approve":
      return await approvePlan(context, ApproveArgs.parse(args).plan, actor);
    case "release":
      return await release(context, ReleaseArgs.parse(args), actor);
    case "reconcile":
      return await reconcileNow(context, ReconcileArgs.parse(args), actor, id);
    case "plan":
      return await planAll(context, OneTarget.parse(args).target);
    case "inventory":
      return await saveInventory(context);
    case "test":
    case "explain":
    case "reach":
    case "diff":
    case "segments":
      return await answerConnections(context, kind, args);
    default:
      return kind satisfies never;
  }
}

async function accept(context: SyncerContext, commit: string, actor: string): Promise<AcceptAnswer> {
  const outcome = await followBranch(context, { commit, actor });
  if (outcome.kind === "accepted") return { commit, accepted: true, sequence: outcome.sequence, message: `${commit} is in force` };
  if (outcome.kind === "unchanged")
    return { commit, accepted: true, sequence: context.inForce?.sequence ?? null, message: `${commit} was in force already` };
  const first = outcome.problems[0];
  throw new FirebreakError(first?.code ?? "REVISION_INVALID", outcome.problems.map(({ message }) => message).join(" "));
}

async function reconcileNow(
  context: SyncerContext,
  { target, replaced }: z.infer<typeof ReconcileArgs>,
  actor: string,
  request: string,
): Promise<ReconcileAnswer> {
  const { store, queue, now } = context;
  const targets = await targetsAsked(context, target);
  if (replaced !== undefined) {
    if (target?.startsWith("cluster/") !== true)
      throw new FirebreakError("USAGE", "--replaced is said of one cluster: cluster/NAME");
    await acceptReplaced(context, target, replaced, actor);
  }
  await addWork(
    store,
    targets.map((id) => ({ target: id, kind: "person" as const, key: request, detail: { actor } })),
    now(),
  );
  const workspace = context.inForce?.definitions.workspace;
  for (const id of targets) {
    await resumeHealing(store, id);
    if (workspace !== undefined)
      await recordFindings(context, workspace, { id, target: undefined, kinds: ["heal-fight"], findings: [] }, now());
    await queue.enqueue(id);
  }
  return { targets };
}

async function planAll(context: SyncerContext, target: TargetId | undefined): Promise<readonly PlanAnswer[]> {
  const targets = await targetsAsked(context, target);
  const limit = pLimit(context.settings.concurrency);
  return await Promise.all(targets.map((id) => limit(async () => await planOne(context, id))));
}

async function planOne(context: SyncerContext, id: TargetId): Promise<PlanAnswer> {
  try {
    const { resolved, plan, effect, summary, notes, enforcer } = await makePlan(context, id, context.signal);
    const conflicts = plan.conflicts.map(({ subject, detail }) => `${subject}: ${detail}`);
    return {
      target: id,
      mode: resolved.target.mode,
      revision: resolved.sequence,
      steps: summary,
      effect: effect.finding,
      conflicts,
      notes: enforcer === "none" ? [noteNotEnforcing(id), ...notes] : notes,
    };
  } catch (error) {
    const effect = { verdict: "uncertain", opened: [], closed: [] } as const;
    return {
      target: id,
      mode: (await targetRow(context.store, id))?.mode ?? "plan",
      revision: context.inForce?.sequence ?? null,
      error: storedError(error),
      steps: [],
      effect,
      conflicts: [],
      notes: [],
    };
  }
}

async function targetsAsked(context: SyncerContext, target: TargetId | undefined): Promise<readonly TargetId[]> {
  const known = (await listTargetRows(context.store)).map(({ id }) => id);
  if (target === undefined) return known;
  if (!known.includes(target)) throw unknownTarget(target, known);
  return [target];
}
