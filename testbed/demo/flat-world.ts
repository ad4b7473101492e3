/** What of the world needs no rights: a Git server and clusters whose nodes and pods are API objects only. No hosts, no packets. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startCluster, type TestCluster } from "../cluster.ts";
import { kubeconfigText } from "../control-plane.ts";
import { startGitServer } from "../git-server.ts";
import { createNode } from "../nodes.ts";
import { addressPlan } from "../plan.ts";
import { openRun } from "../run.ts";
import type { World } from "../world.ts";

/** The parts of a world that the demonstration uses. */
export type DemoWorld = Pick<
  World,
  | "run"
  | "plan"
  | "rootAddress"
  | "clusters"
  | "hosts"
  | "cluster"
  | "host"
  | "external"
  | "addCluster"
  | "kubeconfig"
  | "readerKubeconfig"
  | "sshKey"
  | "sshReadKey"
  | "git"
  | "repository"
  | typeof Symbol.asyncDispose
>;

/** Brings it up; everything of it goes when it is disposed. */
export async function createFlatWorld({
  folder,
  why,
  signal,
}: {
  readonly folder: string;
  /** Why there are no packets. */
  readonly why: string;
  readonly signal: AbortSignal;
}): Promise<DemoWorld> {
  const run = openRun({ folder });
  const plan = addressPlan(0);
  const clusters = new Map<string, TestCluster>();
  const kubeconfig = join(run.folder, "kubeconfig");
  const readerKubeconfig = join(run.folder, "reader.kubeconfig");
  const write = (file: string, token: (cluster: TestCluster) => string): void => {
    const entries = [...clusters.values()].map((cluster) => ({ ...cluster, token: token(cluster) }));
    writeFileSync(file, kubeconfigText(entries), { mode: 0o600 });
  };
  const none = (name: string): never => {
    throw new Error(`there is no ${name}: ${why}`);
  };
  let count = 0;
  try {
    const git = await startGitServer({ run });
    return {
      run,
      plan,
      rootAddress: "127.0.0.1",
      clusters,
      hosts: new Map(),
      cluster: (name) => clusters.get(name) ?? none(name),
      host: none,
      external: none,
      async addCluster({ name }) {
        const n = count++;
        const ranges = { podRange: plan.pods(n), nodeRange: plan.nodes(n) };
        const cluster = await startCluster({ run, name, ...ranges, withoutPackets: why, signal });
        await createNode(cluster, { name: "node-1", signal });
        clusters.set(name, cluster);
        write(kubeconfig, ({ adminToken }) => adminToken);
        write(readerKubeconfig, ({ readerToken }) => readerToken);
        return cluster;
      },
      kubeconfig,
      readerKubeconfig,
      sshKey: join(run.folder, "no-key"),
      sshReadKey: join(run.folder, "no-key"),
      git,
      repository: git,
      [Symbol.asyncDispose]: run.close,
    };
  } catch (error) {
    await run.close();
    throw error;
  }
}
