/* oxlint-disable typescript/no-unsafe-call, typescript/no-unsafe-argument -- raw JSON, read as loosely as a first draft would */
import { BlockList, isIP } from "node:net";
import { KUBE_NETWORK_POLICIES } from "../../../core/verdict/profile.ts";
import type { Profile } from "../../../core/verdict/profile.ts";
import type { World, WorldPod } from "../../../core/verdict/world.ts";

/**
 * A second reading of NetworkPolicy, written to be obvious and slow: one connection at a time, straight from the JSON, with Node's
 * own block lists. It shares no code with the engine.
 */
export interface Probe {
  readonly from: WorldPod | string;
  readonly to: WorldPod | string;
  readonly protocol: "TCP" | "UDP" | "SCTP";
  readonly port: number;
}

// oxlint-disable-next-line typescript/no-explicit-any -- raw JSON, read as loosely as a first draft would
type Json = any;

export function naiveAllows(world: World, probe: Probe, profile: Profile = KUBE_NETWORK_POLICIES): boolean {
  return [4, 6].some((family) => inFamily(world, probe, profile, family));
}

function inFamily(world: World, { from, to, protocol, port }: Probe, profile: Profile, family: number): boolean {
  const source = addressOf(from, family);
  const target = addressOf(to, family);
  if (source === undefined || target === undefined) return false;
  if (from === to) return true;
  const out = typeof from === "string" || endAllows(world, from, to, target, to, protocol, port, "egress", profile);
  const into = typeof to === "string" || endAllows(world, to, from, source, to, protocol, port, "ingress", profile);
  return out && into;
}

function addressOf(end: WorldPod | string, family: number): string | undefined {
  const addresses = typeof end === "string" ? [end] : end.addresses;
  return addresses.find((address) => isIP(address) === family);
}

function endAllows(
  world: World,
  subject: WorldPod,
  peer: WorldPod | string,
  peerAddress: string,
  destination: WorldPod | string,
  protocol: string,
  port: number,
  direction: "ingress" | "egress",
  profile: Profile,
): boolean {
  if (subject.hostNetwork) return true;
  const ask = (tier: string): string => tierAction(world, tier, subject, peer, peerAddress, destination, protocol, port, direction);
  const admin = ask("admin");
  if (admin !== "pass") return admin === "accept";
  let isIsolated = false;
  for (const policy of world.policies as readonly Json[]) {
    const spec = policy.spec;
    if (policy.kind !== "NetworkPolicy") continue;
    if (policy.metadata.namespace !== subject.namespace || !labelsMatch(spec.podSelector, subject.labels)) continue;
    const types = spec.policyTypes ?? (spec.egress?.length ? ["Ingress", "Egress"] : ["Ingress"]);
    if (!types.includes(direction === "ingress" ? "Ingress" : "Egress")) continue;
    isIsolated = true;
    for (const rule of spec[direction] ?? []) {
      const peers = direction === "ingress" ? rule.from : rule.to;
      const isPeer =
        !peers?.length ||
        peers.some((item: Json) => peerMatches(world, item, policy.metadata.namespace, peer, peerAddress, profile));
      const isPort = !rule.ports?.length || rule.ports.some((item: Json) => portMatches(item, destination, protocol, port));
      if (isPeer && isPort) return true;
    }
  }
  return !isIsolated && ask("baseline") !== "deny";
}

/** `accept` or `deny` of the first rule that matches, in order of priority; `pass` when that says so or there is none. */
function tierAction(
  world: World,
  tier: string,
  subject: WorldPod,
  peer: WorldPod | string,
  peerAddress: string,
  destination: WorldPod | string,
  protocol: string,
  port: number,
  direction: "ingress" | "egress",
): string {
  const levelOf = (policy: Json): string =>
    policy.kind === "AdminNetworkPolicy"
      ? "admin"
      : policy.kind === "BaselineAdminNetworkPolicy"
        ? "baseline"
        : policy.spec.tier?.toLowerCase();
  const policies = (world.policies as readonly Json[])
    .filter((policy) => levelOf(policy) === tier)
    .sort((a, b) => (a.spec.priority ?? 0) - (b.spec.priority ?? 0));
  for (const { spec } of policies) {
    if (!selects(world, spec.subject, subject)) continue;
    for (const rule of spec[direction] ?? []) {
      const peers = direction === "ingress" ? rule.from : rule.to;
      const isPeer = peers.some((item: Json) => tierPeerMatches(world, item, peer, peerAddress));
      const ports = rule.ports ?? rule.protocols;
      const isPort = !ports?.length || ports.some((item: Json) => tierPortMatches(item, destination, protocol, port));
      if (isPeer && isPort) return rule.action === "Allow" ? "accept" : rule.action.toLowerCase();
    }
  }
  return "pass";
}

