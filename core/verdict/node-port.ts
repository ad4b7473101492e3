import { contains } from "../address/index.ts";
import type { Protocol } from "../address/ports.ts";
import { isNodeAddress } from "./place.ts";
import type { WorldIndex } from "./place.ts";
import { serviceId } from "./service.ts";
import { parsedAddresses, podId } from "./world.ts";
import type { WorldPod, WorldService } from "./world.ts";

/** Where a port of a node leads. */
export type NodeWay =
  | { readonly kind: "service"; readonly name: string; readonly service: WorldService; readonly port: number }
  | { readonly kind: "pod"; readonly name: string; readonly pod: WorldPod; readonly port: number };

/** What a port of an address leads to where that is a node's, or may be: node ports of Services, host ports of the pods that run there. */
export function nodeWays(index: WorldIndex, address: string, port: number | string, protocol: Protocol): readonly NodeWay[] {
  if (isNodeAddress(index, address) === false) return [];
  const services = index.services.flatMap((service) =>
    service.ports
      .filter((entry) => entry.nodePort === port && entry.protocol.toLowerCase() === protocol)
      .map((entry): NodeWay => ({ kind: "service", name: serviceId(service), service, port: entry.port })),
  );
  const pods = [...index.pods.values()].filter((pod) => pod.hostNetwork !== true && mayRunAt(index, pod, address));
  const hosts = pods.flatMap((pod) =>
    (pod.ports ?? [])
      .filter(({ hostPort, protocol: of = "TCP" }) => hostPort === port && of.toLowerCase() === protocol)
      .map(({ containerPort }): NodeWay => ({ kind: "pod", name: podId(pod), pod, port: containerPort })),
  );
  return [...services, ...hosts];
}

/** Unless it is known to run on another node. */
function mayRunAt({ addressesOfNode }: WorldIndex, { node, nodeAddress }: WorldPod, text: string): boolean {
  const [address] = parsedAddresses([text]);
  if (address === undefined) return false;
  const known = node === undefined ? undefined : addressesOfNode.get(node);
  if (known !== undefined) return contains(known, address);
  return (
    nodeAddress === undefined ||
    parsedAddresses([nodeAddress]).some(({ value, family }) => value === address.value && family === address.family)
  );
}

/** Is that one of the Service's addresses for those outside? */
export function isOutsideOf({ outside = [] }: WorldService, text: string): boolean {
  const [address] = parsedAddresses([text]);
  return parsedAddresses(outside).some(({ value, family }) => value === address?.value && family === address.family);
}
