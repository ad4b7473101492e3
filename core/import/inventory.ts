import type { Manifests } from "../manifest/read.ts";
import type { ClusterInventory, Pod, PodPort, Service } from "../membership/inventory.ts";
import { clusterTargetId } from "../model/target.ts";
import { livePods, namespaceLabels, podId } from "../verdict/world.ts";

/** The workloads that manifests describe, as a cluster would tell them. */
export function inventoryOf({ world, services }: Pick<Manifests, "world" | "services">, cluster: string): ClusterInventory {
  return {
    kind: "cluster",
    target: clusterTargetId(cluster),
    uid: "imported",
    complete: true,
    namespaces: [...namespaceLabels(world)].map(([name, labels]) => ({ name, labels })),
    pods: livePods(world.pods).map((pod): Pod => ({
      uid: podId(pod),
      namespace: pod.namespace,
      name: pod.name,
      labels: pod.labels,
      addresses: pod.addresses,
      node: pod.node,
      hostNetwork: pod.hostNetwork === true,
      owner: pod.owner,
      ports: (pod.ports ?? []).flatMap(({ name, containerPort, protocol = "TCP" }): readonly PodPort[] => {
        const known = (["tcp", "udp", "sctp"] as const).find((each) => each === protocol.toLowerCase());
        return name === undefined || known === undefined ? [] : [{ name, port: containerPort, protocol: known }];
      }),
    })),
    nodes: (world.nodes ?? []).map(({ name, addresses }) => ({ name, addresses })),
    services: services.map(({ namespace, name, selector = {}, addresses, ports }): Service => ({
      namespace,
      name,
      selector,
      clusterIps: addresses,
      ports: ports.map(({ protocol, port, targetPort }) => ({ protocol, port, targetPort })),
    })),
  };
}
