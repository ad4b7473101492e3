import type { ClusterInventory, Pod } from "../membership/inventory.ts";
import type { World, WorldPod } from "../verdict/world.ts";

/** The workloads of an inventory as the verdict engine takes them. */
export function worldOf({ namespaces, pods, nodes }: ClusterInventory): Omit<World, "policies"> {
  return { namespaces, nodes, pods: pods.map(worldPod) };
}

function worldPod({ ports, ...pod }: Pod): WorldPod {
  if (ports === undefined) return pod;
  return {
    ...pod,
    ports: ports.map(({ name, protocol, port }) => ({ name, protocol: protocol.toUpperCase(), containerPort: port })),
  };
}
