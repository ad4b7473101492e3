import { estateOf } from "../estate/build.ts";
import type { Estate } from "../estate/estate.ts";
import { computeMembership } from "../membership/compute.ts";
import type { ClusterInventory } from "../membership/inventory.ts";
import type { Membership } from "../membership/membership.ts";
import type { Definitions, TargetId } from "../model/kinds.ts";
import { clusterTargetId } from "../model/target.ts";

/** What is derived from definitions and what is known of the clusters at one moment: the same for every target that is planned then. */
export interface MomentEstate {
  readonly estate: Estate;
  /** What a cluster's inventory says now; undefined for one that is not known. */
  readonly membershipOf: (cluster: TargetId) => Membership | undefined;
}

interface Kept {
  readonly inventories: ReadonlyMap<TargetId, ClusterInventory>;
  readonly moment: MomentEstate;
}

/** The last moment of each definitions, for as long as nobody needs the memory: a hundred hosts are planned one after the other. */
const kept = new WeakMap<Definitions, WeakRef<Kept>>();

/** The estate of these definitions with these inventories. */
export function momentEstate(definitions: Definitions, inventories: ReadonlyMap<TargetId, ClusterInventory>): MomentEstate {
  const known = kept.get(definitions)?.deref();
  if (known !== undefined && areSame(known.inventories, inventories)) return known.moment;
  const memberships = new Map<TargetId, Membership>();
  const moment: MomentEstate = {
    estate: estateOf(definitions, inventories),
    membershipOf: (id) => {
      const before = memberships.get(id);
      if (before !== undefined) return before;
      const cluster = [...definitions.clusters.values()].find(({ name }) => clusterTargetId(name) === id);
      const inventory = inventories.get(id);
      if (cluster === undefined || inventory === undefined) return undefined;
      const { membership } = computeMembership(definitions, cluster, inventory, 0);
      memberships.set(id, membership);
      return membership;
    },
  };
  kept.set(definitions, new WeakRef({ inventories, moment }));
  return moment;
}

function areSame(a: Kept["inventories"], b: Kept["inventories"]): boolean {
  return a.size === b.size && [...a].every(([id, one]) => isSame(one, b.get(id)));
}

/** An inventory is put together anew for every question; what it holds is replaced when it changes, and never changed. */
function isSame(a: ClusterInventory, b: ClusterInventory | undefined): boolean {
  if (a === b) return true;
  if (b === undefined || a.complete !== b.complete || a.uid !== b.uid) return false;
  const lists = ["namespaces", "pods", "nodes", "services"] as const;
  return lists.every((list) => areAlike(a[list], b[list])) && areAlike(a.webhooks ?? [], b.webhooks ?? []);
}

function areAlike(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a === b || (a.length === b.length && a.every((one, index) => one === b[index]));
}
