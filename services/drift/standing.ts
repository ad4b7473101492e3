import { listProcesses, listTargetRows, repositoryState, type ProcessRow, type TargetRow } from "../../adapters/store/index.ts";
import { NO_EFFECT, type Finding, type FindingKind } from "../../core/finding/finding.ts";
import { fingerprintOf } from "../../core/finding/fingerprint.ts";
import { findAddressClashes, readLiveAddresses, type AddressClash, type LiveAddresses } from "../../core/membership/clashes.ts";
import { formatSet, isEmpty } from "../../core/address/index.ts";
import { boundaryWords, unlistedBoundary } from "../../core/membership/boundary.ts";
import { boundarySides, outsideWords } from "../../core/membership/compute.ts";
import { addressesOutside, claimants } from "../../core/membership/pod-addresses.ts";
import type { Definitions, TargetId } from "../../core/model/kinds.ts";
import type { Note } from "../../core/model/note.ts";
import { findTarget, type Target } from "../../core/model/target.ts";
import { inTurns, mapInTurns } from "../turns.ts";
import type { DriftContext } from "./context.ts";
import { respond } from "./respond.ts";

/** A target that has not taken the revision in force after this long is late. */
const LATE_MS = 2 * 60_000;

/** Clashes of one look that are told with who has the address: each asks every pod. */
const MAX_NAMED_CLASHES = 5;

const KINDS: readonly FindingKind[] = [
  "unreachable",
  "forbidden",
  "not-understood",
  "late",
  "revision-refused",
  "log-away",
  "orphaned",
  "unenforceable-here",
  "not-enforcing",
  "host-is-a-node",
  "address-clash",
  "boundary-address",
  "not-believed",
];

/** Looks at conditions that stand rather than happen: who is away, behind, gone from Git, or cannot enforce at all. */
export async function lookAtStanding(context: DriftContext): Promise<void> {
  const { store, inForce } = context;
  if (inForce === undefined) return;
  const clashes = findAddressClashes(inForce.definitions, await liveOf(context, inForce.definitions));
  const { candidate } = await repositoryState(store);
  const processes = await listProcesses(store);
  const rows = await listTargetRows(store);
  // It concerns all targets, and is told once.
  const home = (rows.find(({ inGit, mode }) => inGit && mode === "apply") ?? rows[0])?.id;
  for (const row of rows) {
    const target = findTarget(inForce.definitions, row.id);
    await respond(context, {
      id: row.id,
      target,
      kinds: KINDS,
      findings: [
        ...standingFindings(context, row, clashes),
        ...(row.id === home ? refusedRevision(row, candidate, inForce.sequence, context.now()) : []),
        ...(row.id === home ? logAway(row, processes, context.now()) : []),
        ...boundaryFindings(context, row, target),
        ...(await podFindings(context, row, target)),
      ],
    });
  }
}

async function liveOf({ clusters }: DriftContext, definitions: Definitions): Promise<ReadonlyMap<TargetId, LiveAddresses>> {
  const live = new Map<TargetId, LiveAddresses>();
  for (const [id, connection] of clusters.connections()) {
    const target = findTarget(definitions, id);
    if (target?.kind === "cluster" && connection.health().everSynced)
      live.set(id, await inTurns(readLiveAddresses(target.cluster, connection.inventory())));
  }
  return live;
}

