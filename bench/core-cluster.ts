/** Membership, compile, render and plan of one cluster of 1,000 applications, over its number of pods. */
import { compileCluster } from "../core/compile/cluster.ts";
import { computeMembership } from "../core/membership/compute.ts";
import { planCluster } from "../core/plan/cluster.ts";
import type { ClusterObservation } from "../core/observed/observation.ts";
import { wantDigest } from "../core/render/digest.ts";
import { renderNetworkPolicies } from "../core/render/networkpolicy.ts";
import { heapInUse } from "./heap.ts";
import { formatBytes, formatMs, medianTime, printFigure } from "./report.ts";
import { CLUSTER, definitionFiles, definitionsOf, inventoryOf } from "./synthetic.ts";

const APPS = 1000;
const RUNS = 3;

/** Prints one line per size. */
export function benchCluster(): void {
  const definitions = definitionsOf(definitionFiles(APPS));
  const cluster = definitions.clusters.get(CLUSTER)!;
  for (const size of [1_000, 10_000, 100_000]) {
    const empty = heapInUse();
    const inventory = inventoryOf(APPS, size);
    const held = heapInUse() - empty;
    const { namespaces, services, pods } = inventory;
    const membership = medianTime(RUNS, () => computeMembership(definitions, cluster, inventory, 0).membership);
    const memberships = new Map([[membership.result.target, membership.result]]);
    const compiled = medianTime(RUNS, () => compileCluster({ definitions, cluster, namespaces, services, memberships }).want);
    const want = compiled.result;
    const mark = { instance: "bench", sequence: 1, digest: wantDigest(want) };
    const rendered = medianTime(RUNS, () => renderNetworkPolicies(want, mark));
    const observation: ClusterObservation = {
      kind: "cluster",
      target: want.target,
      completeness: "complete",
      uid: "bench",
      at: 0,
      policies: rendered.result.map((object) => ({ object, manager: "firebreak", managedAt: undefined })),
    };
    const planning = { want, mark, pods, membershipDigest: "" };
    const noop = medianTime(RUNS, () => planCluster({ ...planning, observation }));
    const first = medianTime(1, () => planCluster({ ...planning, observation: { ...observation, policies: [] } }));
    printFigure(
      `${size} pods, ${want.objects.length} policies`,
      [
        `membership ${formatMs(membership.ms)}`,
        `compile ${formatMs(compiled.ms)}`,
        `render ${formatMs(rendered.ms)}`,
        `plan: nothing to do ${formatMs(noop.ms)} (${noop.result.steps.length} steps), first ${formatMs(first.ms)} (${first.result.steps.length})`,
        `inventory ${formatBytes(held)}, all ${formatBytes(heapInUse())}`,
      ].join(" · "),
    );
    if (pods.length !== size || memberships.size !== 1) throw new Error("kept in use until here, so that the heap counts them");
  }
}
