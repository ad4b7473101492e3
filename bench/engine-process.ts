/** The section `engine`, in a process of its own: `node --expose-gc bench/engine-process.ts`. */
import { compileTarget, type TargetInputs } from "../core/compile/inputs.ts";
import { ClusterEngine } from "../core/engine/cluster-engine.ts";
import { consumersOfCluster } from "../core/engine/consumers.ts";
import { computeMembership } from "../core/membership/compute.ts";
import type { ClusterInventory } from "../core/membership/inventory.ts";
import type { Membership } from "../core/membership/membership.ts";
import { clusterStructure } from "../core/compile/structure.ts";
import { requireEquivalence } from "../core/plan/equivalence.ts";
import { relevantMemberships } from "../core/membership/parts.ts";
import type { Cluster, Definitions, TargetId } from "../core/model/kinds.ts";
import { clusterTargetId, listTargets } from "../core/model/target.ts";
import { clusterOfPod, engineDefinitions, engineInventories, enginePod } from "./engine-world.ts";
import { heapInUse } from "./heap.ts";
import { formatBytes, formatMs, formatRatio, formatTimes, printFigure } from "./report.ts";

const SIZES = [10_000, 30_000, 100_000];
const EVENTS = 2_000;

/** What one size gave; processor time, ms. */
interface Result {
  readonly size: number;
  readonly engine: number;
  readonly scratch: number;
  readonly compile: number;
  readonly event: number;
}

function measure(definitions: Definitions, size: number): Result {
  const inventories = engineInventories(size);
  const started = cpuMs();
  const engines = new Map<TargetId, ClusterEngine>();
  for (const cluster of definitions.clusters.values()) {
    const engine = new ClusterEngine(definitions, cluster, inventoryOf(inventories, cluster));
    engine.take();
    engines.set(clusterTargetId(cluster.name), engine);
  }
  const memberships = membershipsOf(engines);
  const engineMs = cpuMs() - started;
  const compileMs = compileAll(definitions, inventories, memberships);
  const heap = heapInUse();
  const scratchStarted = cpuMs();
  for (const cluster of definitions.clusters.values())
    computeMembership(definitions, cluster, inventoryOf(inventories, cluster), 0);
  const scratchMs = cpuMs() - scratchStarted;
  const checks = checkTimes(definitions, inventories, memberships);
  printFigure(`${size} pods, what was rendered is what was meant`, checks);
  const eventsStarted = cpuMs();
  const events = eventTimes(definitions, engines, size);
  const eventMs = (cpuMs() - eventsStarted) / events.length;
  const publishStarted = cpuMs();
  membershipsOf(engines);
  const publishMs = cpuMs() - publishStarted;
  printFigure(
    `${size} pods, cold`,
    `engines and memberships ${formatMs(engineMs)} · compile of all targets ${formatMs(compileMs)} · together ${formatMs(engineMs + compileMs)} · heap ${formatBytes(heap)}`,
  );
  printFigure(
    `${size} pods, one event, with what changed for whom`,
    `${formatMs(eventMs)} each · by the clock ${formatTimes(events)}`,
  );
  printFigure(`${size} pods, both memberships written after events`, formatMs(publishMs));
  if (engines.size !== inventories.size) throw new Error("kept in use until here, so that the heap counts them");
  return { size, engine: engineMs, scratch: scratchMs, compile: compileMs, event: eventMs };
}

function membershipsOf(engines: ReadonlyMap<TargetId, ClusterEngine>): ReadonlyMap<TargetId, Membership> {
  return new Map([...engines].map(([id, engine]) => [id, engine.membership(true, 0)]));
}

function inventoryOf(inventories: ReadonlyMap<TargetId, ClusterInventory>, cluster: Cluster): ClusterInventory {
  const inventory = inventories.get(clusterTargetId(cluster.name));
  if (inventory === undefined) throw new Error(cluster.name);
  return inventory;
}

