import { emptySet, fromAddresses, fromPrefixes, union } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import { allOf, allPorts, noPorts, portRange, unionPorts } from "../address/ports.ts";
import type { PortSet } from "../address/ports.ts";
import { matches } from "../selector/index.ts";
import type { LabelSelector } from "../selector/index.ts";
import { isGiven, readCidr } from "./compile-block.ts";
import type { NamedPort } from "./compile-ports.ts";
import type { CompiledPolicy, CompiledRule, PeerSelector, RuleAction, TierPlace } from "./compiled.ts";
import { asList, asRecord, readSelector, unknownKeys } from "./json.ts";
import type { Problems } from "./json.ts";
import { parsedAddresses } from "./world.ts";
import type { PolicyObject, WorldNode } from "./world.ts";

/** Kinds of cluster-wide policies that stand above and below NetworkPolicy. */
export const TIER_KINDS = ["AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy"] as const;

export type TierKind = (typeof TIER_KINDS)[number];

/** True for the kind of a cluster-wide policy. */
export function isTierKind(kind: string | undefined): kind is TierKind {
  return TIER_KINDS.some((known) => known === kind);
}

type Json = Readonly<Record<string, unknown>>;

const ACTIONS: Readonly<Record<string, RuleAction>> = { Accept: "accept", Allow: "accept", Deny: "deny", Pass: "pass" };

/**
 * Reads an AdminNetworkPolicy or BaselineAdminNetworkPolicy (v1alpha1) or a ClusterNetworkPolicy (v1alpha2).
 *
 * What is not understood fails closed, as the API asks: an Accept rule matches nothing then, a Deny or Pass rule denies everything;
 * so does a subject that cannot be read deny everything to every pod. `nodes` are what node peers select; node peers are the
 * addresses of those nodes.
 */
export function compileTierPolicy(object: PolicyObject, kind: TierKind, nodes: readonly WorldNode[]): CompiledPolicy {
  const problems: string[] = [];
  const spec = asRecord(object.spec, "spec", problems);
  const place = kind === "ClusterNetworkPolicy" ? ["tier", "priority"] : kind === "AdminNetworkPolicy" ? ["priority"] : [];
  unknownKeys(spec, [...place, "subject", "ingress", "egress"], "spec", problems);
  const tier = readPlace(kind, spec, problems);
  const subject = readSubject(spec["subject"], problems);
  const read = (direction: "ingress" | "egress", end: "from" | "to"): readonly CompiledRule[] | null => {
    const rules = asList(spec[direction], direction, problems).map((rule, index) =>
      readRule(rule, index, { kind, direction, end, nodes }, problems),
    );
    return rules.length === 0 ? null : rules;
  };
  const [ingress, egress] = [read("ingress", "from"), read("egress", "to")];
  const { name } = object.metadata;
  return {
    kind,
    namespace: "",
    name,
    subjects: subject.pods,
    tier: { ...tier, namespaces: subject.namespaces },
    ingress,
    egress,
    problems,
  };
}

function readPlace(kind: TierKind, spec: Json, problems: Problems): Omit<TierPlace, "namespaces"> {
  if (kind === "BaselineAdminNetworkPolicy") return { level: "baseline", priority: 0 };
  const priority = spec["priority"];
  if (typeof priority !== "number" || !Number.isInteger(priority)) problems.push("priority is not a number");
  if (kind === "ClusterNetworkPolicy" && spec["tier"] !== "Admin" && spec["tier"] !== "Baseline") problems.push("tier is unknown");
  const level = kind === "ClusterNetworkPolicy" && spec["tier"] === "Baseline" ? "baseline" : "admin";
  return { level, priority: typeof priority === "number" ? priority : 0 };
}

interface PodsAndNamespaces {
  readonly namespaces: LabelSelector;
  readonly pods: LabelSelector;
}

/** Every pod when it cannot be read: rules that deny must not lose their subject. */
function readSubject(value: unknown, problems: Problems): PodsAndNamespaces {
  const before = problems.length;
  const subject = asRecord(value, "subject", problems);
  unknownKeys(subject, ["namespaces", "pods"], "subject", problems);
  if (isGiven(subject["namespaces"]) === isGiven(subject["pods"])) problems.push("subject must be either namespaces or pods");
  const read = problems.length === before ? readNamespaced(subject, "subject", problems) : undefined;
  return problems.length === before && read !== undefined ? read : { namespaces: {}, pods: {} };
}

