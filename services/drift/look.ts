import { recordRead, targetRow, targetsInFlight, type TargetRow } from "../../adapters/store/index.ts";
import { compareCluster } from "../../core/drift/cluster.ts";
import type { Finding, FindingKind } from "../../core/drift/finding.ts";
import { compareHost } from "../../core/drift/host.ts";
import { livingNamespaces } from "../../core/membership/inventory.ts";
import { FirebreakError } from "../../core/model/error.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import { observationDigest } from "../../core/plan/cluster.ts";
import { hostObservationDigest } from "../../core/plan/host.ts";
import { readTable } from "../../core/render/nft-table.ts";
import { renderRuleset } from "../../core/render/nft.ts";
import type { NetworkPolicy } from "../../core/render/networkpolicy-types.ts";
import { renderNetworkPolicies } from "../../core/render/networkpolicy.ts";
import { profileOf } from "../../core/verdict/profile.ts";
import { storedError } from "../stored-error.ts";
import type { DriftContext } from "./context.ts";
import { expectationOf, type Expectation } from "./expected.ts";
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

const CLUSTER_KINDS: readonly FindingKind[] = [
  "modified",
  "deleted",
  "foreign",
  "conflict",
  "unpublished-element",
  "would-un-isolate",
];
const HOST_KINDS: readonly FindingKind[] = [
  "ruleset-changed",
  "table-missing",
  "dormant",
  "foreign-nat",
  "foreign-chain",
  "unpublished-element",
  "conflict",
];

/** Compares what a target enforces now with what Git says at its pointer, and responds to what differs. */
export async function look(context: DriftContext, id: TargetId): Promise<LookOutcome> {
  const { store, log, now } = context;
  const before = await targetRow(store, id);
  if (before === undefined) return "not applied";
  if ((await targetsInFlight(store)).has(id)) return "busy";
  let expectation: Expectation | undefined;
  let seen: Seen;
  try {
    expectation = await expectationOf(context, before);
    if (expectation === undefined) return "not applied";
    seen =
      expectation.target.kind === "cluster" ? await lookAtCluster(context, expectation) : await lookAtHost(context, expectation);
  } catch (error) {
    if (context.signal.aborted) throw error;
    context.failures.set(id, (context.failures.get(id) ?? 0) + 1);
    await recordRead(store, id, { at: now(), ok: false, error: storedError(error) });
    log.debug({ target: id, error }, "look failed");
    return "failed";
  }
  // What fails from here on is our own: a log that takes no entries says nothing about the target.
  if (await wasWritten(context, before)) return "busy";
  await recordRead(store, id, { at: seen.at, ok: true, observationDigest: seen.digest });
  context.failures.delete(id);
  await respond(context, { id, target: before.inGit ? expectation.target : undefined, kinds: seen.kinds, findings: seen.findings });
  return "compared";
}

interface Seen {
  readonly at: number;
  readonly digest: string;
  readonly kinds: readonly FindingKind[];
  readonly findings: readonly Finding[];
}

async function lookAtCluster(context: DriftContext, { target, want, mark, definitions }: Expectation): Promise<Seen> {
  if (target.kind !== "cluster" || want.kind !== "cluster")
    throw new FirebreakError("PLAN_INVARIANT_BROKEN", `${target.id} is no cluster`);
  const connection = context.clusters.connection(target.id);
  await connection.synced(AbortSignal.any([context.signal, AbortSignal.timeout(SYNC_TIMEOUT_MS)]));
  const observation = await connection.readObservation(context.signal);
  const inventory = connection.inventory();
  const row = await targetRow(context.store, target.id);
  // The policies of a namespace that is being deleted, or is gone, vanished with it: nobody's doing.
  const living = new Set(livingNamespaces(inventory.namespaces).map(({ name }) => name));
  const lives = (object: NetworkPolicy): boolean => living.has(object.metadata.namespace);
  const findings = compareCluster({
    expected: renderNetworkPolicies(want, mark).filter(lives),
    observation: { ...observation, policies: observation.policies.filter(({ object }) => lives(object)) },
    governed: want.governed,
    inventory,
    cluster: target.cluster,
    definitions,
    instance: context.instance,
    profile: profileOf(row?.enforcer ?? target.cluster.enforcer),
  });
  return { at: observation.at, digest: observationDigest(observation), kinds: CLUSTER_KINDS, findings };
}

async function lookAtHost(context: DriftContext, { target, want, mark }: Expectation): Promise<Seen> {
  if (target.kind !== "host" || want.kind !== "host") throw new FirebreakError("PLAN_INVARIANT_BROKEN", `${target.id} is no host`);
  const connection = await context.hosts.connection(target);
  const observation = await connection.observe(context.signal);
  if (observation.completeness !== "complete") {
    throw new FirebreakError("INVENTORY_INCOMPLETE", `${target.id} was read back only in part; nothing is concluded from that`);
  }
  // Which generation is in the fence is the writer's business; that there is one, and our mark, is compared.
  const generation = readTable(observation.ruleset)?.generation ?? 1;
  const expected = renderRuleset(want, mark, { generation, phase: "final" });
  const findings = compareHost({ expected, observation });
  return { at: observation.at, digest: hostObservationDigest(observation), kinds: HOST_KINDS, findings };
}

/**
 * True when a run writes to the target now, or changed what should be there since `before` was read: then what was seen may belong to
 * either. A run that found nothing to do is no reason to look again.
 */
async function wasWritten({ store }: DriftContext, before: TargetRow): Promise<boolean> {
  const after = await targetRow(store, before.id);
  if (after === undefined || (await targetsInFlight(store)).has(before.id)) return true;
  const pointer = (row: TargetRow): string => `${row.appliedSequence} ${row.appliedPlan} ${row.generation} ${row.membershipDigest}`;
  return pointer(after) !== pointer(before);
}
