import { allOf, allPorts, noPorts, portRange, portsFromRanges, unionPorts } from "../address/ports.ts";
import type { PortRange, PortSet } from "../address/ports.ts";
import { asRecord, unknownKeys } from "./json.ts";
import type { Problems } from "./json.ts";
import type { WorldContainerPort } from "./world.ts";

/** A port by name, to be looked up in each destination pod. */
export interface NamedPort {
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly name: string;
}

interface RulePorts {
  readonly ports: PortSet;
  readonly namedPorts: readonly NamedPort[];
}

/**
 * `ports` of a rule. No entries: everything. An entry: protocol (TCP unless given; SCTP is never TCP) with no port (all of it), a
 * number, a number and an inclusive endPort, or a name. What is not valid allows nothing and is a problem.
 */
export function readPorts(entries: readonly unknown[], at: string, problems: Problems): RulePorts {
  if (entries.length === 0) return { ports: allPorts, namedPorts: [] };
  let ports = noPorts;
  const ranges: PortRange[] = [];
  const namedPorts: NamedPort[] = [];
  for (const [index, value] of entries.entries()) {
    const where = `${at}.ports[${index}]`;
    const entry = asRecord(value, where, problems);
    if (unknownKeys(entry, ["protocol", "port", "endPort"], where, problems)) continue;
    const read = readEntry(entry);
    if (read === undefined) problems.push(`${where} is not a valid port; it allows nothing here`);
    else if ("name" in read) namedPorts.push(read);
    else if ("first" in read) ranges.push(read);
    else ports = unionPorts(ports, allOf(read.protocol));
  }
  return { ports: unionPorts(ports, portsFromRanges(ranges)), namedPorts };
}

/** Numbers that a pod's declared ports give to the names; by protocol too, so that two ports of one name stay apart. */
export function resolveNamedPorts(named: readonly NamedPort[], declared: readonly WorldContainerPort[] | undefined): PortSet {
  let ports = noPorts;
  for (const { protocol, name } of named) {
    for (const port of declared ?? []) {
      const isSame = port.name === name && (port.protocol ?? "TCP").toLowerCase() === protocol;
      if (isSame) ports = unionPorts(ports, portRange(protocol, port.containerPort));
    }
  }
  return ports;
}

/** The numbers that a pod gives to one name, in the order in which its containers, then its sidecars, declare them. */
export function namedContainerPorts(
  protocol: NamedPort["protocol"],
  name: string,
  declared: readonly WorldContainerPort[] | undefined,
): readonly number[] {
  return (declared ?? [])
    .filter((port) => port.name === name && (port.protocol ?? "TCP").toLowerCase() === protocol)
    .map(({ containerPort }) => containerPort);
}

function readEntry(
  entry: Readonly<Record<string, unknown>>,
): NamedPort | PortRange | { readonly protocol: NamedPort["protocol"] } | undefined {
  const protocol = readProtocol(entry["protocol"]);
  if (protocol === undefined) return undefined;
  const port = entry["port"] ?? undefined;
  const endPort = entry["endPort"] ?? undefined;
  if (port === undefined) return endPort === undefined ? { protocol } : undefined;
  if (typeof port === "string") return endPort === undefined && port !== "" ? { protocol, name: port } : undefined;
  const last = endPort ?? port;
  if (!isPortNumber(port) || !isPortNumber(last) || last < port) return undefined;
  return { protocol, first: port, last };
}

function readProtocol(value: unknown): NamedPort["protocol"] | undefined {
  switch (value ?? "TCP") {
    case "TCP":
      return "tcp";
    case "UDP":
      return "udp";
    case "SCTP":
      return "sctp";
    default:
      return undefined;
  }
}

function isPortNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 65535;
}
