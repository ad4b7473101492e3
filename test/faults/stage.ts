/** The world that faults are tried in: built once, made new for every schedule. */
import { join } from "node:path";
import { createNamespace, type TestCluster } from "../../testbed/cluster.ts";
import { createPod, deletePod, type TestPod } from "../../testbed/pods.ts";
import { startPostgres, type TestPostgres } from "../../testbed/postgres.ts";
import { listenOn, type Place } from "../../testbed/probe.ts";
import { startRedis, type TestRedis } from "../../testbed/redis.ts";
import { createWorld, type World } from "../../testbed/world.ts";
import { command } from "../../testbed/command.ts";
import { waitFor } from "../../testbed/wait.ts";
import { CLUSTER, CONTROL_PORT, EXTERNALS, filesOf, FIRST_CHOICE, HOSTS, PODS, PORTS } from "./definitions.ts";

const NAMESPACE = "app";
const READ_COMMAND = `/bin/sh ${join(import.meta.dirname, "../../adapters/nftables/readback.sh")}`;

export interface Stage extends AsyncDisposable {
  readonly world: World;
  readonly hasCluster: boolean;
  readonly cluster: TestCluster | undefined;
  /** Only on a stage for three processes. */
  readonly servers: { readonly redis: TestRedis; readonly postgres: TestPostgres } | undefined;
  /** Who has a network namespace to probe from or to. */
  place(name: string): Place;
  /** Nothing of the last schedule is left: no ruleset, no session, no policy, no commit, no pod. @returns the first commit */
  renew(): Promise<string>;
  /** Pods beside {@link PODS}, API objects only: members of segment `web` with addresses of their own. */
  readonly extraPods: TestPod[];
}

export interface StageOptions {
  readonly hasCluster: boolean;
  readonly hasServers: boolean;
  readonly signal?: AbortSignal;
}

/** Builds it; about 3 s, 12 s with a cluster. */
export async function openStage({ hasCluster, hasServers, signal }: StageOptions): Promise<Stage> {
  const ports = PORTS.map((port) => `${port}/tcp`);
  const world = await createWorld({
    git: true,
    readCommand: READ_COMMAND,
    hosts: HOSTS.map((name) => ({ name, ports })),
    externals: EXTERNALS.map((name) => ({ name, ports: [`${CONTROL_PORT}/tcp`] })),
    clusters: hasCluster ? [{ name: CLUSTER }] : [],
    signal,
  });
  try {
    const cluster = hasCluster ? world.cluster(CLUSTER) : undefined;
    if (cluster !== undefined) await populate(cluster);
    const servers = hasServers
      ? { redis: await startRedis({ run: world.run }), postgres: await startPostgres({ run: world.run }) }
      : undefined;
    return stageOf(world, cluster, servers);
  } catch (error) {
    await world.close();
    throw error;
  }
}

function stageOf(world: World, cluster: TestCluster | undefined, servers: Stage["servers"]): Stage {
  const hasCluster = cluster !== undefined;
  const extraPods: TestPod[] = [];
  const place = (name: string): Place => {
    const pod = cluster?.pods.get(`${NAMESPACE}/${name}`);
    return pod ?? world.hosts.get(name) ?? world.external(name);
  };
  const addressOf = (name: string): string => place(name).address;
  return {
    world,
    hasCluster,
    cluster,
    servers,
    place,
    extraPods,
    async renew() {
      for (const pod of extraPods.splice(0)) if (cluster !== undefined) await deletePod(cluster, pod);
      for (const host of world.hosts.values()) {
        await host.exec("nft flush ruleset");
        // A connection that a killed process shared lives on for a minute: it would be found at the end of the next schedule.
        await host.stopSshd();
        await host.startSshd();
      }
      if (cluster !== undefined) await removePolicies(cluster);
      if (servers !== undefined) await command(["redis-cli", "-p", String(servers.redis.port), "flushall"]);
      return await world.git.forcePush(filesOf(FIRST_CHOICE, { plan: world.plan, addressOf, hasCluster }), "the first commit");
    },
    [Symbol.asyncDispose]: async () => await world.close(),
  };
}

async function populate(cluster: TestCluster): Promise<void> {
  await createNamespace(cluster, NAMESPACE, { team: "app" });
  for (const name of PODS) {
    const pod = await createPod(cluster, {
      namespace: NAMESPACE,
      name,
      labels: { app: name },
      ports: name === "db" ? PORTS.map((port) => `${port}/tcp`) : [],
    });
    if (name !== "db") await listenOn(pod, [{ port: CONTROL_PORT, protocol: "tcp" }]);
  }
}

/** One more member of segment `web`, without packets: only its address counts. */
export async function addPod(stage: Stage, name: string): Promise<void> {
  if (stage.cluster === undefined) return;
  stage.extraPods.push(await createPod(stage.cluster, { namespace: NAMESPACE, name, labels: { app: "web" }, packets: false }));
}

async function removePolicies(cluster: TestCluster): Promise<void> {
  const path = `/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/networkpolicies`;
  await cluster.api.call("DELETE", path);
  const isEmpty = async (): Promise<boolean> =>
    ((await cluster.api.get(path)) as unknown as { items: unknown[] }).items.length === 0;
  await waitFor(isEmpty, { what: "no policy is left", timeoutMs: 20_000 });
}
