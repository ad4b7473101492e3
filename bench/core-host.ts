/** The ruleset of one host whose peers are many addresses: render, plan, and the kernel's part of it. */
import { compileHost } from "../core/compile/host.ts";
import { computeMembership } from "../core/membership/compute.ts";
import { findTarget } from "../core/model/target.ts";
import { planHost } from "../core/plan/host.ts";
import type { HostObservation } from "../core/observed/observation.ts";
import { wantDigest } from "../core/render/digest.ts";
import { renderRuleset } from "../core/render/nft.ts";
import { heapInUse } from "./heap.ts";
import { runProcess } from "./process.ts";
import { formatBytes, formatMs, median, medianTime, printFigure } from "./report.ts";
import { CLUSTER, definitionFiles, definitionsOf, inventoryOf } from "./synthetic.ts";

const RUNS = 3;
const APPS = 100;
const HOST = "host/servers/db-1";

const FLEET = `apiVersion: firebreak.dev/v1alpha1
kind: HostFleet
metadata: {name: servers}
spec:
  mode: apply
  transport: {ssh: {user: root, port: 22}}
  hosts: [{name: db-1, addresses: [192.0.2.1], labels: {role: db}}]
---
apiVersion: firebreak.dev/v1alpha1
kind: Segment
metadata: {name: all-pods}
spec:
  members: [{namespaces: {}}]
---
apiVersion: firebreak.dev/v1alpha1
kind: Segment
metadata: {name: databases}
spec:
  members: [{hosts: {matchLabels: {role: db}}}]
  isolate: {ingress: enforce, egress: off}
---
apiVersion: firebreak.dev/v1alpha1
kind: Policy
metadata: {name: databases}
spec:
  owner: db
  reason: benchmark
  rules: [{from: [all-pods], to: [databases], ports: [5432/tcp]}]
`;

/** Prints two lines per size. */
export async function benchHost(): Promise<void> {
  const definitions = definitionsOf([...definitionFiles(APPS), { path: "fleet.yaml", bytes: Buffer.from(FLEET) }]);
  const cluster = definitions.clusters.get(CLUSTER)!;
  const target = findTarget(definitions, HOST);
  if (target?.kind !== "host") throw new Error(`${HOST} is no host`);
  const floor = { from: [], ports: [{ kind: "range", protocol: "tcp", from: 22, to: 22 }] } as const;
  for (const size of [1_000, 10_000, 100_000]) {
    const { membership } = computeMembership(definitions, cluster, inventoryOf(APPS, size), 0);
    const memberships = new Map([[membership.target, membership]]);
    const compiled = medianTime(RUNS, () => compileHost({ definitions, target, memberships, floor, resolvers: [] }).want);
    const want = compiled.result;
    const mark = { instance: "bench", sequence: 1, digest: wantDigest(want) };
    const rendered = medianTime(RUNS, () => renderRuleset(want, mark, { generation: 1, phase: "final" }));
    const observation = (ruleset: readonly unknown[]): HostObservation => ({
      kind: "host",
      target: HOST,
      completeness: "complete",
      identity: "bench",
      ruleset,
      legacyTables: [],
      addresses: ["192.0.2.1"],
      resolvers: [],
      at: 0,
    });
    const planning = { want, mark, membershipDigest: "", settled: true };
    const first = medianTime(RUNS, () => planHost({ ...planning, observation: observation([]) }));
    const transaction = first.result.steps.at(-1)?.transaction ?? [];
    const text = JSON.stringify({ nftables: transaction });
    const kernel = await loadAndList(text);
    const listed = JSON.parse(kernel.listing) as { readonly nftables: readonly unknown[] }; // the cast: nft's own listing
    const noop = medianTime(RUNS, () => planHost({ ...planning, observation: observation(listed.nftables) }));
    printFigure(
      `host with ${size} peer addresses: ours`,
      [
        `compile ${formatMs(compiled.ms)}`,
        `render ${formatMs(rendered.ms)}`,
        `plan: first ${formatMs(first.ms)}, nothing to do ${formatMs(noop.ms)} (${noop.result.steps.length} steps)`,
        `heap ${formatBytes(heapInUse())}`,
      ].join(" · "),
    );
    printFigure(
      `host with ${size} peer addresses: nft`,
      `${formatBytes(text.length)} of JSON · load ${formatMs(kernel.loadMs)} · list ${formatMs(kernel.listMs)}`,
    );
  }
}

/** Loads a transaction into an empty network namespace and lists it, three times. */
async function loadAndList(text: string): Promise<{ readonly loadMs: number; readonly listMs: number; readonly listing: string }> {
  const script = [
    "t() { date +%s%N; }",
    "cat > /dev/shm/$$.json",
    "a=$(t); nft -j -f /dev/shm/$$.json; b=$(t); rm /dev/shm/$$.json",
    // A hash that is still growing is listed with elements twice and others not at all (seen at 100,000), so it gets a moment.
    "sleep 0.5; c=$(t); nft -s -j list ruleset; d=$(t)",
    'echo; echo "$((b-a)) $((d-c))"',
  ].join("\n");
  const loads: number[] = [];
  const lists: number[] = [];
  let listing = "";
  for (let run = 0; run < RUNS; run++) {
    const { status, stdout, stderr } = await runProcess(["unshare", "-n", "sh", "-ec", script], {}, text);
    if (status !== 0) throw new Error(`nft in a namespace of its own ended with ${status}: ${stderr}`);
    const lines = stdout.trimEnd().split("\n");
    const [load = Number.NaN, list = Number.NaN] = (lines.at(-1) ?? "").split(" ").map((ns) => Number(ns) / 1e6);
    loads.push(load);
    lists.push(list);
    listing = lines.slice(0, -1).join("\n");
  }
  return { loadMs: median(loads), listMs: median(lists), listing };
}
