/**
 * A world: clusters, hosts and externals, all routed to one another, on one machine.
 *
 *   root namespace (Firebreak, API servers, Git, forge)
 *     │ fbw<index>                    10.200.i.1 ── 10.200.i.2
 *   router ──┬── host …               10.20.i.x     own sshd, nftables
 *            ├── external …           10.9.i.x      known only by address
 *            └── node … ──┬── pod …   10.x.k.y      behind the node's forward hook, where the enforcer sits
 *                         └── pod …
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import pLimit from "p-limit";
import { parsePort } from "./agent/protocol.ts";
import { createClusterDns } from "./cluster-dns.ts";
import { startCluster, type TestCluster } from "./cluster.ts";
import { kubeconfigText } from "./control-plane.ts";
import { startEnforcer, whyNoEnforcer } from "./enforcer.ts";
import { createHostedRepository, type HostedRepository } from "./forge-repository.ts";
import { startForge, type Forge } from "./forge.ts";
import { startGitServer, type GitRemote, type GitServer } from "./git-server.ts";
import { startHost, type TestHost } from "./host.ts";
import { linkWorld, mayMakeNamespaces, overlaps } from "./link.ts";
import { GATEWAY, createNetns, devices, ip, linkLeaf } from "./netns.ts";
import { createNode } from "./nodes.ts";
import { CLUSTERS_PER_WORLD, type AddressPlan } from "./plan.ts";
import { listenOn, place, type Place } from "./probe.ts";
import { openRun, type Run } from "./run.ts";
import { makeSshKeys } from "./ssh-keys.ts";

export interface ClusterSpec {
  readonly name: string;
  /** Default: the plan's ranges for this world's n-th cluster. */
  readonly podRange?: string;
  readonly nodeRange?: string;
  /** Names of its nodes; default ["node-1"]. */
  readonly nodes?: readonly string[];
  /** False: its policies "do not do a thing". Default true. */
  readonly enforcer?: boolean;
  /**
   * What happens when the enforcer cannot be built. "required" (default): an error. "if built": nodes and pods are API objects only,
   * and `withoutPackets` of the cluster says why.
   */
  readonly packets?: "required" | "if built";
  /** False: no kube-dns. Default true. */
  readonly dns?: boolean;
}

export interface HostSpec {
  readonly name: string;
  /** Default: the plan's n-th host. */
  readonly address?: string;
  readonly ports?: readonly string[];
  readonly resolvers?: readonly string[];
}

export interface ExternalSpec {
  readonly name: string;
  /** Default: the plan's n-th external. */
  readonly address?: string;
  readonly ports?: readonly string[];
}

export interface WorldOptions {
  /** Which address plan; default the first free one from 1. 0 is that of policies/example. */
  readonly index?: number;
  /** Where the run's folder goes; default the system's temporary folder. */
  readonly folder?: string;
  readonly clusters?: readonly ClusterSpec[];
  readonly hosts?: readonly HostSpec[];
  readonly externals?: readonly ExternalSpec[];
  readonly git?: boolean;
  /** A forge, with a repository for the definitions on it. */
  readonly forge?: boolean;
  /** What the hosts' read key runs, whatever was asked for. Default "firebreak-readback". */
  readonly readCommand?: string;
  readonly signal?: AbortSignal | undefined;
  readonly log?: (line: string) => void;
}

/** A world that stands. Dispose it and nothing of it is left. */
export interface World extends AsyncDisposable {
  readonly run: Run;
  readonly plan: AddressPlan;
  /** Where hosts and nodes see Firebreak come from. */
  readonly rootAddress: string;
  /** The root namespace, as a place to probe from. */
  readonly root: Place;
  readonly clusters: ReadonlyMap<string, TestCluster>;
  readonly hosts: ReadonlyMap<string, TestHost>;
  readonly externals: ReadonlyMap<string, Place>;
  cluster(name: string): TestCluster;
  host(name: string): TestHost;
  external(name: string): Place;
  addCluster(spec: ClusterSpec): Promise<TestCluster>;
  addHost(spec: HostSpec): Promise<TestHost>;
  addExternal(spec: ExternalSpec): Promise<Place>;
  /** One context per cluster, named as it; both files are written again when a cluster joins. */
  readonly kubeconfig: string;
  readonly readerKubeconfig: string;
  readonly sshKey: string;
  readonly sshReadKey: string;
  readonly knownHosts: string;
  /** Throws when the world was made without. */
  readonly git: GitServer;
  readonly forge: Forge;
  /** Where the definitions are: on the forge, where there is one, else on the Git server. */
  readonly repository: GitRemote;
  /** That on the forge. */
  readonly hosted: HostedRepository;
  close(): Promise<void>;
}

