import type { Direction, NamedPort, Rule } from "../model/kinds.ts";
import type { Note } from "../model/note.ts";
import type { Target } from "../model/target.ts";
import { portWords } from "./ports.ts";

type HostTarget = Extract<Target, { kind: "host" }>;

/** No name server is known that a way could be opened to. */
export function noteResolvers(target: HostTarget, resolvers: readonly string[]): Note {
  const found = resolvers.length === 0 ? "no name server" : "only a local stub";
  return {
    severity: "info",
    code: "dns-unknown",
    at: target.host.at,
    summary: `builtin/dns: resolv.conf of ${target.id} names ${found}, so no way to a name server is opened`,
    detail: "Add a rule to the servers it asks, if it resolves names.",
  };
}

/** Time servers that the host's configuration has by name. */
export function noteTimeServers(target: HostTarget, names: readonly string[]): Note {
  return {
    severity: "info",
    code: "ntp-unknown",
    at: target.host.at,
    summary: `builtin/ntp: ${target.id} names time servers by name (${names.slice(0, 5).join(", ")}), so no way to them is opened`,
    detail: "Add a rule to their addresses on 123/udp, or configure the host with addresses.",
  };
}

/** A rule that compares labels, at a host that has not all of them. */
export function noteLabelMissing(rule: Rule, target: HostTarget): Note {
  const missing = rule.same.filter((key) => !Object.hasOwn(target.host.labels, key));
  return {
    severity: "info",
    code: "matches-nothing",
    at: rule.at,
    summary: `rule ${rule.id}: ${target.id} has no label ${missing.join(", ")}, so it is allowed nothing by it`,
    detail: "A missing label equals nothing.",
  };
}

/** All peers of a rule are of a family that the host has no address of. */
export function noteFamilyMissing(rule: Rule, target: HostTarget): Note {
  return {
    severity: "info",
    code: "family-missing",
    at: rule.at,
    summary: `rule ${rule.id}: its peers and ${target.id} have no address family in common, so it allows nothing there`,
    detail: "List all addresses of the host in its fleet, IPv4 and IPv6.",
  };
}

/** Named ports at a host: only pods have them, and only their own cluster knows which number a name is. */
export function noteNamedPorts(rule: Rule, ports: readonly NamedPort[], direction: Direction, target: string): Note {
  const words = ports.map(portWords).join(", ");
  const why = direction === "ingress" ? "a host has no named ports" : "only a pod's own cluster knows its named ports";
  return {
    severity: "warning",
    code: "unenforceable-here",
    at: rule.at,
    summary: `rule ${rule.id}: ${words} means nothing at ${target}, unenforceable here: ${why}`,
    detail: "Name the number, too, if it is meant. What else the rule allows is rendered.",
  };
}
