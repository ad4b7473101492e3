import { emptySet, formatSet, fromPrefixes, isEmpty, isSubset, parsePrefix, subtract, unionAll } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import { allOf, allPorts, formatPorts, isSubsetPorts, portRange, portRanges, portsFromRanges } from "../address/ports.ts";
import type { PortSet } from "../address/ports.ts";
import { compareText, sortedTexts } from "../membership/order.ts";
import type { Direction } from "../model/kinds.ts";
import type { NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicyRule, NetworkPolicySpec } from "../render/networkpolicy-types.ts";
import { selectorKey } from "../selector/index.ts";
import type { LabelSelector } from "../selector/index.ts";

/** Who a rule lets in or out. Pod peers are canonical texts; address blocks are one set, whatever their order or cut. */
export type NormalPeers =
  | { readonly kind: "any" }
  | { readonly kind: "some"; readonly pods: readonly string[]; readonly addresses: AddressSet; readonly unread: readonly string[] };

/** A rule with the API server's defaults applied and order taken out. */
export interface NormalRule {
  readonly peers: NormalPeers;
  /** Numbers of tcp, udp and sctp; everything for a rule without ports. */
  readonly ports: PortSet;
  /** Named ports and unknown protocols, which only their own text equals. */
  readonly otherPorts: readonly string[];
}

/** A spec with the API server's defaults applied and order taken out. */
export interface NormalSpec {
  readonly selector: LabelSelector;
  /** Canonical text of the selector. */
  readonly subject: string;
  /** Absent: the object does not isolate in this direction. */
  readonly ingress: readonly NormalRule[] | undefined;
  readonly egress: readonly NormalRule[] | undefined;
  /** Rules of a direction that policyTypes leaves out: without effect, but not what we wrote. */
  readonly inert: string;
}

const PORT_PROTOCOLS = { TCP: "tcp", UDP: "udp", SCTP: "sctp" } as const;

/**
 * A spec as the API server stores it, ready to compare: policyTypes as it defaults them (Ingress always, Egress with egress rules),
 * protocol TCP, absent and empty lists alike, a namespaceSelector alone meaning all of its pods.
 */
export function normaliseSpec(spec: NetworkPolicySpec): NormalSpec {
  const types = policyTypes(spec);
  const selector = spec.podSelector ?? {};
  const ingress = (spec.ingress ?? []).map((rule) => normaliseRule(rule.from, rule));
  const egress = (spec.egress ?? []).map((rule) => normaliseRule(rule.to, rule));
  const inert = [types.includes("Ingress") ? [] : ingress, types.includes("Egress") ? [] : egress];
  return {
    selector,
    subject: selectorText(selector),
    ingress: types.includes("Ingress") ? ingress : undefined,
    egress: types.includes("Egress") ? egress : undefined,
    inert: inert.map((rules) => rulesKey(rules)).join(" "),
  };
}

/** The directions a spec isolates in. */
export function isolatedDirections(spec: NetworkPolicySpec): readonly Direction[] {
  const types = policyTypes(spec);
  return [...(types.includes("Ingress") ? (["ingress"] as const) : []), ...(types.includes("Egress") ? (["egress"] as const) : [])];
}

/** One text for one meaning: two specs are the same to us exactly when their keys are equal. */
export function specKey(spec: NetworkPolicySpec): string {
  return normalKey(normaliseSpec(spec), (rules) => rulesKey(rules));
}

/** As `specKey`, without the elements of address sets: rules of addresses only are left out, since an empty set renders none. */
export function specKeyWithoutAddresses(spec: NetworkPolicySpec): string {
  return normalKey(normaliseSpec(spec), (rules) => rulesKey(rules.flatMap(withoutAddresses)));
}

/** Peers, exceptions, ports and requirements in an object. Nothing that we render has as many; somebody else's may. */
const VAST = 20_000;

/** True for a spec that is larger than any of ours, whatever its mark says: what it means rule by rule is not worth asking. */
export function isVast(spec: NetworkPolicySpec): boolean {
  let parts = requirements(spec.podSelector);
  for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])] as readonly AnyRule[]) {
    parts += 1 + (rule.ports?.length ?? 0);
    for (const { ipBlock, podSelector, namespaceSelector } of [...(rule.from ?? []), ...(rule.to ?? [])])
      parts += 1 + (ipBlock?.except?.length ?? 0) + requirements(podSelector) + requirements(namespaceSelector);
    if (parts > VAST) return true;
  }
  return parts > VAST;
}

type AnyRule = NetworkPolicyRule<"from"> & NetworkPolicyRule<"to">;

function requirements({ matchLabels = {}, matchExpressions = [] }: LabelSelector = {}): number {
  return Object.keys(matchLabels).length + matchExpressions.reduce((sum, { values = [] }) => sum + 1 + values.length, 0);
}

/** Canonical text of a rule without the elements of its address set: equal for two rules that differ in nothing else. */
export function ruleKeyWithoutAddresses(rule: NormalRule): string {
  return ruleKey(rule.peers.kind === "any" ? rule : { ...rule, peers: { ...rule.peers, addresses: emptySet } });
}

/** True when every connection that `narrow` allows is allowed by one of the rules. False may also mean: not provable rule by rule. */
export function areCovered(narrow: readonly NormalRule[], wide: readonly NormalRule[]): boolean {
  return narrow.every((rule) => wide.some((other) => covers(other, rule)));
}

