import { allOf, allPorts, noPorts, portRange, unionPorts } from "../address/ports.ts";
import type { PortSet } from "../address/ports.ts";
import type { Workload } from "../estate/estate.ts";
import type { NamedPort, Ports, RulePort } from "../model/kinds.ts";

/** What a rule's ports are before the responder is known. */
export interface RuleReach {
  readonly fixed: PortSet;
  /** Ports that each responder resolves. */
  readonly named: readonly NamedPort[];
}

/** What cannot be said where a rule is enforced: names on a host, ICMP in a NetworkPolicy. */
export type Unsayable = "named" | "icmp" | undefined;

/** The ports of a rule, without those that cannot be said. `any` is every protocol everywhere. */
export function reachOfPorts(ports: Ports, unsayable: Unsayable): RuleReach {
  if (ports === "any") return { fixed: allPorts, named: [] };
  const said = ports.filter(({ kind }) => kind !== unsayable);
  return {
    fixed: said.map(fixedPorts).reduce(unionPorts, noPorts),
    named: said.filter((port) => port.kind === "named"),
  };
}

/** The ports that these names are at one responder; a workload without the name has none. */
export function resolveNames(named: readonly NamedPort[], responder: Workload): PortSet {
  return named
    .flatMap(({ protocol, name }) => responder.ports.filter((port) => port.name === name && port.protocol === protocol))
    .map(({ protocol, port }) => portRange(protocol, port))
    .reduce(unionPorts, noPorts);
}

function fixedPorts(port: RulePort): PortSet {
  switch (port.kind) {
    case "range":
      return portRange(port.protocol, port.from, port.to);
    case "named":
      return noPorts;
    case "icmp":
      if (port.type === undefined) return allOf(port.protocol);
      return port.code === undefined
        ? portRange(port.protocol, port.type * 256, port.type * 256 + 255)
        : portRange(port.protocol, port.type * 256 + port.code);
    default:
      return port satisfies never;
  }
}