function compileAll(
  definitions: Definitions,
  inventories: ReadonlyMap<TargetId, ClusterInventory>,
  memberships: ReadonlyMap<TargetId, Membership>,
): number {
  const operator = { floor: { from: [], ports: [{ kind: "range", protocol: "tcp", from: 22, to: 22 }] }, ownPaths: [] } as const;
  const started = cpuMs();
  for (const target of listTargets(definitions)) {
    const known = relevantMemberships(definitions, target, memberships);
    const inputs: TargetInputs =
      target.kind === "cluster"
        ? {
            kind: "cluster",
            namespaces: inventoryOf(inventories, target.cluster).namespaces,
            services: [],
            cells: Object.fromEntries(
              [...definitions.segments.keys()].map((name) => [`${name}?color`, { cells: [["blue"], ["green"]], isWhole: true }]),
            ),
            memberships: known,
            orphans: [],
            now: 0,
          }
        : { kind: "host", resolvers: [], memberships: known, orphans: [], now: 0 };
    compileTarget(definitions, target, inputs, operator);
  }
  return cpuMs() - started;
}

/** The equivalence check of each cluster and of one host, the first of which makes what all share; how much of it was compared. */
function checkTimes(
  definitions: Definitions,
  inventories: ReadonlyMap<TargetId, ClusterInventory>,
  memberships: ReadonlyMap<TargetId, Membership>,
): string {
  const operator = { floor: { from: [], ports: [] }, ownPaths: [] };
  const targets = listTargets(definitions);
  const asked = [...targets.filter(({ kind }) => kind === "cluster"), ...targets.filter(({ kind }) => kind === "host").slice(0, 1)];
  const times = asked.map((target) => {
    const known = { memberships: relevantMemberships(definitions, target, memberships), orphans: [], now: 0 };
    const inputs: TargetInputs =
      target.kind === "cluster"
        ? { kind: "cluster", ...clusterStructure(definitions, target.cluster, inventoryOf(inventories, target.cluster)), ...known }
        : { kind: "host", resolvers: [], ...known };
    const { want } = compileTarget(definitions, target, inputs, operator);
    const started = cpuMs();
    const notes = requireEquivalence({ definitions, target, want, inputs, operator, inventories });
    return `${target.id} ${formatMs(cpuMs() - started)} ${notes.length === 0 ? "whole" : "in part"}`;
  });
  return times.join(" · ");
}

/** Processor time of this process so far, collection of garbage in other threads included; ms. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** A pod that moves, one that is relabelled, one that is new, one that goes; each with the targets whose sets it changes. */
function eventTimes(definitions: Definitions, engines: ReadonlyMap<TargetId, ClusterEngine>, size: number): readonly number[] {
  const consumers = new Map(
    [...definitions.clusters.values()].map((cluster) => [clusterTargetId(cluster.name), consumersOfCluster(definitions, cluster)]),
  );
  const times: number[] = [];
  let told = 0;
  for (let index = 0; index < EVENTS; index += 1) {
    const number = (index * 37) % size;
    const before = enginePod(number);
    const id = clusterOfPod(number);
    const engine = engines.get(id);
    const started = performance.now();
    if (index % 4 === 0) engine?.apply({ kind: "pod", pod: { ...before, addresses: [`11.0.${index >> 8}.${index & 255}`] } });
    if (index % 4 === 1) engine?.apply({ kind: "pod", pod: { ...before, labels: { ...before.labels, color: "red" } } });
    if (index % 4 === 2)
      engine?.apply({ kind: "pod", pod: { ...before, name: `new-${index}`, addresses: [`11.1.${index >> 8}.${index & 255}`] } });
    if (index % 4 === 3) engine?.apply({ kind: "pod-gone", key: `${before.namespace}/${before.name}` });
    for (const { key } of engine?.take() ?? []) told += consumers.get(id)?.(key).size ?? 0;
    times.push(performance.now() - started);
  }
  if (told === 0) throw new Error("no event changed anything for anybody");
  return times;
}

const definitions = engineDefinitions();
const rules = [...definitions.policies.values()].reduce((sum, policy) => sum + policy.rules.length, 0);
printFigure("organisation", `${definitions.segments.size} segments, ${rules} rules, ${listTargets(definitions).length} targets`);
const results = SIZES.map((size) => measure(definitions, size));
const [first] = results;
for (const { size, engine, scratch, compile, event } of results) {
  if (first === undefined) continue;
  printFigure(
    `${size / first.size}× the pods of ${first.size}`,
    `engine ${formatRatio(engine, first.engine)} · from scratch ${formatRatio(scratch, first.scratch)} · compile ${formatRatio(compile, first.compile)} · event ${formatRatio(event, first.event)} · from scratch is ${formatRatio(scratch, event)} an event`,
  );
}