function selects(world: World, { namespaces, pods }: Json, pod: WorldPod): boolean {
  const labels = world.namespaces.find((candidate) => candidate.name === pod.namespace)?.labels ?? {};
  return namespaces
    ? labelsMatch(namespaces, labels)
    : labelsMatch(pods.namespaceSelector, labels) && labelsMatch(pods.podSelector, pod.labels);
}

function tierPeerMatches(world: World, item: Json, peer: WorldPod | string, address: string): boolean {
  const isNode = typeof peer !== "string" && peer.hostNetwork;
  if (item.networks || item.nodes) {
    if (item.networks) return item.networks.some((cidr: string) => inBlock(cidr, address));
    return (world.nodes ?? []).some((node) => labelsMatch(item.nodes, node.labels ?? {}) && node.addresses.includes(address));
  }
  return typeof peer !== "string" && !isNode && selects(world, item, peer);
}

function tierPortMatches(item: Json, destination: WorldPod | string, protocol: string, port: number): boolean {
  const name = item.namedPort ?? item.destinationNamedPort;
  if (name) {
    if (typeof destination === "string" || destination.hostNetwork) return false;
    return (destination.ports ?? []).some(
      (declared) => declared.name === name && (declared.protocol ?? "TCP") === protocol && declared.containerPort === port,
    );
  }
  if (item.portNumber) return (item.portNumber.protocol ?? "TCP") === protocol && item.portNumber.port === port;
  if (item.portRange)
    return (item.portRange.protocol ?? "TCP") === protocol && port >= item.portRange.start && port <= item.portRange.end;
  const fields = item[protocol.toLowerCase()];
  if (!fields) return false;
  const { number, range } = fields.destinationPort ?? {};
  return number ? number === port : !range || (port >= range.start && port <= range.end);
}

function peerMatches(
  world: World,
  item: Json,
  namespace: string,
  peer: WorldPod | string,
  address: string,
  profile: Profile,
): boolean {
  if (item.ipBlock) {
    if (typeof peer !== "string" && !(peer.hostNetwork ? profile.ipBlockMatchesNodes : profile.ipBlockMatchesPods)) return false;
    return inBlock(item.ipBlock.cidr, address) && !(item.ipBlock.except ?? []).some((hole: string) => inBlock(hole, address));
  }
  if (typeof peer === "string" || peer.hostNetwork) return false;
  if (!item.namespaceSelector) return peer.namespace === namespace && labelsMatch(item.podSelector, peer.labels);
  const labels = world.namespaces.find((candidate) => candidate.name === peer.namespace)?.labels ?? {};
  return labelsMatch(item.namespaceSelector, labels) && labelsMatch(item.podSelector, peer.labels);
}

function labelsMatch(selector: Json, labels: Json): boolean {
  const exact = Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return (
    exact &&
    (selector?.matchExpressions ?? []).every((item: Json) => {
      if (item.operator === "In") return item.values.includes(labels[item.key]);
      if (item.operator === "NotIn") return !item.values.includes(labels[item.key]);
      return item.operator === "Exists" ? item.key in labels : !(item.key in labels);
    })
  );
}

function portMatches(item: Json, destination: WorldPod | string, protocol: string, port: number): boolean {
  if ((item.protocol ?? "TCP") !== protocol) return false;
  if (item.port === undefined) return true;
  if (typeof item.port === "number") return port >= item.port && port <= (item.endPort ?? item.port);
  if (typeof destination === "string" || destination.hostNetwork) return false;
  return (destination.ports ?? []).some(
    (declared) => declared.name === item.port && (declared.protocol ?? "TCP") === protocol && declared.containerPort === port,
  );
}

function inBlock(cidr: string, address: string): boolean {
  const [network = "", length = ""] = cidr.split("/");
  const family = isIP(network) === 4 ? "ipv4" : "ipv6";
  if (isIP(address) !== isIP(network)) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(length), family);
  return list.check(address, family);
}
