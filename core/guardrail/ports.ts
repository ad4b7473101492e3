import {
  allOf,
  allPorts,
  formatPorts,
  isSubsetPorts,
  noPorts,
  portRange,
  portsFromRanges,
  subtractPorts,
  unionPorts,
  type PortSet,
} from "../address/ports.ts";
import type { Workload } from "../estate/estate.ts";
import type { Ports, RulePort } from "../model/kinds.ts";

/**
 * What `any` leaves out in a guardrail, because nothing of it begins a connection: ICMP errors, ICMPv6 errors and neighbour discovery,
 * and DHCP. Hosts could not do without them, so every guardrail over hosts would be broken from the start. Named, they count.
 */
const NO_CONNECTION: PortSet = portsFromRanges([
  ...[3, 11, 12].map((type) => ({ protocol: "icmp" as const, first: type * 256, last: type * 256 + 255 })),
  { protocol: "icmpv6", first: 1 * 256, last: 4 * 256 + 255 },
  { protocol: "icmpv6", first: 130 * 256, last: 137 * 256 + 255 },
  { protocol: "udp", first: 67, last: 68 },
  { protocol: "udp", first: 546, last: 547 },
]);

const CONNECTIONS = subtractPorts(allPorts, NO_CONNECTION);

/** Ports in words; all that a guardrail's `any` means is `any`. */
export function formatAsked(ports: PortSet): string {
  return isSubsetPorts(CONNECTIONS, ports) ? "any" : formatPorts(ports);
}

/**
 * The ports of a guardrail or a test at one responder.
 *
 * @param responder whose named ports count; undefined for addresses, which have none
 */
export function portsAt(ports: Ports, responder: Workload | undefined): PortSet {
  if (ports === "any") return CONNECTIONS;
  return ports.map((port) => portAt(port, responder)).reduce(unionPorts, noPorts);
}

/** True when the answer depends on the responder's named ports. */
export function hasNames(ports: Ports): boolean {
  return ports !== "any" && ports.some(({ kind }) => kind === "named");
}

function portAt(port: RulePort, responder: Workload | undefined): PortSet {
  switch (port.kind) {
    case "range":
      return portRange(port.protocol, port.from, port.to);
    case "named":
      return portsFromRanges(
        (responder?.ports ?? [])
          .filter(({ name, protocol }) => name === port.name && protocol === port.protocol)
          .map(({ protocol, port: number }) => ({ protocol, first: number, last: number })),
      );
    case "icmp": {
      if (port.type === undefined) return allOf(port.protocol);
      const first = port.type * 256 + (port.code ?? 0);
      return portRange(port.protocol, first, port.code === undefined ? first + 255 : first);
    }
    default:
      return port satisfies never;
  }
}
