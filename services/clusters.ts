import { ClusterConnection, type ClusterChange } from "../adapters/kubernetes/connection.ts";
import type { CredentialSource } from "../adapters/kubernetes/credentials.ts";
import { FirebreakError } from "../core/ground/error.ts";
import type { Cluster, TargetId } from "../core/model/kinds.ts";
import { clusterTargetId } from "../core/model/target.ts";
import type { NotReady } from "./service.ts";

export interface ClusterPoolOptions {
  readonly kubeconfig: string | undefined;
  readonly onChange: (target: TargetId, change: ClusterChange) => void;
}

interface Entry {
  readonly source: string;
  readonly connection: ClusterConnection;
}

/** One connection per cluster that the definitions name, opened on demand and closed when the cluster goes or changes its context. */
export class ClusterPool implements AsyncDisposable {
  readonly #options: ClusterPoolOptions;
  readonly #entries = new Map<TargetId, Entry>();
  #updating: Promise<void> = Promise.resolve();

  constructor(options: ClusterPoolOptions) {
    this.#options = options;
  }

  /**
   * Opens what is new and closes what is gone. Opening does not wait for the cluster, nor for its context: what is wrong there is an
   * error of every read until somebody mends it.
   *
   * @returns what could not be opened, and why (firebreak.yaml has no kubeconfig); the others are open
   */
  async update(clusters: readonly Cluster[]): Promise<ReadonlyMap<TargetId, FirebreakError>> {
    const update = this.#updating.then(() => this.#update(clusters));
    this.#updating = update.then(
      () => undefined,
      () => undefined, // told to whoever asked for it; the next update is another matter
    );
    return await update;
  }

  /** @throws FirebreakError CLUSTER_UNREACHABLE when the cluster is not open */
  connection(target: TargetId): ClusterConnection {
    const entry = this.#entries.get(target);
    if (entry === undefined)
      throw new FirebreakError("CLUSTER_UNREACHABLE", `${target} has no connection: look at its context in the kubeconfig`);
    return entry.connection;
  }

  /** Open connections by target. */
  connections(): ReadonlyMap<TargetId, ClusterConnection> {
    return new Map([...this.#entries].map(([target, entry]) => [target, entry.connection]));
  }

  /** Which watches are stale, as /readyz tells it; undefined while all are current. */
  notReady(): NotReady | undefined {
    const stale = [...this.#entries].flatMap(([target, { connection }]) => (connection.health().isCurrent ? [] : [target]));
    if (stale.length === 0) return undefined;
    const brief = `stale watches of clusters: ${stale.length}`;
    return { brief, detail: `${brief} (${stale.join(", ")})` };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#updating;
    await Promise.all([...this.#entries.values()].map(async ({ connection }) => await connection[Symbol.asyncDispose]()));
    this.#entries.clear();
  }

  async #update(clusters: readonly Cluster[]): Promise<ReadonlyMap<TargetId, FirebreakError>> {
    const wanted = new Map(clusters.map((cluster) => [clusterTargetId(cluster.name), cluster] as const));
    for (const [target, entry] of this.#entries) {
      const cluster = wanted.get(target);
      if (cluster !== undefined && describeSource(cluster) === entry.source) continue;
      this.#entries.delete(target);
      await entry.connection[Symbol.asyncDispose]();
    }
    const failed = new Map<TargetId, FirebreakError>();
    for (const [target, cluster] of wanted) {
      if (this.#entries.has(target)) continue;
      try {
        this.#entries.set(target, { source: describeSource(cluster), connection: this.#open(target, cluster) });
      } catch (error) {
        if (!(error instanceof FirebreakError)) throw error;
        failed.set(target, error);
      }
    }
    return failed;
  }

  #open(target: TargetId, cluster: Cluster): ClusterConnection {
    const onChange = (change: ClusterChange): void => this.#options.onChange(target, change);
    return ClusterConnection.open({ target, source: this.#source(cluster), onChange });
  }

  #source({ connection, name }: Cluster): CredentialSource {
    if (connection.kind === "inCluster") return { kind: "inCluster" };
    const file = this.#options.kubeconfig;
    if (file === undefined)
      throw new FirebreakError(
        "CONFIG_INVALID",
        `cluster ${name} names a context, and firebreak.yaml has no kubernetes.kubeconfig`,
      );
    return { kind: "kubeconfig", file, context: connection.context };
  }
}

function describeSource({ connection }: Cluster): string {
  return connection.kind === "inCluster" ? "inCluster" : `context ${connection.context}`;
}
