import type { Manifests } from "../manifest/read.ts";
import { clusterTargetId } from "../model/target.ts";
import type { InventoryFile } from "../observed/inventory-file.ts";
import type { LivePolicy } from "../observed/observation.ts";
import { readMark } from "../render/networkpolicy.ts";
import type { NetworkPolicy } from "../render/networkpolicy-types.ts";
import type { PolicyObject } from "../verdict/world.ts";
import { inventoryOf } from "./inventory.ts";

/** Of these every cluster has at least one: where it is missing, its kind was not asked for. */
const WITNESSES: readonly { readonly kind: string; readonly word: string; readonly isThere: (manifests: Manifests) => boolean }[] =
  [
    {
      kind: "Namespace kube-system",
      word: "ns",
      isThere: ({ world }) => world.namespaces.some(({ name }) => name === "kube-system"),
    },
    { kind: "Node", word: "nodes", isThere: ({ world }) => (world.nodes ?? []).length > 0 },
    {
      kind: "Service default/kubernetes",
      word: "svc",
      isThere: ({ services }) => services.some(({ namespace, name }) => namespace === "default" && name === "kubernetes"),
    },
    {
      // Without -A kubectl asks one namespace, and all of the above are in the answer.
      kind: "pod, Service or NetworkPolicy outside of namespace default",
      word: "-A",
      isThere: ({ world, services }) =>
        [...world.pods, ...services, ...world.policies.map(({ metadata }) => metadata)].some(
          ({ namespace = "" }) => namespace !== "" && namespace !== "default",
        ),
    },
  ];

/** What must have been left out of an export, as kubectl calls it: nothing may be planned on the part that is there. */
export function missingKinds(manifests: Manifests): readonly { readonly kind: string; readonly word: string }[] {
  return WITNESSES.filter(({ isThere }) => !isThere(manifests));
}

/**
 * An inventory file of one cluster, of what kubectl wrote.
 *
 * Whose objects are ours is read from their marks; where they are of several installations, none is.
 */
export function inventoryFileOf(manifests: Manifests, cluster: string, savedAt: string): InventoryFile {
  const policies = manifests.world.policies.filter(isNetworkPolicy).map(livePolicy);
  const instances = new Set(policies.flatMap(({ object }) => readMark(object)?.instance ?? []));
  const [instance] = instances;
  return {
    version: 1,
    savedAt,
    instance: instance !== undefined && instances.size === 1 ? instance : "offline",
    clusters: { [clusterTargetId(cluster)]: { inventory: inventoryOf(manifests, cluster), policies } },
    hosts: {},
  };
}

function isNetworkPolicy({ kind = "NetworkPolicy" }: PolicyObject): boolean {
  return kind === "NetworkPolicy";
}

function livePolicy({ metadata, spec }: PolicyObject): LivePolicy {
  // The cast: a policy that the reader of manifests has checked.
  const object = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec } as NetworkPolicy;
  return { object, manager: undefined, managedAt: undefined };
}
