import { fromAddressTexts, isEmpty } from "../address/index.ts";
import type { Service } from "../membership/inventory.ts";
import { compareText } from "../membership/order.ts";
import { findService } from "../membership/services.ts";
import type { PortRange } from "../model/kinds.ts";
import { mergeRanges, portWords } from "./ports.ts";
import type { ClusterAllow } from "./want.ts";

/** Addresses that are reached on the same ports. */
interface Reached {
  readonly ports: readonly PortRange[];
  readonly addresses: string[];
}

/**
 * Ways from pods to the cluster's API server: the address of Service default/kubernetes, for enforcers that look before it is
 * rewritten, and the addresses behind it, for those that look after. Empty where the cluster does not tell them.
 */
export function apiServerAllows(services: readonly Service[]): readonly ClusterAllow[] {
  const service = findService(services, "default", "kubernetes");
  if (service === undefined) return [];
  const reached = new Map<string, Reached>();
  const add = (address: string, ports: readonly { readonly protocol: string; readonly port: number }[]): void => {
    const ranges = mergeRanges(ports.filter(({ protocol }) => protocol.toUpperCase() === "TCP").map(({ port }) => tcp(port)));
    const key = ranges.map(portWords).join(",");
    const group = reached.get(key) ?? { ports: ranges, addresses: [] };
    reached.set(key, group);
    group.addresses.push(address);
  };
  for (const address of service.clusterIps) add(address, service.ports);
  for (const { address, ports } of service.endpoints ?? []) add(address, ports);
  return [...reached]
    .sort(([a], [b]) => compareText(a, b))
    .flatMap(([, { ports, addresses: texts }]): readonly ClusterAllow[] => {
      const addresses = fromAddressTexts(texts).set;
      if (ports.length === 0 || isEmpty(addresses)) return [];
      return [{ origin: "builtin/apiserver", peers: [{ kind: "addresses", addresses }], ports }];
    });
}

function tcp(port: number): PortRange {
  return { kind: "range", protocol: "tcp", from: port, to: port };
}
