import { recordRead, targetRow, targetsInFlight, type TargetRow } from "../../adapters/store/index.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import { findTarget } from "../../core/model/target.ts";
import { failedAgain } from "../../core/drift/failing.ts";
import { denialsOf, type Denials } from "../../core/observed/denials.ts";
import { hostObservationDigest } from "../../core/plan/host.ts";
import { judgeNodeClaim } from "../../core/plan/node-claim.ts";
import { storedError } from "../stored-error.ts";
import { withAdoptions } from "./adopt.ts";
import type { DriftContext } from "./context.ts";
import type { Look } from "../compare.ts";
import { digestInTurns } from "../digest.ts";
import { expectationOf, intendedOf, type Expectation } from "../expected.ts";
import { isAhead, liveMarks } from "../live-mark.ts";
import { findIn } from "../looks.ts";
import { refuseReplaced } from "../replaced.ts";
import { respond } from "./respond.ts";

/** What a look at a target came to. */
export type LookOutcome =
  /** Compared; findings are recorded. */
  | "compared"
  /** The syncer writes to it right now, or did while we looked: what differs is no drift yet. Look again soon. */
  | "busy"
  /** Never applied: there is nothing to compare with. */
  | "not applied"
  /** It did not answer, or not wholly; what was known of it stays. */
  | "failed";

/** How long a look waits for the first picture of a cluster's workloads: without it no effect can be told. */
const SYNC_TIMEOUT_MS = 10_000;

/** So many looks in a row may find the target busy; the next one compares with every state that the writer may have left. */
export const MAX_BUSY_LOOKS = 8;

/**
 * Compares what a target enforces now with what Git says at its pointer, and responds to what differs.
 *
 * While an apply has not told how it ended, only what parts from both its ends is told.
 *
 * @param busyLooks looks before this one, in a row, that found it busy: who keeps a target busy must not keep it from being looked at
 */
export async function look(context: DriftContext, id: TargetId, busyLooks = 0): Promise<LookOutcome> {
  const { store, log, now } = context;
  const before = await targetRow(store, id);
  if (before === undefined) return "not applied";
  // Just started: which clusters to watch is not known yet, and one that nobody watches is not away.
  if (context.inForce === undefined) return "busy";
  const mayWait = busyLooks < MAX_BUSY_LOOKS;
  if (mayWait && (await targetsInFlight(store)).has(id)) return "busy";
  let states: Expectations;
  try {
    const expectation = await expectationOf(context, before);
    if (expectation === undefined) return "not applied";
    const intended = await intendedOf(context, before);
    states = intended === undefined ? [expectation] : [expectation, intended];
    context.lacking.delete(id);
  } catch (error) {
    if (context.signal.aborted) throw error;
    // Git is away and there is no copy of the commit: that is told as such, and says nothing about the target.
    context.lacking.set(id, storedError(error));
    return "failed";
  }
  let observed: Observed;
  try {
    const [expectation] = states;
    observed =
      expectation.target.kind === "cluster" ? await readCluster(context, expectation) : await readHost(context, expectation);
  } catch (error) {
    if (context.signal.aborted) throw error;
    const stored = storedError(error);
    context.failures.set(id, failedAgain(context.failures.get(id), stored));
    await recordRead(store, id, { at: now(), ok: false, error: stored });
    log.debug({ target: id, error }, "look failed");
    return "failed";
  }
  // What fails from here on is our own: a log that takes no entries says nothing about the target.
  const after = await writtenMeanwhile(context, before);
  if (after !== undefined) {
    if (mayWait) return "busy";
    const later = [await expectationOf(context, after), await intendedOf(context, after)];
    states = [...states, ...later.filter((state) => state !== undefined)];
  }
  await recordRead(store, id, { at: observed.at, ok: true, observationDigest: observed.digest, denials: observed.denials });
  const ahead = isAhead(observed.sequences, before);
  if (!ahead) context.aheadSince.set(id, -Infinity);
  if (ahead && mayCatchUp(context, id)) return "busy";
  // Back again: work that waits for it is tried now, and not when its back-off has run out.
  if (context.failures.delete(id)) await context.queue.enqueue(id);
  // What may be written and what is done about a finding is said by the revision in force, not by the one that was applied.
  const target = context.inForce === undefined ? undefined : findTarget(context.inForce.definitions, id);
  const seen = observed.lookAt(states);
  const found = await findIn(context, seen, context.looked);
  const findings = await withAdoptions(context, states[0].definitions, target, found.findings, seen);
  await respond(context, { id, target, kinds: found.kinds, findings });
  return "compared";
}

