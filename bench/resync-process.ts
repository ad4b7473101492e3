/**
 * One resync by a process that has just started and remembers nothing: definitions from files, the cluster from its API, every spec
 * compared. Prints one line of JSON ({@link ResyncReport}).
 *
 *   node bench/resync-process.ts KUBECONFIG FOLDER
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ClusterConnection } from "../adapters/kubernetes/connection.ts";
import { compileCluster } from "../core/compile/cluster.ts";
import { compareCluster } from "../core/drift/cluster.ts";
import { wantDigest } from "../core/render/digest.ts";
import { renderNetworkPolicies } from "../core/render/networkpolicy.ts";
import { profileOf } from "../core/verdict/profile.ts";
import { INSTANCE_OF_BENCH as INSTANCE, type ResyncReport } from "./resync-report.ts";
import { CLUSTER, definitionsOf } from "./synthetic.ts";

const started = performance.now(); // since the process began
const [kubeconfig = "", folder = ""] = process.argv.slice(2);
const definitions = definitionsOf(readdirSync(folder).map((path) => ({ path, bytes: readFileSync(join(folder, path)) })));
const parsed = performance.now();
await import("@kubernetes/client-node"); // the connection would load it: the way to log in, whatever the kubeconfig says
const loaded = performance.now();

const signal = AbortSignal.timeout(120_000);
await using connection = ClusterConnection.open({
  target: `cluster/${CLUSTER}`,
  source: { kind: "kubeconfig", file: kubeconfig, context: CLUSTER },
  onChange: () => undefined,
});
const [observation] = await Promise.all([connection.readObservation(signal), connection.synced(signal)]);
const listed = performance.now();
const inventory = connection.inventory();
const cluster = definitions.clusters.get(CLUSTER);
if (cluster === undefined) throw new Error(`the definitions name no cluster ${CLUSTER}`);
const { want } = compileCluster({
  definitions,
  cluster,
  namespaces: inventory.namespaces,
  services: inventory.services,
  memberships: new Map(),
});
const expected = renderNetworkPolicies(want, { instance: INSTANCE, sequence: 1, digest: wantDigest(want) });
const compiled = performance.now();
const findings = compareCluster({
  expected,
  observation,
  governed: want.governed,
  inventory,
  cluster,
  definitions,
  instance: INSTANCE,
  profile: profileOf("calico"),
});
const memory = process.memoryUsage();
const report: ResyncReport = {
  objects: observation.policies.length,
  found: findings.map(({ subject }) => subject),
  started,
  parsed,
  loaded,
  listed,
  compiled,
  compared: performance.now(),
  heapBytes: memory.heapUsed,
  rssBytes: memory.rss,
};
console.log(JSON.stringify(report));
