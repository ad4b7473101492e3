/** The stage of the demonstration: the world, and Firebreak running in it. Hosts come first; clusters join when they are built. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildPart } from "../build.mjs";
import type { TestCluster } from "../cluster.ts";
import { addMachines, CLUSTERS, exampleFiles, HOSTS, populateCluster, writeSettings } from "../organisation.ts";
import type { TestPod } from "../pods.ts";
import { createWorld, type World } from "../world.ts";
import { startService, type Service } from "./service.ts";
import type { Voice } from "./voice.ts";

/** Where the definitions of the clusters are in the repository. */
const CLUSTERS_FILE = "policies/targets/clusters.yaml";
/** The read-back that the hosts' second key is forced to. */
const READ_BACK = `/bin/sh ${join(import.meta.dirname, "..", "..", "adapters", "nftables", "readback.sh")}`;

/** What the tour is played on. */
export interface Stage {
  readonly world: World;
  readonly service: Service;
  readonly settingsFile: string;
  readonly logFile: string;
  readonly voice: Voice;
  readonly signal: AbortSignal;
}

export interface StageOptions {
  /** The demonstration's folder: `state/` in it is Firebreak's and stays, all else goes. */
  readonly folder: string;
  readonly voice: Voice;
  readonly signal: AbortSignal;
}

/** Hosts, mainframe, Git server. Everything of it goes when the world is disposed. */
export async function raiseHosts({ folder, voice, signal }: StageOptions): Promise<World> {
  const world = await createWorld({
    index: 0,
    folder,
    git: true,
    readCommand: READ_BACK,
    signal,
    log: (line) => voice.aside(line),
  });
  if (world.run.swept.length > 0) voice.say(`removed what a run that crashed had left (${world.run.swept.join(", ")})`);
  await addMachines(world);
  voice.say(`${HOSTS.length} hosts with sshd and nftables, a mainframe and a Git server are up`);
  return world;
}

/** Starts Firebreak on a repository that has everything but the clusters, and waits until the hosts are in sync. */
export async function startFirebreak(world: World, { folder, voice, signal }: StageOptions): Promise<Stage> {
  const state = join(folder, "state");
  rmSync(state, { recursive: true, force: true }); // of an earlier run, whose world is gone
  mkdirSync(state, { mode: 0o700 });
  const files = exampleFiles(world.plan);
  delete files[CLUSTERS_FILE];
  const commit = await world.git.pushFiles(files, "The sample organisation, without its clusters");
  voice.say(`policies/example is in Git, commit ${commit.slice(0, 10)}; the clusters join with a commit of their own`);
  const settingsFile = writeSettings({ world, stateFolder: state });
  const logFile = join(state, "firebreak.log");
  const service = await startService({ run: world.run, settingsFile, logFile, signal });
  voice.say(`firebreak up runs (syncer, drift and console in one process), its log is ${logFile}`);
  await service.inForce(commit, HOSTS.length);
  voice.say(`revision 1 is applied and read back on ${HOSTS.length} hosts`);
  return { world, service, settingsFile, logFile, voice, signal };
}

/** Pods by cluster and `NAMESPACE/NAME`. */
export type Pods = ReadonlyMap<string, ReadonlyMap<string, TestPod>>;

/** The clusters with their pods, or why there are none. `withoutPackets` says why their pods are API objects only. */
export type Clusters = { readonly pods: Pods; readonly withoutPackets: string | undefined } | { readonly missing: string };

/** Builds the clusters' parts (minutes at the first run, with progress), boots the clusters and fills them with pods. */
export async function raiseClusters(world: World, { voice, signal }: Pick<StageOptions, "voice" | "signal">): Promise<Clusters> {
  const log = (line: string): void => voice.aside(line);
  const plane = await buildPart("controlplane", { log, signal });
  if ("missing" in plane && (process.env["KUBEBUILDER_ASSETS"] ?? "") === "") return plane;
  await buildPart("enforcer", { log, signal }); // what is missing is told by the clusters themselves
  const clusters = await allOf(CLUSTERS.map(async (name) => await world.addCluster({ name, packets: "if built" })));
  const pods = new Map<string, ReadonlyMap<string, TestPod>>();
  for (const cluster of clusters) pods.set(cluster.name, await populateCluster(cluster));
  voice.say(`clusters ${CLUSTERS.join(" and ")} are up: etcd, kube-apiserver, controller manager, ${countPods(pods)} pods`);
  return { pods, withoutPackets: reasonOf(clusters) };
}

/** The commit that puts the clusters under Firebreak; waits until they are in sync. */
export async function joinClusters({ world, service, voice }: Stage): Promise<void> {
  const text = exampleFiles(world.plan)[CLUSTERS_FILE] ?? "";
  const commit = await world.git.pushFiles({ [CLUSTERS_FILE]: text }, `Clusters ${CLUSTERS.join(" and ")}`);
  voice.say(`the clusters are in Git, commit ${commit.slice(0, 10)}`);
  const began = performance.now();
  await service.inForce(commit, HOSTS.length + CLUSTERS.length);
  voice.say(
    `all ${HOSTS.length + CLUSTERS.length} targets are in sync, ${((performance.now() - began) / 1000).toFixed(1)} s after the push`,
  );
}

function countPods(pods: Pods): number {
  return [...pods.values()].reduce((sum, { size }) => sum + size, 0);
}

function reasonOf(clusters: readonly TestCluster[]): string | undefined {
  return clusters.find(({ withoutPackets }) => withoutPackets !== undefined)?.withoutPackets;
}

/** Waits for all before it throws: nothing may still be starting while the world is removed. */
async function allOf<T>(work: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(work);
  return await Promise.all(work);
}
