import {
  addWork,
  findingByFingerprint,
  recordHeal,
  stopHealing,
  upsertFindings,
  type FindingsChange,
  type StoredFinding,
} from "../../adapters/store/index.ts";
import type { EntryInput } from "../../core/audit/entry.ts";
import { decideResponse, FIGHT_WINDOW_MS, responsesFor } from "../../core/drift/respond.ts";
import type { Finding, FindingKind } from "../../core/drift/finding.ts";
import { fingerprintOf } from "../../core/drift/fingerprint.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import type { Target } from "../../core/model/target.ts";
import type { DriftContext } from "./context.ts";

/** A finding that is still there this long after its last repair is repaired again. */
const HEAL_AGAIN_MS = 30_000;

/** One comparison of one target and what it could have found. */
export interface Comparison {
  readonly id: TargetId;
  /** Undefined when Git names it no more. */
  readonly target: Target | undefined;
  readonly kinds: readonly FindingKind[];
  readonly findings: readonly Finding[];
}

/** Records a comparison, logs what changed, tells the channels, and asks the syncer for repairs. */
export async function respond(context: DriftContext, comparison: Comparison): Promise<FindingsChange> {
  const { store, now, inForce } = context;
  if (inForce === undefined) return { opened: [], updated: [], resolved: [] };
  const { workspace } = inForce.definitions;
  const { id, target, kinds, findings } = comparison;
  const at = now();
  const change = await upsertFindings(store, { target: id, kinds, findings, channels: channelsFor(context, target), now: at });
  await logChange(context, change, at);
  const open = await healCandidates(context, change, findings);
  for (const finding of open) {
    const decision = decideResponse(finding, workspace, target, finding.healTimes, at);
    if (decision.heal && !finding.stopped) await heal(context, finding, at);
    if (decision.notHealedBecause === "fight" && !finding.stopped) await stopFight(context, comparison, finding);
  }
  return change;
}

/** Who is told: the log always, and whatever the Workspace lists for the target and firebreak.yaml has set up. */
function channelsFor({ settings, inForce }: DriftContext, target: Target | undefined): readonly string[] {
  const workspace = inForce?.definitions.workspace;
  if (workspace === undefined) return ["log"];
  const listed = target === undefined ? workspace.drift.default : responsesFor(workspace, target);
  const channels = ["log"];
  if (listed.includes("alert") && settings.alerts.webhook !== undefined) channels.push("webhook");
  if (listed.includes("issue") && settings.forge !== undefined) channels.push("issue");
  return channels;
}

/** What was just opened, and what is still there although its repair is a while ago. */
async function healCandidates(
  context: DriftContext,
  change: FindingsChange,
  findings: readonly Finding[],
): Promise<readonly StoredFinding[]> {
  const opened = new Set(change.opened.map((finding) => finding.fingerprint));
  const standing: StoredFinding[] = [];
  for (const finding of findings) {
    if (opened.has(finding.fingerprint) || !finding.healable) continue;
    const stored = await findingByFingerprint(context.store, finding.fingerprint);
    if (stored !== undefined && context.now() - (stored.healTimes.at(-1) ?? 0) >= HEAL_AGAIN_MS) standing.push(stored);
  }
  return [...change.opened, ...standing];
}

async function heal(context: DriftContext, finding: StoredFinding, at: number): Promise<void> {
  const { store, queue } = context;
  await recordHeal(store, finding.fingerprint, at, FIGHT_WINDOW_MS);
  const detail = { fingerprint: finding.fingerprint, summary: finding.summary };
  await addWork(store, [{ target: finding.target, kind: "finding", key: finding.fingerprint, detail }], at);
  await queue.enqueue(finding.target);
}

/** Somebody writes it again and again: no more repairs until a person says `firebreak reconcile`, and a finding that says who. */
async function stopFight(context: DriftContext, { id, target }: Comparison, finding: StoredFinding): Promise<void> {
  await stopHealing(context.store, finding.fingerprint);
  const by = finding.who === undefined ? "somebody" : finding.who;
  const fight: Finding = {
    ...finding,
    fingerprint: fingerprintOf("heal-fight", id, finding.subject),
    kind: "heal-fight",
    severity: "critical",
    summary: `${by} writes ${finding.subject} again and again: repairs stopped until firebreak reconcile ${id}`,
    healable: false,
  };
  await upsertFindings(context.store, {
    target: id,
    kinds: [],
    findings: [fight],
    channels: channelsFor(context, target),
    now: context.now(),
  });
}

async function logChange(context: DriftContext, change: FindingsChange, at: number): Promise<void> {
  const entries = [
    ...change.opened.map((finding) => findingEntry("finding.opened", finding, at)),
    ...change.updated.map((finding) => findingEntry("finding.updated", finding, at)),
    ...change.resolved.map((finding) => findingEntry("finding.resolved", finding, at)),
    ...change.opened.filter(isAway).map((finding) => reachEntry("target.unreachable", finding)),
    ...change.resolved.filter(isAway).map((finding) => reachEntry("target.recovered", finding)),
  ];
  if (entries.length > 0) await context.trail.append(entries);
}

function isAway({ kind }: StoredFinding): boolean {
  return kind === "unreachable";
}

/** Coverage is a question of its own for auditors: since when, and until when, was a target not seen? */
function reachEntry(type: "target.unreachable" | "target.recovered", finding: StoredFinding): EntryInput {
  const id = `${type}-${finding.fingerprint}-${finding.openedCount}-${finding.firstSeen}`;
  return { id, type, target: auditTarget(finding.target), detail: { summary: finding.summary } };
}

function auditTarget(id: TargetId): { readonly kind: "cluster" | "host"; readonly id: TargetId } {
  return { kind: id.startsWith("cluster/") ? "cluster" : "host", id };
}

function findingEntry(
  type: "finding.opened" | "finding.updated" | "finding.resolved",
  finding: StoredFinding,
  at: number,
): EntryInput {
  return {
    id: `${type}-${finding.fingerprint}-${finding.openedCount}-${type === "finding.updated" ? at : finding.firstSeen}`,
    type,
    target: auditTarget(finding.target),
    finding: {
      fingerprint: finding.fingerprint,
      kind: finding.kind,
      summary: finding.summary,
      severity: finding.severity,
      object: finding.subject,
      firstSeen: new Date(finding.firstSeen).toISOString(),
      lastSeen: new Date(finding.lastSeen).toISOString(),
      ...(finding.who === undefined ? {} : { manager: finding.who }),
    },
    detail: { verdict: finding.effect.verdict, opened: [...finding.effect.opened], closed: [...finding.effect.closed] },
  };
}