/** `namespaces: SELECTOR`, or `pods: {namespaceSelector, podSelector}`. */
function readNamespaced(record: Json, at: string, problems: Problems): PodsAndNamespaces {
  if (isGiven(record["namespaces"])) {
    return { namespaces: readSelector(record["namespaces"], `${at}.namespaces`, problems), pods: {} };
  }
  const pods = asRecord(record["pods"], `${at}.pods`, problems);
  unknownKeys(pods, ["namespaceSelector", "podSelector"], `${at}.pods`, problems);
  return {
    namespaces: readSelector(pods["namespaceSelector"], `${at}.pods.namespaceSelector`, problems),
    pods: readSelector(pods["podSelector"], `${at}.pods.podSelector`, problems),
  };
}

interface RuleContext {
  readonly kind: TierKind;
  readonly direction: "ingress" | "egress";
  readonly end: "from" | "to";
  readonly nodes: readonly WorldNode[];
}

function readRule(value: unknown, index: number, context: RuleContext, problems: Problems): CompiledRule {
  const at = `${context.direction}[${index}]`;
  const before = problems.length;
  const rule = asRecord(value, at, problems);
  const portsKey = context.kind === "ClusterNetworkPolicy" ? "protocols" : "ports";
  unknownKeys(rule, ["name", "action", context.end, portsKey], at, problems);
  const action = typeof rule["action"] === "string" && Object.hasOwn(ACTIONS, rule["action"]) ? ACTIONS[rule["action"]] : undefined;
  if (action === undefined) problems.push(`${at}.action is unknown`);
  const doubts: string[] = [];
  const peers = readPeers(
    asList(rule[context.end], `${at}.${context.end}`, problems),
    `${at}.${context.end}`,
    context,
    problems,
    doubts,
  );
  const { ports, namedPorts } = readTierPorts(rule[portsKey], `${at}.${portsKey}`, context.kind, problems);
  const isBroken = problems.length > before;
  problems.push(...doubts);
  if (!isBroken && action !== undefined) return { index, action, peers, ports, namedPorts };
  if (action === "accept") return { index, action, peers: { selectors: [], addresses: emptySet }, ports: noPorts, namedPorts: [] };
  return { index, action: "deny", peers: "any", ports: allPorts, namedPorts: [] };
}

function readPeers(
  peers: readonly unknown[],
  at: string,
  context: RuleContext,
  problems: Problems,
  doubts: Problems,
): Exclude<CompiledRule["peers"], "any"> {
  const selectors: PeerSelector[] = [];
  let addresses = emptySet;
  if (peers.length === 0) problems.push(`${at} is empty`);
  const kinds = context.end === "from" ? ["namespaces", "pods"] : ["namespaces", "pods", "nodes", "networks", "domainNames"];
  for (const [position, value] of peers.entries()) {
    const where = `${at}[${position}]`;
    const peer = asRecord(value, where, problems);
    unknownKeys(peer, kinds, where, problems);
    const given = kinds.filter((kind) => isGiven(peer[kind]));
    if (given.length !== 1) problems.push(`${where} must be exactly one of ${kinds.join(", ")}`);
    else if (given[0] === "networks") addresses = union(addresses, readNetworks(peer["networks"], `${where}.networks`, problems));
    else if (given[0] === "nodes")
      addresses = union(addresses, readNodes(peer["nodes"], `${where}.nodes`, context.nodes, problems));
    else if (given[0] === "domainNames") doubts.push(`${where}.domainNames: names are not resolved; they match nothing here`);
    else {
      const { namespaces, pods } = readNamespaced(peer, where, problems);
      selectors.push({ namespaces, pods, isEveryPod: Object.keys(pods).length === 0 });
    }
  }
  return { selectors, addresses };
}

function readNetworks(value: unknown, at: string, problems: Problems): AddressSet {
  const prefixes = asList(value, at, problems).map((text, index) => readCidr(text, `${at}[${index}]`, problems));
  return fromPrefixes(prefixes.filter((prefix) => prefix !== undefined));
}

