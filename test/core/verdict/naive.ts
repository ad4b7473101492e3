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
  let isIsolated = false;
  for (const policy of world.policies as readonly Json[]) {
    const spec = policy.spec;
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
  return !isIsolated;
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
