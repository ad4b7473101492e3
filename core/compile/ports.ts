import { compareText } from "../membership/order.ts";
import type { IcmpMessages, NamedPort, PortRange, Ports, RulePort } from "../model/kinds.ts";
import type { ClusterPorts, HostPorts } from "./want.ts";

/** A rule's ports, parted into those that an enforcer can say and those it cannot. `ports` is "none" when it can say none of them. */
export interface SaidPorts<Said, Left> {
  readonly ports: Said | "none";
  readonly left: readonly Left[];
}

/** What a NetworkPolicy can say of a rule's ports: everything but ICMP. One text for one meaning. */
export function clusterPorts(ports: Ports): SaidPorts<ClusterPorts, IcmpMessages> {
  if (ports === "any") return { ports, left: [] };
  const said = [...mergeRanges(ports.filter(isRange)), ...distinct(ports.filter(isNamed))];
  return { ports: said.length === 0 ? "none" : said, left: distinct(ports.filter(isIcmp)) };
}

/** What a host's kernel can say of a rule's ports: everything but names, which only pods give. One text for one meaning. */
export function hostPorts(ports: Ports): SaidPorts<HostPorts, NamedPort> {
  if (ports === "any") return { ports, left: [] };
  const said = [...mergeRanges(ports.filter(isRange)), ...distinct(ports.filter(isIcmp))];
  return { ports: said.length === 0 ? "none" : said, left: distinct(ports.filter(isNamed)) };
}

/** Port ranges sorted (by protocol, then number), overlapping and touching ones merged. */
export function mergeRanges(ranges: readonly PortRange[]): readonly PortRange[] {
  const sorted = [...ranges].sort((a, b) => compareText(a.protocol, b.protocol) || a.from - b.from);
  const merged: PortRange[] = [];
  for (const range of sorted) {
    const last = merged.at(-1);
    if (last === undefined || last.protocol !== range.protocol || range.from > last.to + 1) merged.push(range);
    else merged[merged.length - 1] = { ...last, to: Math.max(last.to, range.to) };
  }
  return merged;
}

/** One port of a rule in the words it is written in: `8443/tcp`, `8000-8080/tcp`, `http/tcp`, `icmp/3/4`. */
export function portWords(port: RulePort): string {
  switch (port.kind) {
    case "range":
      return `${port.from === port.to ? port.from : `${port.from}-${port.to}`}/${port.protocol}`;
    case "named":
      return `${port.name}/${port.protocol}`;
    case "icmp":
      return [port.protocol, port.type, port.code].filter((part) => part !== undefined).join("/");
    default:
      return port satisfies never;
  }
}

function isRange(port: RulePort): port is PortRange {
  return port.kind === "range";
}

/** True for a port that each responding pod resolves. */
export function isNamed(port: RulePort): port is NamedPort {
  return port.kind === "named";
}

function isIcmp(port: RulePort): port is IcmpMessages {
  return port.kind === "icmp";
}

/** Sorted by their words, each once. */
function distinct<Port extends NamedPort | IcmpMessages>(ports: readonly Port[]): readonly Port[] {
  const byWords = new Map(ports.map((port) => [portWords(port), port]));
  return [...byWords].sort(([a], [b]) => compareText(a, b)).map(([, port]) => port);
}
