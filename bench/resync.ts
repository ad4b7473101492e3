/** A no-op resync of a whole cluster by a new process, beside `kubectl diff --server-side` of the same objects. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import pLimit from "p-limit";
import { ClusterConnection } from "../adapters/kubernetes/connection.ts";
import { compileCluster } from "../core/compile/cluster.ts";
import { planCluster } from "../core/plan/cluster.ts";
import { wantDigest } from "../core/render/digest.ts";
import { renderNetworkPolicies } from "../core/render/networkpolicy.ts";
import type { NetworkPolicy } from "../core/render/networkpolicy-types.ts";
import { buildPart } from "../testbed/build.mjs";
import { createNamespace, startCluster, type TestCluster } from "../testbed/cluster.ts";
import { openRun } from "../testbed/run.ts";
import { runProcess, type FinishedProcess } from "./process.ts";
import { formatBytes, formatMs, formatRatio, median, printFigure, printTitle, timed } from "./report.ts";
import { INSTANCE_OF_BENCH, type ResyncReport } from "./resync-report.ts";
import { CLUSTER, definitionFiles, definitionsOf, namespaceNames } from "./synthetic.ts";

const SIZES = [100, 300, 1000];
const RUNS = 3;
const POLICIES = "/apis/networking.k8s.io/v1";

/** Prints the section; kubectl is built the first time (about a minute). */
export async function benchResync(): Promise<void> {
  printTitle(
    "Resync: a new process compares every policy of one cluster with Git; one object was opened, one default deny was opened",
    [
      `Firebreak: start of Node to finding, median of ${RUNS}; its five watches list pods, nodes, namespaces and services too`,
      "list: policies, and by its watches pods, nodes, namespaces and services; with rights to read only",
      "kubectl diff --server-side: one run for each line; the API server is warm for both",
    ],
  );
  const kubectl = await buildPart("kubectl");
  await using run = openRun();
  await using cluster = await startCluster({ run, name: CLUSTER });
  const made = new Set<string>();
  for (const size of SIZES) {
    const folder = run.makeFolder(`definitions-${size}`);
    for (const { path, bytes } of definitionFiles(size)) writeFileSync(join(folder, path), bytes);
    const objects = await applyAll(cluster, size, made);
    const manifests = join(run.makeFolder("manifests"), `${size}.json`);
    writeFileSync(manifests, JSON.stringify({ apiVersion: "v1", kind: "List", items: objects.expected }));
    printFigure(`${size} policies: applied by us, in the plan's order, 16 at a time`, formatMs(objects.ms));

    const opened = await openTwo(cluster, objects.expected);
    const ours = await runOurs(cluster, folder, size, opened);
    if ("missing" in kubectl) printFigure(`${size} policies: kubectl`, `left out: ${kubectl.missing}`);
    else {
      for (const options of size === 1000 ? [[], ["--concurrency=16"]] : [[]]) {
        await runKubectl({ binary: kubectl.binary, cluster, manifests, options, ours, opened, size });
      }
    }
    await closeAgain(cluster, objects.expected, opened);
  }
}

/** Brings the cluster to `size` policies the way the syncer does: observe, plan, apply each step. */
async function applyAll(
  cluster: TestCluster,
  size: number,
  made: Set<string>,
): Promise<{ readonly ms: number; readonly expected: readonly NetworkPolicy[] }> {
  for (const name of namespaceNames(size)) {
    if (!made.has(name)) await createNamespace(cluster, name);
    made.add(name);
  }
  const definitions = definitionsOf(definitionFiles(size));
  const definition = definitions.clusters.get(CLUSTER)!;
  const signal = AbortSignal.timeout(120_000);
  const target = `cluster/${CLUSTER}`;
  await using connection = ClusterConnection.open({
    target,
    source: { kind: "kubeconfig", file: cluster.kubeconfig, context: CLUSTER },
    onChange: () => undefined,
  });
  await connection.synced(signal);
  const { namespaces, services, pods } = connection.inventory();
  const { want } = compileCluster({ definitions, cluster: definition, namespaces, services, memberships: new Map() });
  const mark = { instance: INSTANCE_OF_BENCH, sequence: 1, digest: wantDigest(want) };
  const { ms } = await timed(async () => {
    const plan = planCluster({ want, mark, observation: await connection.readObservation(signal), pods, membershipDigest: "" });
    const limit = pLimit(16);
    await Promise.all(plan.steps.map((step) => limit(async () => await connection.apply(step, signal))));
  });
  return { ms, expected: renderNetworkPolicies(want, mark) };
}

/** Opens one object with rules and one default deny for everyone, as `kubectl edit` would; returns their names. */
async function openTwo(cluster: TestCluster, expected: readonly NetworkPolicy[]): Promise<readonly string[]> {
  const withRules = expected.find(({ spec }) => (spec.ingress ?? []).length > 0);
  const denyAll = expected.find(({ spec }) => spec.ingress?.length === 0);
  const chosen = [withRules, denyAll].filter((object) => object !== undefined);
  for (const object of chosen)
    await cluster.api.call("PATCH", `${pathOf(object)}?fieldManager=kubectl-edit`, { spec: { ingress: [{}] } });
  return chosen.map(({ metadata }) => metadata.name);
}

