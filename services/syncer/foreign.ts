import { listFindings } from "../../adapters/store/index.ts";
import type { Finding, FindingKind } from "../../core/finding/finding.ts";
import type { Cluster } from "../../core/model/kinds.ts";
import { clusterTargetId } from "../../core/model/target.ts";
import { objectKey, ownMark } from "../../core/plan/cluster-live.ts";
import type { ClusterObservation, LivePolicy } from "../../core/observed/observation.ts";
import type { Look } from "../compare.ts";
import { findIn } from "../looks.ts";
import type { SyncerContext } from "./context.ts";
import { isWritten } from "./seals.ts";

const KINDS: readonly FindingKind[] = ["foreign", "conflict"];

/** A look at a cluster. */
type ClusterLook = Extract<Look, { readonly kind: "cluster" }>;

/**
 * `NAMESPACE/NAME` of policies of another hand that go, where the cluster's definition has them removed (`foreign: remove`).
 *
 * The drift detector says which ones to look at, so that each was told before it goes. What it says is not believed: whoever may write findings
 * would choose what goes. That an object widens is worked out here once more, and also whose it is: one that carries our mark, and that
 * Firebreak never wrote, is nobody's but who marked it.
 *
 * @param lookAt the look that is compared; only asked for when there is something to compare
 */
export async function foreignToRemove(
  context: SyncerContext,
  cluster: Cluster,
  { policies }: ClusterObservation,
  lookAt: () => Promise<ClusterLook>,
): Promise<ReadonlySet<string>> {
  if (cluster.foreign !== "remove") return new Set();
  const target = clusterTargetId(cluster.name);
  const told = await listFindings(context.store, { open: true, target, kinds: KINDS, widens: true, limit: 10_000 });
  const named = new Set(told.map(keyOf));
  const isOthers = (live: LivePolicy): boolean =>
    ownMark(live, context.instance) === undefined || !isWritten(context, target, live.object);
  const asked = new Set(policies.filter(isOthers).map(({ object }) => objectKey(object)));
  if (![...asked].some((key) => named.has(key))) return new Set();
  const { findings } = await findIn(context, await lookAt());
  const widening = findings.filter(({ kind, widens }) => KINDS.includes(kind) && widens).map(keyOf);
  return new Set(widening.filter((key) => named.has(key) && asked.has(key)));
}

function keyOf({ subject }: Pick<Finding, "subject">): string {
  return subject.replace(/^networkpolicy /, "");
}
