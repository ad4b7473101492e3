import { upsertFindings, type EntriesOf, type FindingsChange, type StoredFinding } from "../adapters/store/index.ts";
import type { EntryInput } from "../core/audit/entry.ts";
import type { Finding, FindingKind } from "../core/finding/finding.ts";
import { outletsOf } from "../core/drift/respond.ts";
import type { TargetId, Workspace } from "../core/model/kinds.ts";
import type { Target } from "../core/model/target.ts";
import type { ForeignUpdates } from "./foreign-updates.ts";
import type { Parts } from "./parts.ts";

/** One comparison of one target and what it could have found. */
export interface Comparison {
  readonly id: TargetId;
  /** Undefined when Git names it no more. */
  readonly target: Target | undefined;
  readonly kinds: readonly FindingKind[];
  readonly findings: readonly Finding[];
}

/**
 * Stores a comparison, and in the same transaction what follows from it: messages to the channels in the outbox, entries for the log in
 * the table that the log's holder takes over. A crash leaves all of it or nothing.
 *
 * @param updates bounds what the log is told of other people's policies
 */
export async function recordFindings(
  parts: Pick<Parts, "store" | "settings">,
  workspace: Workspace,
  { id, target, kinds, findings }: Comparison,
  at: number,
  updates?: ForeignUpdates,
): Promise<FindingsChange> {
  const channels = channelsFor(parts, workspace, target, findings);
  return await upsertFindings(parts.store, {
    target: id,
    kinds,
    findings,
    channels,
    now: at,
    entriesOf: findingEntries(at, updates),
  });
}

/** Who is told: the log always, and the outlets that firebreak.yaml has set up. Routes choose later among channels. */
function channelsFor(
  { settings }: Pick<Parts, "settings">,
  workspace: Workspace,
  target: Target | undefined,
  findings: readonly Finding[],
): readonly string[] {
  // A fight is recorded by itself, so what one of them asks for is asked for all.
  const kinds: readonly FindingKind[] = findings.length === 0 ? ["modified"] : findings.map(({ kind }) => kind);
  const outlets = kinds.map((kind) => outletsOf(kind, workspace, target));
  const channels = ["log"];
  if (outlets.some(({ alert }) => alert) && Object.keys(settings.channels).length > 0) channels.push("alert");
  if (outlets.some(({ issue }) => issue) && settings.forge !== undefined) channels.push("issue");
  if (outlets.some(({ propose }) => propose) && settings.forge !== undefined) channels.push("proposal");
  return channels;
}

/** What the log is told of a change. */
export function findingEntries(at: number, updates?: ForeignUpdates): EntriesOf {
  const time = new Date(at).toISOString();
  return (change) => entriesOf(change, at, updates).map((entry) => ({ id: entry.id, input: { ...entry, time } }));
}

function entriesOf(change: FindingsChange, at: number, updates: ForeignUpdates | undefined): readonly EntryInput[] {
  const { told, untold } = updates?.choose(change.updated, at) ?? { told: change.updated, untold: 0 };
  return [
    ...change.opened.map((finding) => findingEntry("finding.opened", finding, at)),
    ...told.map((finding, index) => findingEntry("finding.updated", finding, at, index === 0 ? untold : 0)),
    ...change.resolved.map((finding) => findingEntry("finding.resolved", finding, at)),
    ...change.opened.filter(isAway).map((finding) => reachEntry("target.unreachable", finding)),
    ...change.resolved.filter(isAway).map((finding) => reachEntry("target.recovered", finding)),
  ];
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
  untold = 0,
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
    detail: {
      verdict: finding.effect.verdict,
      opened: [...finding.effect.opened],
      closed: [...finding.effect.closed],
      ...(untold === 0 ? {} : { untold, means: "so many more updates of other people's policies here have no entry of their own" }),
    },
  };
}
