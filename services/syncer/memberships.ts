import pLimit from "p-limit";
import { addWork, publishMembership, readIdentities, type Cause } from "../../adapters/store/index.ts";
import { equals } from "../../core/address/index.ts";
import { consumersOfCluster, type ConsumersOf } from "../../core/engine/consumers.ts";
import { clashingAddresses, findAddressClashes, type LiveAddresses } from "../../core/membership/clashes.ts";
import type { InventoryEvent } from "../../core/membership/event.ts";
import type { Membership, Memberships } from "../../core/membership/membership.ts";
import { freezeAddresses, mergeMembership } from "../../core/membership/merge.ts";
import type { Cluster, Definitions, TargetId } from "../../core/model/kinds.ts";
import { clusterTargetId } from "../../core/model/target.ts";
import { Bell, runLoop } from "../loop.ts";
import { isReplaced } from "../replaced.ts";
import { loadMemberships, saveMemberships } from "./membership-file.ts";
import { listOrphans, withOrphans } from "../orphans.ts";
import type { SyncerContext } from "./context.ts";
import { TrackedCluster } from "./tracked-cluster.ts";

/** Changes are gathered this long before anything is computed: a rollout of a hundred pods is one update. */
const COALESCE_MS = 100;
/** How long a new revision waits for clusters that were never seen before its targets get work. */
const FIRST_LOOK_MS = 5_000;
/** A membership that did not change is published anew this often, so that its age stays true. */
const REFRESH_MS = 30_000;
/** The file of the state folder is written at most this often: it is for the next start. */
const SAVE_MS = 1_000;

/**
 * Feeds memberships: what the pods of each cluster show outside becomes addresses in other targets' sets.
 *
 * Watches tell what changed; after {@link COALESCE_MS} the cluster's engine takes it all, its membership is stored if it is another one,
 * and the targets whose rendering rests on a segment that changed get work. A cluster whose namespaces or services changed gets work
 * itself.
 *
 * What is known is in this process and in a file of the state folder. The store shows it to others and is never read for it: whoever writes
 * to the database chooses no addresses.
 */
export class MembershipFeed {
  readonly #context: SyncerContext;
  readonly #bell = new Bell();
  readonly #dirty = new Set<TargetId>();
  readonly #tracked = new Map<TargetId, TrackedCluster>();
  readonly #publishedAt = new Map<TargetId, number>();
  readonly #oneAtATime = pLimit(1);
  #overlaid: { readonly of: Definitions; readonly key: string; readonly definitions: Definitions } | undefined;
  #consumers: { readonly of: Definitions; readonly byFeeder: Map<TargetId, ConsumersOf> } | undefined;
  readonly #known = new Map<TargetId, Membership>();
  #savedAt = -SAVE_MS;
  #isSaved = true;

  constructor(context: SyncerContext) {
    this.#context = context;
  }

