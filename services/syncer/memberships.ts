import pLimit from "p-limit";
import { addWork, publishMembership, readMemberships, type Cause } from "../../adapters/store/index.ts";
import { equals } from "../../core/address/index.ts";
import { clashingAddresses, findAddressClashes } from "../../core/membership/clashes.ts";
import { computeMembership } from "../../core/membership/compute.ts";
import { consumersBySegment } from "../../core/membership/consumers.ts";
import type { ClusterInventory } from "../../core/membership/inventory.ts";
import type { Membership } from "../../core/membership/membership.ts";
import { freezeAddresses, mergeMembership } from "../../core/membership/merge.ts";
import type { Definitions, TargetId } from "../../core/model/kinds.ts";
import { clusterTargetId } from "../../core/model/target.ts";
import { Bell, runLoop } from "../loop.ts";
import { saveMemberships } from "./membership-file.ts";
import { listOrphans, withOrphans } from "../orphans.ts";
import { structureDigest } from "./structure.ts";
import type { SyncerContext } from "./context.ts";

/** Changes are gathered this long before anything is computed: a rollout of a hundred pods is one update. */
const COALESCE_MS = 100;
/** How long a new revision waits for clusters that were never seen before its targets get work. */
const FIRST_LOOK_MS = 5_000;
/** A membership that did not change is published anew this often, so that its age stays true. */
const REFRESH_MS = 30_000;

/**
 * Feeds memberships: what the pods of each cluster show outside becomes addresses in other targets' sets.
 *
 * Watches say which cluster changed; after {@link COALESCE_MS} its membership is computed, stored, and the targets whose rendering rests
 * on a segment that changed get work. A cluster whose namespaces or services changed gets work itself.
 */
export class MembershipFeed {
  readonly #context: SyncerContext;
  readonly #bell = new Bell();
  readonly #dirty = new Set<TargetId>();
  readonly #structures = new Map<TargetId, string>();
  readonly #publishedAt = new Map<TargetId, number>();
  readonly #oneAtATime = pLimit(1);
  #overlaid: { readonly of: Definitions; readonly key: string; readonly definitions: Definitions } | undefined;
  #consumers: { readonly of: Definitions; readonly bySegment: ReadonlyMap<string, ReadonlySet<TargetId>> } | undefined;

  constructor(context: SyncerContext) {
    this.#context = context;
  }

  /** To be called when the inventory of a cluster changed. */
  markChanged(target: TargetId): void {
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
    const { log, signal, now } = this.#context;
    await runLoop({ name: "memberships", log, signal, everyMs: () => COALESCE_MS, bell: new Bell() }, async () => {
      await this.#bell.wait(REFRESH_MS, signal);
      const changed = new Set(this.#dirty);
      this.#dirty.clear();
      for (const target of this.#context.clusters.connections().keys()) {
        if (now() - (this.#publishedAt.get(target) ?? 0) >= REFRESH_MS) changed.add(target);
      }
      try {
        await this.publish([...changed]);
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
    const known = (await readMemberships(store)).memberships;
    const definitions = await this.#withOrphans(inForce.definitions);
    const inventories = this.#inventories();
    const clashing = clashingAddresses(findAddressClashes(inForce.definitions, inventories));
    const causes: Cause[] = [];
    let published = false;
    try {
      for (const target of targets) {
        const inventory = inventories.get(target);
        const cluster = [...definitions.clusters.values()].find(({ name }) => clusterTargetId(name) === target);
        if (inventory === undefined || cluster === undefined) continue;
        causes.push(...this.#structureCauses(target, inventory));
        const previous = known.get(target);
        const computed = computeMembership(definitions, cluster, inventory, this.#observedAt(target)).membership;
        const merged = mergeMembership(previous, freezeAddresses(previous, computed, clashing));
        this.#publishedAt.set(target, this.#context.now());
        // A cluster that was never seen whole has nothing to say: its absence is told apart from a known empty.
        if (previous === undefined && !merged.complete) continue;
        if (previous !== undefined && isSame(previous, merged) && merged.observedAt - previous.observedAt < REFRESH_MS) continue;
        if (!(await publishMembership(store, merged))) continue;
        published = true;
        causes.push(...this.#consumerCauses(definitions, target, changedSegments(previous, merged)));
      }
      if (published) await saveMemberships(this.#context);
    } finally {
      // What was published is compared with no more: its work is added also when a later step failed.
      await addWork(store, causes, this.#context.now());
    }
    for (const target of new Set(causes.map((cause) => cause.target))) await this.#context.queue.enqueue(target);
  }

  /** The same object for the same definitions and orphans, so that what is derived from it is derived once. */
  async #withOrphans(definitions: Definitions): Promise<Definitions> {
    const orphans = await listOrphans(this.#context.store);
    const key = orphans.map(({ target, sequence }) => `${target} ${sequence}`).join();
    if (this.#overlaid?.of !== definitions || this.#overlaid.key !== key) {
      this.#overlaid = { of: definitions, key, definitions: await withOrphans(this.#context, definitions, orphans) };
    }
    return this.#overlaid.definitions;
  }

  #inventories(): ReadonlyMap<TargetId, ClusterInventory> {
    const inventories = new Map<TargetId, ClusterInventory>();
    for (const [target, connection] of this.#context.clusters.connections()) {
      if (connection.health().everSynced) inventories.set(target, connection.inventory());
    }
    return inventories;
  }

  #observedAt(target: TargetId): number {
    return this.#context.clusters.connection(target).health().confirmedAt;
  }

  #structureCauses(target: TargetId, inventory: ClusterInventory): readonly Cause[] {
    const digest = structureDigest(inventory);
    const before = this.#structures.get(target);
    this.#structures.set(target, digest);
    if (before === undefined || before === digest) return [];
    return [{ target, kind: "membership", key: "structure", detail: { namespaces: inventory.namespaces.length } }];
  }

  #consumerCauses(definitions: Definitions, feeder: TargetId, segments: readonly string[]): readonly Cause[] {
    if (this.#consumers?.of !== definitions) this.#consumers = { of: definitions, bySegment: consumersBySegment(definitions) };
    const targets = new Set<TargetId>();
    for (const segment of segments) for (const target of this.#consumers.bySegment.get(segment) ?? []) targets.add(target);
    targets.delete(feeder);
    return [...targets].map((target) => ({ target, kind: "membership" as const, key: feeder, detail: { feeder, segments } }));
  }
}

function isSame(a: Membership, b: Membership): boolean {
  return a.digest === b.digest && a.complete === b.complete;
}

/** Segments whose addresses differ, also those that one of the two does not have. */
function changedSegments(before: Membership | undefined, after: Membership): readonly string[] {
  const names = new Set([...(before?.segments.keys() ?? []), ...after.segments.keys()]);
  return [...names].filter((name) => {
    const old = before?.segments.get(name);
    const fresh = after.segments.get(name);
    if (old === undefined || fresh === undefined) return true;
    return !equals(old, fresh);
  });
}