function standingFindings(context: DriftContext, row: TargetRow, clashes: readonly AddressClash[]): readonly Finding[] {
  const findings: Finding[] = [];
  const told = context.failures.get(row.id)?.told;
  const why = row.readError === null ? "" : `: ${row.readError.message}`;
  const since = isoOf(row.lastReadOkAt);
  if (told === "forbidden") {
    findings.push(standing(row, "forbidden", "high", "target", `answers, and has not let us look since ${since}${why}`));
  } else if (told === "not-understood") {
    const summary = `answers, and was not understood since ${since}; what it enforces is not known${why}`;
    findings.push(standing(row, "not-understood", "high", "target", summary));
  } else if (told === "unreachable") {
    findings.push(standing(row, "unreachable", "high", "target", `not reached since ${since}${why}`));
  }
  if (!row.inGit) {
    const since = row.orphanedAtSequence ?? 0;
    const summary = `gone from Git since revision ${since}; it stays enforced. firebreak release ${row.id} lets it go`;
    findings.push(standing(row, "orphaned", "medium", "target", summary));
  }
  if (row.inGit && row.mode === "apply" && told === undefined && isLate(row, context.now())) {
    const why = row.lastError === null ? "" : `: ${row.lastError.message}`;
    findings.push(
      standing(row, "late", "high", "revision", `revision ${row.wantedSequence} is not applied since ${isoOf(row.wantedAt)}${why}`),
    );
  }
  if (row.enforcer === "none") {
    const summary =
      "nothing enforces NetworkPolicy there: the policies will not do a thing. Install a network plugin that does, or name it in the Cluster (`enforcer: calico`)";
    findings.push(standing(row, "not-enforcing", "high", "enforcer", summary));
  }
  findings.push(...unenforceable(row), ...clashFindings(context, row, clashes));
  return findings;
}

/** A commit that is refused for a moment (its approval is being read) is nobody's alarm. */
const REFUSED_MS = 10_000;

/** The branch has a commit that does not come into force: what people merged is not what is enforced. */
function refusedRevision(
  row: TargetRow,
  candidate: Awaited<ReturnType<typeof repositoryState>>["candidate"],
  inForce: number,
  now: number,
): readonly Finding[] {
  if (candidate === null || candidate.code === "GUARDRAIL_UNSEEN" || now - candidate.at < REFUSED_MS) return [];
  const { commit, code, message } = candidate;
  const summary = `commit ${commit.slice(0, 10)} of the branch is refused (${code}), so revision ${inForce} stays in force: ${message}`;
  return [standing(row, "revision-refused", "high", `commit ${commit}`, summary)];
}

/** A disk that refuses is told soon, one that only is slow when it lasts: a machine that is busy for a moment is nobody's alarm. */
const LOG_AWAY_MS = 5_000;
const LOG_SLOW_MS = 2 * 60_000;

/** Nothing is written anywhere that cannot be logged: until whoever holds the log says that it takes entries again, also when he is silent. */
function logAway(row: TargetRow, processes: readonly ProcessRow[], now: number): readonly Finding[] {
  const trouble = processes.flatMap(({ troubles }) => troubles).find(({ need }) => need === "log");
  const patienceMs = trouble?.isSlow === true ? LOG_SLOW_MS : LOG_AWAY_MS;
  if (trouble === undefined || now - trouble.since < patienceMs) return [];
  const summary =
    "the audit log takes no entries, so nothing is applied or repaired anywhere. Is its disk full, read-only, or slow? Make room, make it writable, or give it a faster one; then it goes on by " +
    `itself (${trouble.error.code}: ${trouble.error.message})`;
  return [standing(row, "log-away", "high", "audit log", summary)];
}

function isLate(row: TargetRow, now: number): boolean {
  return row.wantedSequence !== null && row.appliedSequence !== row.wantedSequence && now - (row.wantedAt ?? now) > LATE_MS;
}

/** What the compiler said cannot be enforced at this target, each with its line. */
function unenforceable(row: TargetRow): readonly Finding[] {
  // The cast: the column is only ever written with the notes of a compilation.
  const notes = (row.notes as readonly Note[]).filter(({ code }) => code === "unenforceable-here" || code === "same-too-many");
  return notes.map((note) => ({ ...standing(row, "unenforceable-here", "medium", note.summary, note.summary), at: note.at }));
}

function clashFindings(context: DriftContext, row: TargetRow, clashes: readonly AddressClash[]): readonly Finding[] {
  const named = new Set(clashes.slice(0, MAX_NAMED_CLASHES));
  return clashes
    .filter(({ targets }) => targets[0] === row.id)
    .map((clash) => {
      if (clash.kind === "host-is-a-node" && context.seen.node(row.id)?.isBelieved === false) return unbelievedNode(row, clash);
      const who = clash.kind === "address-clash" && named.has(clash) ? claimantsOf(context, clash) : [];
      const summary = who.length === 0 ? clash.summary : `${clash.summary} (${who.join(", ")})`;
      return standing(row, clash.kind, "high", `with ${clash.targets[1]}`, summary);
    });
}

