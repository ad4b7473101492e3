/** What one changed policy opens, over the number of pods; beside asking about every pair of pods one by one. */
import { compileCluster } from "../core/compile/cluster.ts";
import { worldOf } from "../core/plan/world.ts";
import { wantDigest } from "../core/render/digest.ts";
import { renderNetworkPolicies } from "../core/render/networkpolicy.ts";
import { connectivityDiff } from "../core/verdict/effect.ts";
import type { World } from "../core/verdict/world.ts";
import { naiveAllows } from "../test/core/verdict/naive.ts";
import { heapInUse } from "./heap.ts";
import { formatBytes, formatMs, formatRatio, medianTime, printFigure } from "./report.ts";
import { CLUSTER, definitionFiles, definitionsOf, inventoryOf } from "./synthetic.ts";

const APPS = 1000;
const RUNS = 3;
/** Pods of the baseline: its time grows with their square. */
const NAIVE_PODS = 200;

/** Prints one line per size. */
export function benchVerdict(): void {
  const baseline = worldsOf(200, NAIVE_PODS);
  const naive = medianTime(1, () => naiveOpened(baseline.before, baseline.after));
  const same = medianTime(RUNS, () => connectivityDiff(baseline.before, baseline.after));
  printFigure(
    `${NAIVE_PODS} pods, 200 policies, one opened: every pair of pods, one port, one by one`,
    `${formatMs(naive.ms)} (${naive.result} pairs); ours ${formatMs(same.ms)} (${same.result.openedCount} pairs, all ports) = ${formatRatio(naive.ms, same.ms)}`,
  );
  for (const size of [1_000, 10_000, 100_000]) {
    const { before, after } = worldsOf(APPS, size);
    const { ms, result } = medianTime(RUNS, () => connectivityDiff(before, after));
    printFigure(
      `${size} pods, ${before.policies.length} policies, one opened: what opens`,
      `${formatMs(ms)} (${result.openedCount} pairs, ${result.opened.length} lines) · heap ${formatBytes(heapInUse())}`,
    );
  }
}

/** A cluster, and the same with one policy opened to everyone. */
function worldsOf(apps: number, pods: number): { readonly before: World; readonly after: World } {
  const definitions = definitionsOf(definitionFiles(apps));
  const inventory = inventoryOf(apps, pods);
  const { want } = compileCluster({
    definitions,
    cluster: definitions.clusters.get(CLUSTER)!,
    namespaces: inventory.namespaces,
    services: [],
    memberships: new Map(),
  });
  const policies = renderNetworkPolicies(want, { instance: "bench", sequence: 1, digest: wantDigest(want) });
  const opened = policies.map((policy, index) => (index === 5 ? { ...policy, spec: { ...policy.spec, ingress: [{}] } } : policy));
  const { namespaces, pods: workloads } = worldOf(inventory);
  const world = { namespaces, pods: workloads };
  return { before: { ...world, policies }, after: { ...world, policies: opened } };
}

function naiveOpened(before: World, after: World): number {
  let opened = 0;
  for (const from of before.pods) {
    for (const to of before.pods) {
      const probe = { from, to, protocol: "TCP", port: 8080 } as const;
      if (from !== to && !naiveAllows(before, probe) && naiveAllows(after, probe)) opened++;
    }
  }
  return opened;
}