async function closeAgain(cluster: TestCluster, expected: readonly NetworkPolicy[], opened: readonly string[]): Promise<void> {
  for (const object of expected.filter(({ metadata }) => opened.includes(metadata.name))) {
    await cluster.api.call("PATCH", `${pathOf(object)}?fieldManager=firebreak`, { spec: { ingress: object.spec.ingress } });
  }
}

/** Times of ours that kubectl's are held against, ms. */
interface Ours {
  /** Start of Node to finding. */
  readonly whole: number;
  /** From the first request to finding: list, compile, compare. */
  readonly resync: number;
}

async function runOurs(cluster: TestCluster, folder: string, size: number, opened: readonly string[]): Promise<Ours> {
  const file = new URL("./resync-process.ts", import.meta.url);
  const runs: { readonly process: FinishedProcess; readonly report: ResyncReport }[] = [];
  for (let run = 0; run < RUNS; run++) {
    const process_ = await runProcess([process.execPath, file.pathname, cluster.readerKubeconfig, folder]);
    if (process_.status !== 0) throw new Error(`resync of ${size} ended with ${process_.status}: ${process_.stderr}`);
    runs.push({ process: process_, report: JSON.parse(process_.stdout) as ResyncReport }); // the cast: its own output
  }
  const of = (part: (report: ResyncReport) => number): number => median(runs.map(({ report }) => part(report)));
  const ours: Ours = { whole: median(runs.map((run) => run.process.ms)), resync: of(({ compared, loaded }) => compared - loaded) };
  const found = runs.at(-1)?.report.found ?? [];
  const right = opened.filter((name) => found.some((subject) => subject.endsWith(`/${name}`)));
  const verdict = `found ${right.length} of ${opened.length}, ${found.length - right.length} others`;
  printFigure(`${size} policies: Firebreak, list + compile + compare`, `${formatMs(ours.resync)} (${verdict})`);
  const parts = [
    `list ${formatMs(of(({ listed, loaded }) => listed - loaded))}`,
    `compile + render ${formatMs(of(({ compiled, listed }) => compiled - listed))}`,
    `compare + effect ${formatMs(of(({ compared, compiled }) => compared - compiled))}`,
  ];
  printFigure("", parts.join(" · "));
  printFigure(
    `${size} policies: Firebreak, whole process`,
    `${formatMs(ours.whole)}, ${formatMs(median(runs.map((run) => run.process.cpuMs)))} of CPU`,
  );
  const before = [
    `Node and imports ${formatMs(of(({ started }) => started))}`,
    `definitions parsed ${formatMs(of(({ parsed, started }) => parsed - started))}`,
    `log-in library ${formatMs(of(({ loaded, parsed }) => loaded - parsed))}`,
    `heap ${formatBytes(of(({ heapBytes }) => heapBytes))}, RSS ${formatBytes(of(({ rssBytes }) => rssBytes))}`,
  ];
  printFigure("", before.join(" · "));
  return ours;
}

interface KubectlRun {
  readonly binary: string;
  readonly cluster: TestCluster;
  readonly manifests: string;
  readonly options: readonly string[];
  readonly ours: Ours;
  readonly opened: readonly string[];
  readonly size: number;
}

async function runKubectl({ binary, cluster, manifests, options, ours, opened, size }: KubectlRun): Promise<void> {
  const flags = ["--kubeconfig", cluster.kubeconfig, "diff", "--server-side", "--force-conflicts", "--field-manager=firebreak"];
  const home = join(cluster.run.folder, "kubectl-home"); // its discovery cache: cold only in the very first run
  mkdirSync(home, { recursive: true });
  const { ms, cpuMs, status, stdout, stderr } = await runProcess([binary, ...flags, ...options, "-f", manifests], { HOME: home });
  if (status !== 0 && status !== 1) throw new Error(`kubectl diff ended with ${status}: ${stderr.slice(0, 2000)}`);
  const found = opened.filter((name) => stdout.includes(name));
  const label = ["kubectl diff --server-side", ...options].join(" ");
  const ratios = `${formatRatio(ms, ours.resync)} the resync, ${formatRatio(ms, ours.whole)} the whole process`;
  const verdict = `found ${found.length} of ${opened.length}`;
  printFigure(`${size} policies: ${label}`, `${formatMs(ms)}, ${formatMs(cpuMs)} of CPU (${verdict}) = ${ratios}`);
}

function pathOf({ metadata }: NetworkPolicy): string {
  return `${POLICIES}/namespaces/${metadata.namespace}/networkpolicies/${metadata.name}`;
}