/** A cluster's word that a host is its node, which the host itself does not bear out: it is written and healed as before. */
function unbelievedNode(row: TargetRow, { targets, addresses }: AddressClash): Finding {
  const summary =
    `${targets[1]} has a node with the address ${formatSet(addresses)} of ${row.id}, which shows no sign of being one (no kubelet, no rules of a ` +
    "cluster's network): that is not believed, the host is written as before, and the address joins no further set. Look who is root there";
  return standing(row, "not-believed", "high", `a node of ${targets[1]}`, summary);
}

/** Who says that the address is his, as far as clusters tell. */
function claimantsOf({ clusters, inForce }: DriftContext, { targets, addresses }: AddressClash): readonly string[] {
  return [...new Set(targets)].flatMap((id) => {
    const connection = clusters.connections().get(id);
    const target = inForce === undefined ? undefined : findTarget(inForce.definitions, id);
    return target?.kind === "cluster" && connection !== undefined
      ? claimants(target.cluster, connection.inventory(), addresses)
      : [];
  });
}

/** Addresses that joined the boundary because the cluster says so: nobody reviewed them. */
function boundaryFindings({ clusters, inForce }: DriftContext, row: TargetRow, target: Target | undefined): readonly Finding[] {
  const connection = clusters.connections().get(row.id);
  if (target?.kind !== "cluster" || connection?.health().everSynced !== true) return [];
  if (inForce === undefined || !boundarySides(inForce.definitions, target.cluster).includes("ingress")) return [];
  const unlisted = unlistedBoundary(target.cluster, connection.services().services);
  if (isEmpty(unlisted.addresses)) return [];
  const summary = `${boundaryWords(target.cluster, unlisted)}; list it in boundaries.ingress.addresses if it is meant`;
  return [{ ...standing(row, "boundary-address", "low", "boundary ingress", summary), at: target.cluster.at }];
}

/** Some 2 ms. */
const PODS_AT_ONCE = 2_000;

/** Pods of which not everything is believed: an address outside the declared ranges, more labels than are read. */
async function podFindings({ clusters }: DriftContext, row: TargetRow, target: Target | undefined): Promise<readonly Finding[]> {
  const connection = clusters.connections().get(row.id);
  if (target?.kind !== "cluster" || connection?.health().everSynced !== true) return [];
  const { pods } = connection.inventory();
  const { cluster } = target;
  const parts = Array.from({ length: Math.ceil(pods.length / PODS_AT_ONCE) }, (_, at) => at * PODS_AT_ONCE);
  const found = await mapInTurns(parts, (at) => addressesOutside(cluster, pods.slice(at, at + PODS_AT_ONCE)));
  const outside = {
    named: found.flatMap(({ named }) => named).slice(0, 5),
    count: found.reduce((sum, { count }) => sum + count, 0),
  };
  const unread = pods.filter(({ notUnderstood }) => notUnderstood === true).map(({ namespace, name }) => `${namespace}/${name}`);
  const told = (subject: string, summary: string): Finding => ({
    ...standing(row, "not-believed", "high", subject, summary),
    at: target.cluster.at,
  });
  const more = unread.length > 5 ? ` and ${unread.length - 5} more` : "";
  return [
    ...(outside.count === 0 ? [] : [told("pod addresses", outsideWords(target.cluster, outside))]),
    ...(unread.length === 0
      ? []
      : [told("pod labels", `${unread.slice(0, 5).join(", ")}${more}: more labels than are read, so they are in no set`)]),
  ];
}

function standing(row: TargetRow, kind: FindingKind, severity: Finding["severity"], subject: string, summary: string): Finding {
  return {
    fingerprint: fingerprintOf(kind, row.id, subject),
    kind,
    target: row.id,
    subject,
    severity,
    summary,
    effect: NO_EFFECT,
    who: undefined,
    at: undefined,
    healable: false,
    widens: false,
    foreign: false,
  };
}

function isoOf(at: number | null): string {
  return at === null ? "the start" : new Date(at).toISOString();
}