  /** Begins with what was last known; to be called before anything else. */
  async load(): Promise<void> {
    for (const membership of await loadMemberships(this.#context)) this.#known.set(membership.target, membership);
  }

  /** The last membership of every cluster that was ever seen whole. */
  known(): Memberships {
    return this.#known;
  }

  /** The target was released: its workloads are members nowhere any more. */
  forget(target: TargetId): void {
    if (this.#known.delete(target)) this.#isSaved = false;
  }

  /** To be called when the inventory of a cluster changed. */
  markChanged(target: TargetId, event: InventoryEvent): void {
    this.#trackedCluster(target).tell(event);
    this.#dirty.add(target);
    this.#bell.ring();
  }

  /**
   * Publishes every cluster by the definitions in force, so that the targets which get work next see the addresses of new segments.
   * Waits a little for clusters that were just connected; one that does not answer is not waited for any longer.
   */
  async catchUp(): Promise<void> {
    const connections = [...this.#context.clusters.connections()];
    const signal = AbortSignal.any([this.#context.signal, AbortSignal.timeout(FIRST_LOOK_MS)]);
    await Promise.allSettled(connections.map(async ([, connection]) => await connection.synced(signal)));
    await this.publish(connections.map(([target]) => target));
  }

  /** Runs until the syncer stops. */
  async run(): Promise<void> {
    const { log, signal, elapsed } = this.#context;
    await runLoop({ name: "memberships", log, signal, everyMs: () => COALESCE_MS, bell: new Bell() }, async () => {
      await this.#bell.wait(this.#isSaved ? REFRESH_MS : SAVE_MS, signal);
      const changed = new Set(this.#dirty);
      this.#dirty.clear();
      for (const target of this.#context.clusters.connections().keys()) {
        if (elapsed() - (this.#publishedAt.get(target) ?? -REFRESH_MS) >= REFRESH_MS) changed.add(target);
      }
      try {
        await this.publish([...changed]);
        await this.#oneAtATime(async () => await this.#save());
      } catch (error) {
        for (const target of changed) this.#dirty.add(target);
        throw error;
      }
    });
  }

  /** Computes and stores the memberships of these clusters, and adds work where they matter. */
  async publish(targets: readonly TargetId[]): Promise<void> {
    await this.#oneAtATime(async () => await this.#publish(targets));
  }

  async #publish(targets: readonly TargetId[]): Promise<void> {
    const { inForce, store } = this.#context;
    if (inForce === undefined || targets.length === 0) return;
    const definitions = await this.#withOrphans(inForce.definitions);
    const clusters = new Map([...definitions.clusters.values()].map((cluster) => [clusterTargetId(cluster.name), cluster]));
    // Every cluster before the first is published: whose address is whose is asked of all of them.
    const identities = await readIdentities(store);
    const followed = targets.flatMap((target) => this.#follow(target, definitions, clusters.get(target), identities.get(target)));
    const clashing = clashingAddresses(findAddressClashes(inForce.definitions, this.#liveAddresses()));
    const causes: Cause[] = [];
    try {
      for (const { target, cluster, changed, restructured, tracked } of followed) {
        if (restructured) causes.push({ target, kind: "membership", key: "structure", detail: {} });
        const previous = this.#known.get(target);
        const { complete, observedAt } = this.#currency(target);
        const isDue = previous === undefined || previous.complete !== complete || observedAt - previous.observedAt >= REFRESH_MS;
        this.#publishedAt.set(target, this.#context.elapsed());
        if (!changed && !isDue) continue;
        const next = tracked.membership(complete, observedAt);
        // A cluster that was never seen whole has nothing to say: its absence is told apart from a known empty.
        if (next === undefined || (previous === undefined && !complete)) continue;
        const merged = mergeMembership(previous, freezeAddresses(previous, next, clashing));
        if (isDue || merged.digest !== previous.digest) {
          await publishMembership(store, merged);
          this.#known.set(target, merged);
          this.#isSaved = false;
          // A start that does not know of it would take its addresses out of the sets that they are put into now.
          if (previous === undefined) this.#savedAt = -Infinity;
          causes.push(...this.#consumerCauses(definitions, cluster, target, changedKeys(previous, merged)));
        }
        tracked.published();
      }
      await this.#save();
    } finally {
      // What was published is compared with no more: its work is added also when a later step failed.
      await addWork(store, causes, this.#context.now());
    }
    for (const target of new Set(causes.map((cause) => cause.target))) await this.#context.queue.enqueue(target);
  }

  /**
   * Brings the engine of one cluster up to date; empty when it has no connection that ever saw it, or is not defined. Another cluster
   * than is known under this name speaks for nobody: the last membership stays until a person has said what is right.
   */
  #follow(target: TargetId, definitions: Definitions, cluster: Cluster | undefined, known: string | undefined) {
    const connection = this.#context.clusters.connections().get(target);
    if (cluster === undefined || connection?.health().everSynced !== true) return [];
    const logged = this.#context.facts.target(target).uid;
    if (isReplaced(known, connection.uid()) || isReplaced(logged, connection.uid())) return [];
    const tracked = this.#trackedCluster(target);
    return [{ target, cluster, tracked, ...tracked.follow(connection, definitions, cluster) }];
  }

  #trackedCluster(target: TargetId): TrackedCluster {
    const known = this.#tracked.get(target);
    if (known !== undefined) return known;
    const tracked = new TrackedCluster();
    this.#tracked.set(target, tracked);
    return tracked;
  }

  #currency(target: TargetId): { readonly complete: boolean; readonly observedAt: number } {
    const connection = this.#context.clusters.connection(target);
    return { complete: connection.isInventoryCurrent(), observedAt: connection.health().confirmedAt };
  }

  #liveAddresses(): ReadonlyMap<TargetId, LiveAddresses> {
    const connected = this.#context.clusters.connections();
    return new Map(
      [...this.#tracked].flatMap(([target, tracked]) => {
        const live = connected.has(target) ? tracked.liveAddresses() : undefined;
        return live === undefined ? [] : [[target, live] as const];
      }),
    );
  }

  async #save(): Promise<void> {
    if (this.#isSaved || this.#context.elapsed() - this.#savedAt < SAVE_MS) return;
    await saveMemberships(this.#context.settings.stateFolder, this.#known.values());
    this.#savedAt = this.#context.elapsed();
    this.#isSaved = true;
  }

  /** The same object for the same definitions and orphans, so that what is derived from it is derived once. */
  async #withOrphans(definitions: Definitions): Promise<Definitions> {
    const orphans = await listOrphans(this.#context);
    const key = orphans.map(({ target, sequence }) => `${target} ${sequence}`).join();
    if (this.#overlaid?.of !== definitions || this.#overlaid.key !== key) {
      this.#overlaid = { of: definitions, key, definitions: await withOrphans(this.#context, definitions, orphans) };
    }
    return this.#overlaid.definitions;
  }

  #consumerCauses(definitions: Definitions, cluster: Cluster, feeder: TargetId, keys: readonly string[]): readonly Cause[] {
    if (keys.length === 0) return [];
    if (this.#consumers?.of !== definitions) this.#consumers = { of: definitions, byFeeder: new Map() };
    const consumersOf = this.#consumers.byFeeder.get(feeder) ?? consumersOfCluster(definitions, cluster);
    this.#consumers.byFeeder.set(feeder, consumersOf);
    const targets = new Set(keys.flatMap((key) => [...consumersOf(key)]));
    return [...targets].map((target) => ({ target, kind: "membership" as const, key: feeder, detail: { feeder, segments: keys } }));
  }
}

/** Keys whose addresses differ, also those that one of the two does not have. Sets that stayed are the same objects. */
function changedKeys(before: Membership | undefined, after: Membership): readonly string[] {
  const names = new Set([...(before?.segments.keys() ?? []), ...after.segments.keys()]);
  return [...names].filter((name) => {
    const old = before?.segments.get(name);
    const fresh = after.segments.get(name);
    if (old === undefined || fresh === undefined) return true;
    return !equals(old, fresh);
  });
}