/** How long the syncer may take to bring a target forward that is ahead of the store. */
const CATCH_UP_MS = 60_000;

/**
 * True for a while when a target carries a newer revision than the store knows of at the first look at it: a backup was restored, and what
 * differs from it is nobody's doing. A target that was once seen not to be ahead has no such while: somebody raised its mark.
 */
function mayCatchUp({ aheadSince, elapsed }: DriftContext, id: TargetId): boolean {
  const since = aheadSince.get(id) ?? elapsed();
  aheadSince.set(id, since);
  return elapsed() - since < CATCH_UP_MS;
}

type Expectations = readonly [Expectation, ...Expectation[]];

/** What a target answered, and how to compare it. */
interface Observed {
  /** The revisions that are live there. */
  readonly sequences: readonly number[];
  readonly at: number;
  readonly digest: string;
  /** Of a host: null where nothing observes. */
  readonly denials?: Denials | null;
  readonly lookAt: (states: Expectations) => Look;
}

async function readCluster(context: DriftContext, expectation: Expectation): Promise<Observed> {
  const { id } = expectation.target;
  const connection = context.clusters.connection(id);
  await connection.synced(AbortSignal.any([context.signal, AbortSignal.timeout(SYNC_TIMEOUT_MS)]));
  const observation = await connection.readObservation(context.signal);
  const row = await targetRow(context.store, id);
  refuseReplaced(id, row?.identity, observation.uid);
  const enforcer = row?.enforcer ?? undefined;
  const digest = await digestInTurns(observation);
  context.seen.set(id, observation, digest, { enforcer });
  const lookAt = (states: Expectations): Look => {
    return { kind: "cluster", states, observation, inventory: connection.inventory(), enforcer };
  };
  const sequences = liveMarks(observation, context.instance).map(({ sequence }) => sequence);
  return { at: observation.at, sequences, digest, lookAt };
}

async function readHost(context: DriftContext, expectation: Expectation): Promise<Observed> {
  const { target } = expectation;
  if (target.kind !== "host") throw new FirebreakError("PLAN_INVARIANT_BROKEN", `${target.id} is no host`);
  const connection = await context.hosts.connection(target);
  const observation = await connection.observe(context.signal);
  if (observation.completeness !== "complete") {
    throw new FirebreakError("INVENTORY_INCOMPLETE", `${target.id} was read back only in part; nothing is concluded from that`);
  }
  const { resolvers, timeServers = [] } = observation;
  const digest = hostObservationDigest(observation);
  // Only what was applied once is looked at.
  const node = judgeNodeClaim(observation, true);
  context.seen.set(target.id, observation, digest, { host: { resolvers, timeServers }, node });
  const sequences = liveMarks(observation, context.instance).map(({ sequence }) => sequence);
  const denials = denialsOf(observation, context.inForce?.definitions) ?? null;
  return { at: observation.at, sequences, digest, denials, lookAt: (states) => ({ kind: "host", states, observation }) };
}

/**
 * The row as it is now, when a run writes to the target, or began to, or changed what should be there since `before` was read: then what
 * was seen may belong to either. A run that found nothing to do is no reason to look again.
 */
async function writtenMeanwhile({ store }: DriftContext, before: TargetRow): Promise<TargetRow | undefined> {
  const inFlight = await targetsInFlight(store);
  const after = await targetRow(store, before.id);
  if (after === undefined) return before;
  const pointer = (row: TargetRow): string =>
    `${row.appliedSequence} ${row.appliedPlan} ${row.generation} ${row.membershipDigest} ${row.intent?.plan} ${row.intent?.at}`;
  return inFlight.has(before.id) || pointer(after) !== pointer(before) ? after : undefined;
}
