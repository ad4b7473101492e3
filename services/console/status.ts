import {
  currentRevision,
  listFindings,
  listTargetRows,
  noticeTroubles,
  repositoryState,
  type Revision,
  type StoredFinding,
  type TargetRow,
} from "../../adapters/store/index.ts";
import type { DenialsAnswer, FindingAnswer, RepositoryStatus, StatusAnswer, TargetStatus } from "../../core/api/shapes.ts";
import type { FindingKind } from "../../core/finding/finding.ts";
import { isForbidden, isNotUnderstood, targetState } from "../../core/drift/state.ts";
import { formatPosition, type Note } from "../../core/model/note.ts";
import type { ConsoleParts } from "./main.ts";
import { readGaps, readTroubles } from "./troubles.ts";

/** Kinds that say: live is not what was applied. */
const DRIFT: ReadonlySet<FindingKind> = new Set([
  "modified",
  "deleted",
  "unpublished-element",
  "ruleset-changed",
  "table-missing",
  "dormant",
  "heal-fight",
]);
/** A look may be missed twice before a target is called stale. */
const MISSED_LOOKS = 3;
const GRACE_MS = 30_000;

/** Everything `firebreak status` says, from the store alone: it answers also while the syncer is busy or away. */
export async function readStatus(parts: ConsoleParts): Promise<StatusAnswer> {
  const { store, settings, instance, now } = parts;
  const [revision, repository, rows, findings, troubles, processes, gaps] = await Promise.all([
    currentRevision(store),
    repositoryState(store),
    listTargetRows(store),
    listFindings(store, { open: true, limit: 10_000 }),
    noticeTroubles(store),
    readTroubles(parts),
    readGaps(parts),
  ]);
  // Nobody compares while no drift detector runs: what was seen before vouches for as long as one look of theirs does, and no longer.
  const isBlind = processes.some(({ service, error }) => service === "drift" && error.code === "SERVICE_SILENT");
  const byTarget = Map.groupBy(findings, ({ target }) => target);
  const lookEveryMs = (id: string): number => (id.startsWith("cluster/") ? settings.clusters.readEvery : settings.hosts.readEvery);
  return {
    instance,
    revision: revision === undefined ? null : revisionStatus(revision),
    repository: repositoryStatus(repository),
    targets: rows.map((row) =>
      targetStatus(row, byTarget.get(row.id) ?? [], {
        staleBefore: now() - (isBlind ? 0 : MISSED_LOOKS * lookEveryMs(row.id)) - GRACE_MS,
        settlesAt: settlesAt(row, settings.hosts.settle, now()),
      }),
    ),
    troubles: processes,
    gaps,
    channels: troubles.map(({ channel, dead, deadSince, failing, error }) => ({
      channel,
      refused: dead,
      refusedSince: isoTime(deadSince ?? null),
      failing,
      error: error ?? null,
    })),
  };
}

function revisionStatus({ sequence, commit, subject, acceptedAt, actor }: Revision): StatusAnswer["revision"] {
  return { sequence, commit, subject, actor, acceptedAt: isoTime(acceptedAt) ?? "" };
}

function repositoryStatus({ head, fetchOkAt, error, candidate }: Awaited<ReturnType<typeof repositoryState>>): RepositoryStatus {
  return {
    head,
    fetchedAt: isoTime(fetchOkAt),
    error,
    // The cast: candidates are only ever stored with the notes of a parse.
    refused:
      candidate === null
        ? null
        : { commit: candidate.commit, code: candidate.code, message: candidate.message, notes: candidate.notes as readonly Note[] },
  };
}

/** When a host that is enforced for the first time will be; undefined when none of this is under way. */
function settlesAt({ id, appliedSequence, intent }: TargetRow, settleMs: number, now: number): number | undefined {
  if (!id.startsWith("host/") || appliedSequence !== null || intent === null) return undefined;
  return intent.at + settleMs > now ? intent.at + settleMs : undefined;
}

interface Moments {
  readonly staleBefore: number;
  readonly settlesAt: number | undefined;
}

function targetStatus(row: TargetRow, findings: readonly StoredFinding[], moments: Moments): TargetStatus {
  const isOld = row.lastReadOkAt !== null && row.lastReadOkAt < moments.staleBefore;
  const state = targetState({
    inGit: row.inGit,
    mode: row.mode,
    isReplaced: (row.readError ?? row.lastError)?.code === "TARGET_REPLACED",
    isUnreachable: row.readError !== null && !isNotUnderstood(row.readError) && !isForbidden(row.readError),
    isForbidden: isForbidden(row.readError),
    isNotUnderstood: isNotUnderstood(row.readError),
    // What was read and could not be compared vouches for nothing either.
    isStale: (isOld && moments.settlesAt === undefined) || findings.some(({ kind }) => kind === "not-comparable"),
    hasDrifted: findings.some(({ kind, foreign }) => DRIFT.has(kind) && !foreign),
    applied: row.appliedSequence,
    wanted: row.wantedSequence,
  });
  return {
    target: row.id,
    state,
    mode: row.mode,
    revision: row.appliedSequence,
    wanted: row.wantedSequence,
    segments: row.segments,
    rules: row.rules,
    lastReadAt: isoTime(row.lastReadOkAt),
    openFindings: findings.length,
    wouldDeny: row.denials === null ? null : { connections: row.denials.total, full: row.denials.full },
    error: row.readError ?? row.lastError,
    nextAttemptAt: isoTime(row.nextAttemptAt),
    ...(moments.settlesAt === undefined ? {} : { settlesAt: new Date(moments.settlesAt).toISOString() }),
  };
}

/** A finding as the API tells it. */
export function findingAnswer(finding: StoredFinding): FindingAnswer {
  const { fingerprint, kind, severity, target, subject, summary, effect } = finding;
  return {
    fingerprint,
    kind,
    severity,
    target,
    subject,
    summary,
    effect,
    who: finding.who ?? null,
    at: finding.at === undefined ? null : formatPosition(finding.at),
    firstSeen: isoTime(finding.firstSeen) ?? "",
    lastSeen: isoTime(finding.lastSeen) ?? "",
    resolvedAt: isoTime(finding.resolvedAt ?? null),
    heals: finding.healTimes.length,
    stopped: finding.stopped,
  };
}

function isoTime(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

/** What a target said of connections that enforcing would deny. */
export function denialsAnswer({ id, lastReadOkAt, denials }: TargetRow): DenialsAnswer {
  return { target: id, readAt: isoTime(lastReadOkAt), seen: denials };
}
