import { FirebreakError } from "../../core/ground/error.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import type { InventoryEvent } from "../../core/membership/event.ts";
import type { ClusterInventory, Namespace, Node, Pod } from "../../core/membership/inventory.ts";
import type { ClusterObservation, LivePolicy } from "../../core/observed/observation.ts";
import type { ClusterStep } from "../../core/plan/plan.ts";
import { rightAsked, ruleText } from "../../core/rights/cluster.ts";
import { KubernetesClient } from "./client.ts";
import { openCredentials, type CredentialSource } from "./credentials.ts";
import { detectEnforcer, platformOf, type Enforcer } from "./detect.ts";
import { applyStep, listPolicies, POLICIES_PATH } from "./policies.ts";
import { Reflector, type ReflectorChange, type ReflectorTiming } from "./reflector.ts";
import { OTHER_SLICES, trimApiService, trimService, trimSlice, trimWebhooks, withEndpoints } from "./trim-service.ts";
import { trimNamespace, trimNode, trimPod, trimPolicy } from "./trim.ts";

/** What changed in a cluster: its workloads, or its policy objects. */
export type ClusterChange = { readonly kind: "inventory"; readonly event: InventoryEvent } | { readonly kind: "policies" };

const ADMISSION = "/apis/admissionregistration.k8s.io/v1";

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
  readonly timing?: Partial<ReflectorTiming>;
}

/**
 * One cluster: its inventory and policy objects kept current by watches, fresh reads, and fenced writes.
 *
 * Opening never waits for the cluster, nor for credentials: a context that is not there yet is an error of every read, and of
 * {@link health}, until it is. Ask {@link synced} for the first whole look.
 */
export class ClusterConnection implements AsyncDisposable {
  readonly target: TargetId;
  readonly #client: KubernetesClient;
  readonly #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  readonly #now: () => number;
  readonly #reflectors;
  readonly #waiters = new Set<() => void>();
  #uid: string | undefined;
  #services: Pick<ClusterInventory, "services" | "webhooks" | "platform"> | undefined;
  #inventory: ClusterInventory | undefined;

  static open(options: ClusterConnectionOptions): ClusterConnection {
    const connection = new ClusterConnection(options);
    connection.#start();
    return connection;
  }

  private constructor(options: ClusterConnectionOptions) {
    this.target = options.target;
    this.#now = options.now ?? Date.now;
    this.#client = new KubernetesClient(openCredentials(options.source, this.#now));
    const common = { client: this.#client, now: this.#now, random: options.random ?? Math.random, timing: options.timing };
    const changed = (change: ClusterChange): void => {
      if (change.kind === "inventory") this.#inventory = undefined;
      if (change.kind === "inventory" && (change.event.kind === "services" || change.event.kind === "whole"))
        this.#services = undefined;
      options.onChange(change);
      for (const wake of this.#waiters) wake();
    };
    const told = (event: InventoryEvent): void => changed({ kind: "inventory", event });
    const services = { ...common, onChange: (change: ReflectorChange<unknown>) => told(eventOf(change, SERVICES)) };
    this.#reflectors = {
      namespaces: new Reflector<Namespace>({
        ...common,
        path: "/api/v1/namespaces",
        trim: this.#trimNamespace,
        onChange: (change) => told(eventOf(change, NAMESPACES)),
      }),
      pods: new Reflector<Pod>({
        ...common,
        path: "/api/v1/pods",
        trim: trimPod,
        onChange: (change) => told(eventOf(change, PODS)),
      }),
      nodes: new Reflector<Node>({
        ...common,
        path: "/api/v1/nodes",
        trim: trimNode,
        onChange: (change) => told(eventOf(change, NODES)),
      }),
      services: new Reflector({ ...services, path: "/api/v1/services", trim: trimService }),
      slices: new Reflector({
        ...services,
        path: "/apis/discovery.k8s.io/v1/endpointslices",
        labelSelector: OTHER_SLICES,
        trim: trimSlice,
      }),
      validating: new Reflector({
        ...services,
        path: `${ADMISSION}/validatingwebhookconfigurations`,
        trim: trimWebhooks("validating"),
      }),
      mutating: new Reflector({ ...services, path: `${ADMISSION}/mutatingwebhookconfigurations`, trim: trimWebhooks("mutating") }),
      apiServices: new Reflector({ ...services, path: "/apis/apiregistration.k8s.io/v1/apiservices", trim: trimApiService }),
      policies: new Reflector<LivePolicy>({
        ...common,
        path: POLICIES_PATH,
        trim: trimPolicy,
        onChange: () => changed({ kind: "policies" }),
      }),
    };
  }

  #start(): void {
    this.#running = Promise.all(Object.values(this.#reflectors).map((reflector) => reflector.run(this.#stop.signal)));
  }