function readNodes(value: unknown, at: string, nodes: readonly WorldNode[], problems: Problems): AddressSet {
  const selector = readSelector(value, at, problems);
  const selected = nodes.filter((node) => matches(selector, node.labels ?? {}));
  return fromAddresses(selected.flatMap((node) => parsedAddresses(node.addresses)));
}

interface TierPorts {
  readonly ports: PortSet;
  readonly namedPorts: readonly NamedPort[];
}

/** A name has no protocol here: it is whatever the destination pod declares under it. */
function anyProtocol(name: string): readonly NamedPort[] {
  return (["tcp", "udp", "sctp"] as const).map((protocol) => ({ protocol, name }));
}

function readTierPorts(value: unknown, at: string, kind: TierKind, problems: Problems): TierPorts {
  if (!isGiven(value)) return { ports: allPorts, namedPorts: [] };
  const read = kind === "ClusterNetworkPolicy" ? readProtocol : readPort;
  const entries = asList(value, at, problems).map((entry, index) => read(asRecord(entry, `${at}[${index}]`, problems)));
  if (entries.some((entry) => entry === undefined)) problems.push(`${at} has an entry that is not known`);
  if (entries.length === 0) return { ports: allPorts, namedPorts: [] };
  const known = entries.filter((entry) => entry !== undefined);
  return {
    ports: known.reduce((all, entry) => unionPorts(all, entry.ports), noPorts),
    namedPorts: known.flatMap((entry) => entry.namedPorts),
  };
}

/** v1alpha1: `portNumber: {protocol, port}`, `portRange: {protocol, start, end}` or `namedPort: NAME`. */
function readPort(entry: Json): TierPorts | undefined {
  const [kind, ...more] = Object.keys(entry).filter((key) => isGiven(entry[key]));
  const value = kind === undefined ? undefined : entry[kind];
  if (kind === undefined || more.length > 0) return undefined;
  if (kind === "namedPort") return typeof value === "string" ? { ports: noPorts, namedPorts: anyProtocol(value) } : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  const fields = value as Json; // an object, just checked
  const protocol = protocolOf(fields["protocol"] ?? "TCP");
  if (kind === "portNumber") return readRange(protocol, fields["port"], fields["port"]);
  return kind === "portRange" ? readRange(protocol, fields["start"], fields["end"]) : undefined;
}

/** v1alpha2: `tcp`, `udp` or `sctp`, each `{destinationPort: {number | range: {start, end}}}`, or `destinationNamedPort: NAME`. */
function readProtocol(entry: Json): TierPorts | undefined {
  const [kind, ...more] = Object.keys(entry).filter((key) => isGiven(entry[key]));
  const value = kind === undefined ? undefined : entry[kind];
  if (kind === undefined || more.length > 0) return undefined;
  if (kind === "destinationNamedPort")
    return typeof value === "string" ? { ports: noPorts, namedPorts: anyProtocol(value) } : undefined;
  const protocol = protocolOf(kind.toUpperCase());
  if (protocol === undefined || kind !== protocol || typeof value !== "object" || value === null) return undefined;
  const { destinationPort } = value as Json; // an object, just checked
  if (!isGiven(destinationPort)) return { ports: allOf(protocol), namedPorts: [] };
  if (typeof destinationPort !== "object") return undefined;
  const { number, range } = destinationPort as Json; // an object, just checked
  if (isGiven(number) === isGiven(range)) return undefined;
  if (isGiven(number)) return readRange(protocol, number, number);
  if (typeof range !== "object") return undefined;
  return readRange(protocol, (range as Json)["start"], (range as Json)["end"]); // an object, just checked
}

function protocolOf(value: unknown): NamedPort["protocol"] | undefined {
  if (value === "TCP") return "tcp";
  if (value === "UDP") return "udp";
  return value === "SCTP" ? "sctp" : undefined;
}

function readRange(protocol: NamedPort["protocol"] | undefined, first: unknown, last: unknown): TierPorts | undefined {
  if (protocol === undefined || typeof first !== "number" || typeof last !== "number") return undefined;
  if (!Number.isInteger(first) || !Number.isInteger(last) || first < 1 || last > 65535 || last < first) return undefined;
  return { ports: portRange(protocol, first, last), namedPorts: [] };
}
