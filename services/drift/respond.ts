import {
  addWork,
  closeWork,
  findingByFingerprint,
  openWork,
  recordHeal,
  stopHealing,
  type FindingsChange,
  type StoredFinding,
} from "../../adapters/store/index.ts";
import { decideResponse, FIGHT_WINDOW_MS } from "../../core/drift/respond.ts";
import type { Finding } from "../../core/finding/finding.ts";
import { fingerprintOf } from "../../core/finding/fingerprint.ts";
import type { Workspace } from "../../core/model/kinds.ts";
import { recordFindings, type Comparison } from "../findings.ts";
import type { DriftContext } from "./context.ts";

/** A finding that is still there this long after its repair was asked for is asked for again: the target may have been away. */
const ASK_AGAIN_MS = 30_000;

/** Records a comparison, logs what changed, tells the channels, and asks the syncer for repairs. */
export async function respond(context: DriftContext, comparison: Comparison): Promise<FindingsChange> {
  const { now, inForce } = context;
  if (inForce === undefined) return { opened: [], updated: [], resolved: [] };
  const { workspace } = inForce.definitions;
  const at = now();
  const change = await recordFindings(context, workspace, comparison, at, context.foreignUpdates);
  for (const finding of change.opened) {
    if (finding.stopped) continue;
    const decision = decideResponse(finding, workspace, comparison.target, finding.healTimes, at);
    if (decision.isFight) await tellFight(context, workspace, comparison, finding);
    if (decision.heal) await heal(context, finding, at);
    else if (decision.healAt !== undefined) context.lookAgain.set(comparison.id, decision.healAt);
  }
  for (const finding of await standing(context, change, comparison.findings)) {
    if (finding.stopped) continue;
    // The newest repair may not have come yet, which is no sign of a fight; those before it that were undone are.
    const settled = decideResponse(finding, workspace, comparison.target, finding.healTimes.slice(0, -1), at);
    if (settled.isFight) await tellFight(context, workspace, comparison, finding);
    const { isFight, heal: isDue, healAt } = decideResponse(finding, workspace, comparison.target, finding.healTimes, at);
    if (isFight && isDue) await heal(context, finding, at);
    else if (healAt !== undefined) context.lookAgain.set(comparison.id, healAt);
    else if (settled.heal && isAskedAgain(context, finding)) await ask(context, finding, at);
  }
  return change;
}

function isAskedAgain({ askedAt, elapsed }: DriftContext, { fingerprint }: StoredFinding): boolean {
  return elapsed() - (askedAt.get(fingerprint) ?? -ASK_AGAIN_MS) >= ASK_AGAIN_MS;
}

/** Findings that were there before and could be repaired. */
async function standing(
  context: DriftContext,
  change: FindingsChange,
  findings: readonly Finding[],
): Promise<readonly StoredFinding[]> {
  const opened = new Set(change.opened.map((finding) => finding.fingerprint));
  const known = findings.filter(({ fingerprint, healable }) => healable && !opened.has(fingerprint));
  const stored = await Promise.all(known.map(async ({ fingerprint }) => await findingByFingerprint(context.store, fingerprint)));
  return stored.filter((finding) => finding !== undefined);
}

async function heal(context: DriftContext, finding: StoredFinding, at: number): Promise<void> {
  await recordHeal(context.store, finding.fingerprint, at, FIGHT_WINDOW_MS);
  await ask(context, finding, at);
}

/** Asks the syncer for a repair. */
async function ask(context: DriftContext, finding: StoredFinding, at: number): Promise<void> {
  const { store, queue, askedAt, elapsed } = context;
  askedAt.set(finding.fingerprint, elapsed());
  const detail = { fingerprint: finding.fingerprint, summary: finding.summary };
  await addWork(store, [{ target: finding.target, kind: "finding", key: finding.fingerprint, detail }], at);
  await queue.enqueue(finding.target);
}

/**
 * Somebody writes it again and again: a finding that says who. What widens is repaired at a growing interval; of the rest there are no more
 * repairs until a person says `firebreak reconcile`.
 */
async function tellFight(
  context: DriftContext,
  workspace: Workspace,
  { id, target }: Comparison,
  finding: StoredFinding,
): Promise<void> {
  const { store, now } = context;
  if (!finding.widens) {
    await stopHealing(store, finding.fingerprint);
    const asked = (await openWork(store, id, now())).filter(({ kind, key }) => kind === "finding" && key === finding.fingerprint);
    await closeWork(store, asked, "a fight: not repaired until a person says so", now());
  }
  const by = finding.who === undefined ? "somebody" : finding.who;
  const what = finding.widens
    ? `it is closed again at a growing interval (15 s to 4 min), and open in between. Find out who writes it`
    : `repairs stopped until firebreak reconcile ${id}`;
  const fight: Finding = {
    ...finding,
    fingerprint: fingerprintOf("heal-fight", id, finding.subject),
    kind: "heal-fight",
    severity: "critical",
    summary: `${by} writes ${finding.subject} again and again: ${what}`,
    healable: false,
  };
  await recordFindings(context, workspace, { id, target, kinds: [], findings: [fight] }, now());
}
