import type { ClusterInventory } from "../membership/inventory.ts";
import { readTable } from "../render/nft-table.ts";
import { planCluster } from "./cluster.ts";
import type { ClusterObservation, HostObservation } from "../observed/observation.ts";
import type { ClusterStep, HostStep } from "./plan.ts";

/** The writes that take everything of ours out of a cluster, in the order that opens nothing but what a release opens. */
export function planClusterRelease(
  observation: ClusterObservation,
  inventory: ClusterInventory,
  instance: string,
): readonly ClusterStep[] {
  const governed = [...new Set(observation.policies.map(({ object }) => object.metadata.namespace))].sort();
  return planCluster({
    want: { kind: "cluster", target: observation.target, governed, objects: [] },
    mark: { instance, sequence: 0, digest: "" },
    observation,
    pods: inventory.pods,
    podsComplete: inventory.complete,
    membershipDigest: "",
    mayUnisolate: true,
  }).steps;
}

/** The transaction that takes our table off a host; undefined when there is none of ours. Fenced like every other. */
export function planHostRelease(observation: HostObservation, instance: string): HostStep | undefined {
  const live = readTable(observation.ruleset);
  if (live === undefined || live.mark?.instance !== instance) return undefined;
  const table = { family: "inet", table: "firebreak" } as const;
  const fence =
    live.generation === undefined ? [] : [{ delete: { element: { ...table, name: "fence", elem: [live.generation] } } }];
  const transaction = [...fence, { delete: { table: { family: "inet", name: "firebreak" } } }];
  return { kind: "release", why: "the target is released", transaction, generation: 0 };
}
