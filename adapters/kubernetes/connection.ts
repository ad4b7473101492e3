import { FirebreakError } from "../../core/model/error.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import type { ClusterInventory } from "../../core/membership/inventory.ts";
import type { ClusterObservation, LivePolicy } from "../../core/plan/observation.ts";
import type { ClusterStep } from "../../core/plan/plan.ts";
import { KubernetesClient } from "./client.ts";
import { loadCredentials, type CredentialSource } from "./credentials.ts";
import { detectEnforcer, type Enforcer } from "./detect.ts";
import { applyStep, listPolicies, POLICIES_PATH } from "./policies.ts";
import { Reflector } from "./reflector.ts";
import { trimNamespace, trimNode, trimPod, trimPolicy, trimService } from "./trim.ts";

/** What changed in a cluster: its workloads, or its policy objects. */
export type ClusterChange = "inventory" | "policies";

export interface ClusterHealth {
  /** True while every watch is current. */
  readonly isCurrent: boolean;
  /** True once every watch has seen a whole list. */
  readonly everSynced: boolean;
  /** ms since the epoch of the oldest proof of currency over all watches; 0: never. */
  readonly confirmedAt: number;
  readonly error: string | undefined;
}

export interface ClusterConnectionOptions {
  readonly target: TargetId;
  readonly source: CredentialSource;
  readonly onChange: (change: ClusterChange) => void;
  readonly now?: () => number;
  readonly random?: () => number;
}

/**
 * One cluster: its inventory and policy objects kept current by watches, fresh reads, and fenced writes.
 *
 * Opening never waits for the cluster; ask {@link health}, or {@link synced}.
 */
export class ClusterConnection implements AsyncDisposable {
  readonly target: TargetId;
  readonly #client: KubernetesClient;
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;
  readonly #now: () => number;
  readonly #reflectors;
  readonly #waiters = new Set<() => void>();
  #uid: string | undefined;

  static async open(options: ClusterConnectionOptions): Promise<ClusterConnection> {
    return new ClusterConnection(options, new KubernetesClient(await loadCredentials(options.source)));
  }

  private constructor(options: ClusterConnectionOptions, client: KubernetesClient) {
    this.target = options.target;
    this.#client = client;
    this.#now = options.now ?? Date.now;
    const common = { client, now: this.#now, random: options.random ?? Math.random };
    const changed = (change: ClusterChange) => () => {
      options.onChange(change);
      for (const wake of this.#waiters) wake();
    };
    const inventory = { ...common, onChange: changed("inventory") };
    this.#reflectors = {
      namespaces: new Reflector({ ...inventory, path: "/api/v1/namespaces", trim: this.#trimNamespace }),
      pods: new Reflector({ ...inventory, path: "/api/v1/pods", trim: trimPod }),
      nodes: new Reflector({ ...inventory, path: "/api/v1/nodes", trim: trimNode }),
      services: new Reflector({ ...inventory, path: "/api/v1/services", trim: trimService }),
      policies: new Reflector<LivePolicy>({ ...common, onChange: changed("policies"), path: POLICIES_PATH, trim: trimPolicy }),
    };
    this.#running = Promise.all(Object.values(this.#reflectors).map((reflector) => reflector.run(this.#stop.signal)));
  }

  /** The workloads as last known; `complete` only while every inventory watch is current. */
  inventory(): ClusterInventory {
    const { namespaces, pods, nodes, services } = this.#reflectors;
    return {
      kind: "cluster",
      target: this.target,
      uid: this.#uid ?? "",
      complete: [namespaces, pods, nodes, services].every((reflector) => reflector.isCurrent),
      namespaces: [...namespaces.items.values()],
      pods: [...pods.items.values()],
      nodes: [...nodes.items.values()],
      services: [...services.items.values()],
    };
  }

  /** The policy objects as the watch last saw them. */
  observation(): ClusterObservation {
    const { policies } = this.#reflectors;
    return this.#observation(
      [...policies.items.values()],
      policies.isCurrent ? "complete" : policies.everSynced ? "partial" : "failed",
    );
  }

  /** The policy objects read now, from the API server. @throws FirebreakError as `KubernetesClient.call` */
  async readObservation(signal: AbortSignal): Promise<ClusterObservation> {
    const policies = await listPolicies(this.#client, signal);
    this.#uid ??= await this.#readUid(signal);
    return this.#observation(policies, "complete");
  }

  /** One write of a plan; returns the resourceVersion it left. @throws FirebreakError PLAN_STALE when the object has moved on */
  async apply(step: ClusterStep, signal: AbortSignal): Promise<string | undefined> {
    return await applyStep(this.#client, step, signal);
  }

  /** Which enforcer runs there; see {@link detectEnforcer}. */
  async detectEnforcer(signal: AbortSignal): Promise<Enforcer> {
    return await detectEnforcer(this.#client, signal);
  }

  health(): ClusterHealth {
    const all = Object.values(this.#reflectors);
    return {
      isCurrent: all.every((reflector) => reflector.isCurrent),
      everSynced: all.every((reflector) => reflector.everSynced),
      confirmedAt: Math.min(...all.map((reflector) => reflector.lastConfirmedAt)),
      error: all.find((reflector) => reflector.lastError !== undefined)?.lastError,
    };
  }

  /** Resolves when every watch has seen a whole list. @throws FirebreakError CLUSTER_UNREACHABLE when the signal aborts first */
  async synced(signal: AbortSignal): Promise<void> {
    while (!this.health().everSynced) {
      if (signal.aborted) {
        throw new FirebreakError("CLUSTER_UNREACHABLE", `first look at ${this.target}`, {
          cause: new Error(this.health().error ?? "no answer yet"),
        });
      }
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiters.delete(wake);
          signal.removeEventListener("abort", wake);
          resolve();
        };
        this.#waiters.add(wake);
        signal.addEventListener("abort", wake);
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#client[Symbol.asyncDispose]();
  }

  #observation(policies: readonly LivePolicy[], completeness: ClusterObservation["completeness"]): ClusterObservation {
    return { kind: "cluster", target: this.target, completeness, uid: this.#uid ?? "", policies, at: this.#now() };
  }

  /** The cluster's own identity is the UID of kube-system, seen on the way. */
  readonly #trimNamespace = (object: unknown) => {
    const { metadata } = object as { metadata: { name: string; uid?: string } };
    if (metadata.name === "kube-system") this.#uid = metadata.uid;
    return trimNamespace(object);
  };

  async #readUid(signal: AbortSignal): Promise<string> {
    const namespace = (await this.#client.call("GET", "/api/v1/namespaces/kube-system", { signal })) as {
      metadata: { uid: string };
    };
    return namespace.metadata.uid;
  }
}