  /** The workloads as last known; `complete` only while every inventory watch is current. The same object until something changes. */
  inventory(): ClusterInventory {
    const [uid, complete] = [this.uid(), this.isInventoryCurrent()];
    if (this.#inventory?.uid === uid && this.#inventory.complete === complete) return this.#inventory;
    const { namespaces, pods, nodes } = this.#reflectors;
    this.#inventory = {
      kind: "cluster",
      target: this.target,
      uid,
      complete,
      namespaces: [...namespaces.items.values()],
      pods: [...pods.items.values()],
      nodes: [...nodes.items.values()],
      ...this.services(),
    };
    return this.#inventory;
  }

  /** The UID of kube-system, as last seen; empty before that. */
  uid(): string {
    return this.#uid ?? "";
  }

  /** True while every inventory watch is current. */
  isInventoryCurrent(): boolean {
    return Object.entries(this.#reflectors).every(([name, reflector]) => name === "policies" || reflector.isCurrent);
  }

  namespaces(): readonly Namespace[] {
    return [...this.#reflectors.namespaces.items.values()];
  }

  /** Services with what stands behind them, who answers the API server, and what it serves: the same lists until they change. */
  services(): Pick<ClusterInventory, "services" | "webhooks" | "platform"> {
    if (this.#services !== undefined) return this.#services;
    const { services, slices, validating, mutating, apiServices } = this.#reflectors;
    const groups = [...apiServices.items.values()];
    const platform = platformOf(groups.map(({ group }) => group));
    this.#services = {
      services: withEndpoints([...services.items.values()], slices.items.values()),
      webhooks: [
        ...[validating, mutating].flatMap((reflector) => [...reflector.items.values()].flat()),
        ...groups.flatMap(({ backends }) => backends),
      ],
      ...(platform === undefined ? {} : { platform }),
    };
    return this.#services;
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
    // The UID is read each time: what answers at this address may be another cluster by now.
    const [policies, uid] = await Promise.all([listPolicies(this.#client, signal), this.#readUid(signal)]);
    this.#uid = uid;
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

  /** The rights that the account lacks to see what is there, all of them in one error; undefined: none that is known. */
  refusal(): FirebreakError | undefined {
    const refused = Object.values(this.#reflectors).filter(({ isForbidden }) => isForbidden);
    if (refused.length === 0) return undefined;
    const rights = refused.flatMap(({ path }) => ["GET", "watch"].flatMap((method) => rightAsked(method, path) ?? []));
    const text = `the account lacks rights in ${this.target}; add to its ClusterRole ${ruleText(rights)}`;
    return new FirebreakError("CLUSTER_FORBIDDEN", text);
  }

  /**
   * Resolves when every watch has seen a whole list.
   *
   * @throws FirebreakError CLUSTER_FORBIDDEN when what is missing is refused, CLUSTER_UNREACHABLE when the signal aborts or this is
   *   closed first
   */
  async synced(signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.#stop.signal]);
    const all = Object.values(this.#reflectors);
    while (!this.health().everSynced) {
      const refusal = all.every(({ everSynced, isForbidden }) => everSynced || isForbidden) ? this.refusal() : undefined;
      if (refusal !== undefined) throw refusal;
      if (either.aborted) {
        throw (
          this.refusal() ??
          new FirebreakError("CLUSTER_UNREACHABLE", `first look at ${this.target}`, {
            cause: new Error(this.health().error ?? "no answer yet"),
          })
        );
      }
      await this.#changed(either);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#client[Symbol.asyncDispose]();
  }

  /** Resolves at the next change, or when the signal aborts. */
  async #changed(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.add(resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
    await promise;
    this.#waiters.delete(resolve);
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

/** How a change of one object of a resource reads as an event. */
interface Told<T> {
  readonly there: (item: T) => InventoryEvent;
  readonly gone: (key: string) => InventoryEvent;
}

const PODS: Told<Pod> = { there: (pod) => ({ kind: "pod", pod }), gone: (key) => ({ kind: "pod-gone", key }) };
const NODES: Told<Node> = { there: (node) => ({ kind: "node", node }), gone: (key) => ({ kind: "node-gone", key }) };
const NAMESPACES: Told<Namespace> = {
  there: (namespace) => ({ kind: "namespace", namespace }),
  gone: (key) => ({ kind: "namespace-gone", key }),
};
const SERVICES: Told<unknown> = { there: () => ({ kind: "services" }), gone: () => ({ kind: "services" }) };

function eventOf<T>(change: ReflectorChange<T>, told: Told<T>): InventoryEvent {
  if (change.kind === "upsert") return told.there(change.item);
  return change.kind === "remove" ? told.gone(change.key) : { kind: "whole" };
}