function policyTypes(spec: NetworkPolicySpec): readonly ("Ingress" | "Egress")[] {
  if (spec.policyTypes !== undefined && spec.policyTypes.length > 0) return spec.policyTypes;
  return (spec.egress ?? []).length > 0 ? ["Ingress", "Egress"] : ["Ingress"];
}

function normaliseRule(peers: readonly NetworkPolicyPeer[] | undefined, rule: NetworkPolicyRule<"from" | "to">): NormalRule {
  const ports = rule.ports ?? [];
  const read = ports.map(normalisePort);
  return {
    peers: peers === undefined || peers.length === 0 ? { kind: "any" } : normalisePeers(peers),
    ports: ports.length === 0 ? allPorts : unionOfPorts(read.filter((port) => typeof port !== "string")),
    otherPorts: sortedTexts(read.filter((port) => typeof port === "string")),
  };
}

/** All of them at once: one rule may list tens of thousands. */
function unionOfPorts(sets: readonly PortSet[]): PortSet {
  return portsFromRanges(sets.flatMap((ports) => portRanges(ports)));
}

function normalisePeers(peers: readonly NetworkPolicyPeer[]): NormalPeers {
  const pods: string[] = [];
  const sets: AddressSet[] = [];
  const unread: string[] = [];
  for (const peer of peers) {
    if (peer.ipBlock === undefined) {
      const namespaces = peer.namespaceSelector === undefined ? "own" : selectorText(peer.namespaceSelector);
      pods.push(`${namespaces} ${selectorText(peer.podSelector ?? {})}`);
      continue;
    }
    const set = blockSet(peer.ipBlock);
    if (set === undefined) unread.push(JSON.stringify(peer.ipBlock));
    else sets.push(set);
  }
  return { kind: "some", pods: sortedTexts(pods), addresses: unionAll(sets), unread: sortedTexts(unread) };
}

function blockSet({ cidr, except = [] }: NonNullable<NetworkPolicyPeer["ipBlock"]>): AddressSet | undefined {
  const block = prefixSet(cidr);
  const holes = except.map(prefixSet);
  if (block === undefined || holes.includes(undefined)) return undefined;
  return subtract(block, unionAll(holes.filter((hole) => hole !== undefined)));
}

/** Kubernetes masks host bits, so a block with some means its network. */
function prefixSet(text: string): AddressSet | undefined {
  const parsed = parsePrefix(text);
  if ("ok" in parsed) return fromPrefixes([parsed.ok]);
  return parsed.corrected === undefined ? undefined : fromPrefixes([parsed.corrected]);
}

function normalisePort({ protocol = "TCP", port, endPort }: NetworkPolicyPort): PortSet | string {
  if (!Object.hasOwn(PORT_PROTOCOLS, protocol) || typeof port === "string") return `${protocol} ${port ?? ""} ${endPort ?? ""}`;
  const name = PORT_PROTOCOLS[protocol as keyof typeof PORT_PROTOCOLS]; // checked just now
  return port === undefined ? allOf(name) : portRange(name, port, endPort ?? port);
}

/** Canonical text; one with an operator that Kubernetes does not have equals only itself. */
function selectorText(selector: LabelSelector): string {
  const known = ["In", "NotIn", "Exists", "DoesNotExist"];
  const isReadable = (selector.matchExpressions ?? []).every(({ operator }) => known.includes(operator));
  return isReadable ? selectorKey(selector) : `unread ${JSON.stringify(selector)}`;
}

function normalKey(spec: NormalSpec, keyOf: (rules: readonly NormalRule[]) => string): string {
  const direction = (rules: readonly NormalRule[] | undefined): string => (rules === undefined ? "open" : keyOf(rules));
  return JSON.stringify([spec.subject, direction(spec.ingress), direction(spec.egress), spec.inert]);
}

function rulesKey(rules: readonly NormalRule[]): string {
  return JSON.stringify([...new Set(rules.map(ruleKey))].sort(compareText));
}

function ruleKey({ peers, ports, otherPorts }: NormalRule): string {
  const who = peers.kind === "any" ? "any" : [peers.pods, formatSet(peers.addresses), peers.unread];
  return JSON.stringify([who, formatPorts(ports), otherPorts]);
}

function withoutAddresses(rule: NormalRule): readonly NormalRule[] {
  if (rule.peers.kind === "any" || isEmpty(rule.peers.addresses)) return [rule];
  if (rule.peers.pods.length === 0 && rule.peers.unread.length === 0) return [];
  return [{ ...rule, peers: { ...rule.peers, addresses: emptySet } }];
}

function covers(wide: NormalRule, narrow: NormalRule): boolean {
  if (!isSubsetPorts(narrow.ports, wide.ports)) return false;
  if (!isSubsetPorts(allPorts, wide.ports) && !narrow.otherPorts.every((port) => wide.otherPorts.includes(port))) return false;
  if (wide.peers.kind === "any") return true;
  if (narrow.peers.kind === "any") return false;
  const { pods, addresses, unread } = wide.peers;
  const hasAll =
    narrow.peers.pods.every((peer) => pods.includes(peer)) && narrow.peers.unread.every((peer) => unread.includes(peer));
  return hasAll && isSubset(narrow.peers.addresses, addresses);
}
