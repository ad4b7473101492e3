import { isEmpty, toCidrBlocks, union } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec } from "../render/networkpolicy-types.ts";
import { areCovered, isolatedDirections, normaliseSpec, ruleKeyWithoutAddresses } from "./defaulting.ts";
import type { NormalRule } from "./defaulting.ts";

/** A rule of either direction with its peers under one name. */
interface PeerRule {
  readonly peers: readonly NetworkPolicyPeer[] | undefined;
  readonly ports: readonly NetworkPolicyPort[] | undefined;
  readonly normal: NormalRule;
}

/**
 * The wanted object with every address that the live one lets through in addition.
 *
 * For a start without a store: memberships are rebuilt from live sets, and no set shrinks until each feeding target has had one
 * complete observation. Label peers and ports are taken from the wanted object alone.
 */
export function keepLiveAddresses(wanted: NetworkPolicy, live: NetworkPolicy): NetworkPolicy {
  const isIngress = isolatedDirections(wanted.spec).includes("ingress");
  const asked = rulesOf(wanted.spec, isIngress);
  const rules = [...asked];
  const left: PeerRule[] = [];
  for (const rule of rulesOf(live.spec, isIngress)) {
    const addresses = addressesOf(rule);
    if (addresses === undefined) continue;
    const bare = onlyAddresses(rule, addresses);
    if (isCovered(bare, asked)) continue;
    const exact = indexOfRule(rules, rule.normal);
    const index = exact >= 0 ? exact : indexOfRule(rules, bare.normal);
    const match = rules[index];
    if (match === undefined) left.push(bare);
    else rules[index] = withAddresses(match, addresses);
  }
  return { ...wanted, spec: { ...wanted.spec, ...writeRules([...rules, ...joinLeft(left, rules)], isIngress) } };
}

/** Live addresses without a wanted rule to join: one rule per ports, without those that another rule covers. */
function joinLeft(left: readonly PeerRule[], rules: readonly PeerRule[]): readonly PeerRule[] {
  const joined: PeerRule[] = [];
  for (const rule of left) {
    const index = indexOfRule(joined, rule.normal);
    const match = joined[index];
    const addresses = addressesOf(rule);
    if (match === undefined || addresses === undefined) joined.push(rule);
    else joined[index] = withAddresses(match, addresses);
  }
  return joined.filter((rule) => !isCovered(rule, [...rules, ...joined.filter((one) => one !== rule)]));
}

function isCovered(rule: PeerRule, rules: readonly PeerRule[]): boolean {
  return areCovered(
    [rule.normal],
    rules.map(({ normal }) => normal),
  );
}

function onlyAddresses(rule: PeerRule, addresses: AddressSet): PeerRule {
  const peers = (rule.peers ?? []).filter((peer) => peer.ipBlock !== undefined);
  return { peers, ports: rule.ports, normal: { ...rule.normal, peers: { kind: "some", pods: [], addresses, unread: [] } } };
}

/** The rule that differs from this one in its addresses at most. */
function indexOfRule(rules: readonly PeerRule[], rule: NormalRule): number {
  const key = ruleKeyWithoutAddresses(rule);
  return rules.findIndex((one) => ruleKeyWithoutAddresses(one.normal) === key);
}

function rulesOf(spec: NetworkPolicySpec, isIngress: boolean): readonly PeerRule[] {
  const { ingress = [], egress = [] } = normaliseSpec(spec);
  const raw = isIngress
    ? (spec.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }))
    : (spec.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }));
  const normals = isIngress ? ingress : egress;
  return raw.flatMap((rule, index) => {
    const normal = normals[index];
    return normal === undefined ? [] : [{ ...rule, normal }];
  });
}

function addressesOf({ normal }: PeerRule): AddressSet | undefined {
  return normal.peers.kind === "any" || isEmpty(normal.peers.addresses) ? undefined : normal.peers.addresses;
}

function withAddresses(rule: PeerRule, more: AddressSet): PeerRule {
  if (rule.normal.peers.kind === "any") return rule;
  const addresses = union(rule.normal.peers.addresses, more);
  const blocks = toCidrBlocks(addresses).map(({ cidr, except }) => ({
    ipBlock: except.length === 0 ? { cidr } : { cidr, except },
  }));
  return {
    ...rule,
    peers: [...(rule.peers ?? []).filter((peer) => peer.ipBlock === undefined), ...blocks],
    normal: { ...rule.normal, peers: { ...rule.normal.peers, addresses } },
  };
}

function writeRules(rules: readonly PeerRule[], isIngress: boolean): Pick<NetworkPolicySpec, "ingress" | "egress"> {
  const portsOf = ({ ports }: PeerRule): { readonly ports?: readonly NetworkPolicyPort[] } =>
    ports === undefined ? {} : { ports };
  if (isIngress)
    return { ingress: rules.map((rule) => ({ ...(rule.peers === undefined ? {} : { from: rule.peers }), ...portsOf(rule) })) };
  return { egress: rules.map((rule) => ({ ...(rule.peers === undefined ? {} : { to: rule.peers }), ...portsOf(rule) })) };
}