/**
 * Brings a world up; on failure everything that was there already is removed.
 *
 * @example
 * await using world = await createWorld({ clusters: [{ name: "shop-eu" }], hosts: [{ name: "ldap-blue-1", ports: ["636/tcp"] }] });
 * expect(await probe(pod, world.host("ldap-blue-1"), { port: 636 })).toBe("open");
 */
export async function createWorld(options: WorldOptions = {}): Promise<World> {
  if (!mayMakeNamespaces())
    throw new Error("a world needs network namespaces: run as root on Linux (in a container: --privileged)");
  const run = openRun(options.folder === undefined ? {} : { folder: options.folder });
  try {
    return await populate(run, options);
  } catch (error) {
    await run.close();
    throw error;
  }
}

async function populate(run: Run, options: WorldOptions): Promise<World> {
  const { signal } = options;
  const { plan, router } = await linkWorld(run, options.index, signal);
  const keys = await makeSshKeys(run, options.readCommand ?? "firebreak-readback");
  const device = devices("l");
  const clusters = new Map<string, TestCluster>();
  const hosts = new Map<string, TestHost>();
  const externals = new Map<string, Place>();
  const counted = { clusters: 0, hosts: 0, externals: 0 };
  const kubeconfig = join(run.folder, "kubeconfig");
  const readerKubeconfig = join(run.folder, "reader.kubeconfig");
  const writeKubeconfigs = (): void => {
    const entries = [...clusters.values()];
    const options = { mode: 0o600 };
    writeFileSync(kubeconfig, kubeconfigText(entries.map((cluster) => ({ ...cluster, token: cluster.adminToken }))), options);
    writeFileSync(
      readerKubeconfig,
      kubeconfigText(entries.map((cluster) => ({ ...cluster, token: cluster.readerToken }))),
      options,
    );
  };
  writeKubeconfigs();

  const addCluster = async (spec: ClusterSpec): Promise<TestCluster> => {
    const n = counted.clusters++;
    if (n >= CLUSTERS_PER_WORLD) throw new RangeError(`a world has room for ${CLUSTERS_PER_WORLD} clusters`);
    const withoutPackets = spec.packets === "if built" && spec.enforcer !== false ? await whyNoEnforcer(options) : undefined;
    const cluster = await startCluster({
      run,
      name: spec.name,
      address: plan.rootAddress,
      podRange: spec.podRange ?? plan.pods(n),
      nodeRange: spec.nodeRange ?? plan.nodes(n),
      ...(withoutPackets === undefined ? { network: { router, device } } : { withoutPackets }),
      signal,
      ...(options.log === undefined ? {} : { log: options.log }),
    });
    for (const name of spec.nodes ?? ["node-1"]) {
      const node = await createNode(cluster, { name, signal });
      if (spec.enforcer !== false)
        await startEnforcer(cluster, node, { signal, ...(options.log === undefined ? {} : { log: options.log }) });
    }
    if (spec.dns !== false) await createClusterDns(cluster);
    clusters.set(spec.name, cluster);
    writeKubeconfigs();
    return cluster;
  };
  const addHost = async (spec: HostSpec): Promise<TestHost> => {
    const address = spec.address ?? plan.host(counted.hosts++);
    await reach(address, plan, signal);
    const resolvers = spec.resolvers ?? [];
    const host = await startHost({ run, router, device: device(), keys, signal, ...spec, resolvers, address });
    hosts.set(spec.name, host);
    return host;
  };
  const addExternal = async (spec: ExternalSpec): Promise<Place> => {
    const address = spec.address ?? plan.external(counted.externals++);
    const namespace = `${run.id}-external-${spec.name}`;
    await createNetns(namespace, { signal });
    await linkLeaf({ namespace, router, device: device(), address, gateway: GATEWAY.router }, signal);
    const external = place(run, { label: `external ${spec.name}`, address, namespace, isReal: true });
    await listenOn(external, (spec.ports ?? []).map(parsePort));
    externals.set(spec.name, external);
    return external;
  };

  const [git, forge] = await inParallel([
    async () => (options.git === true ? await startGitServer({ run }) : undefined),
    async () => (options.forge === true ? await raiseForge(run, options) : undefined),
    async () => void (await inParallel((options.hosts ?? []).map((spec) => () => addHost(spec)))),
    async () => void (await inParallel((options.externals ?? []).map((spec) => () => addExternal(spec)))),
    async () => void (await inParallel((options.clusters ?? []).map((spec) => () => addCluster(spec)))),
  ] as const);

  return {
    run,
    plan,
    rootAddress: plan.rootAddress,
    root: place(run, { label: "root", address: plan.rootAddress, namespace: undefined, isReal: true }),
    clusters,
    hosts,
    externals,
    cluster: (name) => the(clusters, name, "cluster"),
    host: (name) => the(hosts, name, "host"),
    external: (name) => the(externals, name, "external"),
    addCluster,
    addHost,
    addExternal,
    kubeconfig,
    readerKubeconfig,
    sshKey: keys.applyKey,
    sshReadKey: keys.readKey,
    knownHosts: keys.knownHosts,
    get git() {
      if (git === undefined) throw new Error("this world was made without a Git server");
      return git;
    },
    get forge() {
      if (forge === undefined) throw new Error("this world was made without a forge");
      return forge.forge;
    },
    get repository() {
      const remote = forge?.hosted ?? git;
      if (remote === undefined) throw new Error("this world was made without a repository");
      return remote;
    },
    get hosted() {
      if (forge === undefined) throw new Error("this world was made without a forge");
      return forge.hosted;
    },
    close: () => run.close(),
    [Symbol.asyncDispose]: () => run.close(),
  };
}

