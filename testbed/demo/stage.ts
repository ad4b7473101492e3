/** The stage of the demonstration: the world, and Firebreak running in it. Hosts come first; clusters join when they are built. */
import { mkdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { errorChain } from "../../core/ground/error.ts";
import { buildPart } from "../build.mjs";
import { addMachines, CLUSTERS, exampleFiles, HOSTS, populateCluster, writeSettings } from "../organisation.ts";
import type { GitRemote } from "../git-server.ts";
import type { TestPod } from "../pods.ts";
import { createWorld } from "../world.ts";
import type { DemoWorld } from "./flat-world.ts";
import { startService, type Service } from "./service.ts";
import type { Voice } from "./voice.ts";

const CLUSTERS_FILE = "policies/targets/clusters.yaml";
const HOSTS_FILE = "policies/targets/hosts.yaml";
/** The read-back that the hosts' second key is forced to. */
const READ_BACK = `/bin/sh ${join(import.meta.dirname, "..", "..", "adapters", "nftables", "readback.sh")}`;
/** Looks are close together, so that the tour need not wait; the dead man waits longer than a busy machine needs. */
export const HOST_SETTINGS = { settle: "1s", deadMan: "30s", readEvery: "1s" };

/** What the tour is played on. */
export interface Stage {
  readonly world: DemoWorld;
  /** Where the definitions are. */
  readonly repository: GitRemote;
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
export async function raiseHosts({ folder, voice, signal }: StageOptions): Promise<DemoWorld> {
  const world = await createWorld({
    index: 0,
    folder,
    git: true,
    readCommand: READ_BACK,
    signal,
    log: (line) => voice.aside(line),
  });
  try {
    if (world.run.swept.length > 0) voice.say(`removed what a crashed run had left: ${world.run.swept.join(", ")}`);
    await addMachines(world);
    voice.say(`${HOSTS.length} hosts with sshd and nftables, a mainframe and a Git server are up`);
    return world;
  } catch (error) {
    await world.close();
    throw error;
  }
}

/** Starts Firebreak on a repository with the targets that are up, and waits until they are in sync. */
export async function startFirebreak(world: DemoWorld, { folder, voice, signal }: StageOptions): Promise<Stage> {
  const state = join(folder, "state");
  rmSync(state, { recursive: true, force: true }); // of an earlier run, whose world is gone
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const count = world.hosts.size + world.clusters.size; // clusters may come up meanwhile; they are in another commit then
  const files = exampleFiles(world.plan);
  if (world.clusters.size === 0) delete files[CLUSTERS_FILE];
  if (world.hosts.size === 0) delete files[HOSTS_FILE];
  const commit = await world.git.pushFiles(files, "The sample organisation");
  const later = world.clusters.size === 0 ? "; the clusters join with a commit of their own" : "";
  voice.say(`policies/example is in Git, commit ${commit.slice(0, 10)}${later}`);
  const settingsFile = writeSettings({ world, stateFolder: state, extra: { hosts: HOST_SETTINGS } });
  const logFile = join(state, "firebreak.log");
  const service = await startService({ run: world.run, settingsFile, logFile, signal });
  voice.say(`firebreak up runs: syncer, drift and console in one process; log ${fromHere(logFile)}`);
  try {
    const { targets } = await service.inForce(commit, count);
    voice.say(`revision 1 is applied and read back on ${targets.length} targets`);
    return { world, repository: world.git, service, settingsFile, logFile, voice, signal };
  } catch (error) {
    await service.stop();
    throw error;
  }
}

/** Pods by cluster and `NAMESPACE/NAME`. */
export type Pods = ReadonlyMap<string, ReadonlyMap<string, TestPod>>;

/** The clusters' pods, or why there are none. `withoutPackets` says why they are API objects only. */
export type Clusters = { readonly pods: Pods; readonly withoutPackets: string | undefined } | { readonly missing: string };

/** Builds the clusters' parts (minutes at the first run, with progress), boots the clusters and fills them with pods. */
export async function raiseClusters(
  world: DemoWorld,
  { voice, signal }: Pick<StageOptions, "voice" | "signal">,
): Promise<Clusters> {
  const log = (line: string): void => voice.aside(line);
  const plane = await buildPart("controlplane", { log, signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    return { missing: errorChain(error).join(", because ") }; // a cache that cannot be written, say
  });
  if ("missing" in plane && (process.env["KUBEBUILDER_ASSETS"] ?? "") === "") return plane;
  // One build for both clusters. What is missing is told by the clusters themselves.
  if (world.hosts.size > 0) await buildPart("enforcer", { log, signal });
  const clusters = await allOf(CLUSTERS.map(async (name) => await world.addCluster({ name, packets: "if built" })));
  const pods = new Map<string, ReadonlyMap<string, TestPod>>();
  for (const cluster of clusters) pods.set(cluster.name, await populateCluster(cluster));
  const count = [...pods.values()].reduce((sum, { size }) => sum + size, 0);
  voice.say(`clusters ${CLUSTERS.join(" and ")} are up: etcd, kube-apiserver, controller manager, ${count} pods`);
  return { pods, withoutPackets: clusters.find((cluster) => cluster.withoutPackets !== undefined)?.withoutPackets };
}

/** The commit that puts the clusters under Firebreak; waits until they are in sync. */
export async function joinClusters({ world, service, voice }: Stage): Promise<void> {
  const text = exampleFiles(world.plan)[CLUSTERS_FILE] ?? "";
  const began = performance.now();
  const commit = await world.git.pushFiles({ [CLUSTERS_FILE]: text }, `Clusters ${CLUSTERS.join(" and ")}`);
  voice.say(`the clusters are in Git, commit ${commit.slice(0, 10)}`);
  const { targets } = await service.inForce(commit, world.hosts.size + world.clusters.size);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  voice.say(`all ${targets.length} targets are in sync, ${seconds} s after the push`);
}

/** A path as it is typed from the folder that `npm start` was typed in. */
export function fromHere(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith("..") ? path : short;
}

/** Waits for all before it throws: nothing may still be starting while the world is removed. */
async function allOf<T>(work: readonly Promise<T>[]): Promise<readonly T[]> {
  await Promise.allSettled(work);
  return await Promise.all(work);
}