async function raiseForge(
  run: Run,
  { signal, log }: WorldOptions,
): Promise<{ readonly forge: Forge; readonly hosted: HostedRepository }> {
  const forge = await startForge({ run, signal, ...(log === undefined ? {} : { log }) });
  return { forge, hosted: await createHostedRepository(run, forge, "network") };
}

/** Runs all, 8 at a time; waits for every one before it throws, so that nothing still starts while the rest is removed. */
async function inParallel<T extends readonly (() => Promise<unknown>)[]>(
  tasks: T,
): Promise<{ [K in keyof T]: Awaited<ReturnType<T[K]>> }> {
  const limit = pLimit(8);
  const results = await Promise.allSettled(tasks.map((task) => limit(task)));
  const failed = results.filter((result) => result.status === "rejected").map((result): unknown => result.reason);
  if (failed.length === 1) throw failed[0];
  if (failed.length > 1) throw new AggregateError(failed, `${failed.length} parts of the world did not come up`);
  // Every result is fulfilled here, in the order of the tasks.
  return results.map((result) => (result as PromiseFulfilledResult<unknown>).value) as {
    [K in keyof T]: Awaited<ReturnType<T[K]>>;
  };
}

/** An address outside the plan needs a route of its own in the root namespace; it goes with the link. */
async function reach(address: string, plan: AddressPlan, signal?: AbortSignal): Promise<void> {
  if (overlaps(plan.hosts, address)) return;
  await ip(undefined, [`route add ${address}/32 via ${plan.worldAddress} dev fbw${plan.index}`], signal);
}

function the<T>(things: ReadonlyMap<string, T>, name: string, kind: string): T {
  const thing = things.get(name);
  if (thing === undefined)
    throw new Error(`this world has no ${kind} "${name}": ${[...things.keys()].join(", ") || "none at all"}`);
  return thing;
}
