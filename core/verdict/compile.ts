import { emptySet, fromPrefixes, subtract, unionAll } from "../address/index.ts";
import type { AddressSet, Prefix } from "../address/index.ts";
import { noPorts } from "../address/ports.ts";
import type { PortSet } from "../address/ports.ts";
import { isGiven, readCidr } from "./compile-block.ts";
import { readPorts } from "./compile-ports.ts";
import type { NamedPort } from "./compile-ports.ts";
import { compileTierPolicy, isTierKind } from "./compile-tier.ts";
import { asList, asRecord, readSelector, unknownKeys } from "./json.ts";
import type { Problems } from "./json.ts";
import type { LabelSelector } from "../selector/index.ts";
import type { PolicyObject, WorldNode } from "./world.ts";

/** A pod peer; `own` is the policy's own namespace (no namespaceSelector given). */
export interface PeerSelector {
  readonly namespaces: LabelSelector | "own";
  readonly pods: LabelSelector;
  /** True when the peer has no podSelector or an empty one. */
  readonly isEveryPod: boolean;
}

/** What a rule does with what it matches; NetworkPolicy only accepts. Pass hands it to the next tier. */
export type RuleAction = "accept" | "deny" | "pass";

/** One `ingress` or `egress` entry, ready to evaluate. */
export interface CompiledRule {
  /** Index in the policy's list, from 0. */
  readonly index: number;
  readonly action: RuleAction;
  readonly peers: "any" | { readonly selectors: readonly PeerSelector[]; readonly addresses: AddressSet };
  /** Ports that do not depend on the destination. */
  readonly ports: PortSet;
  /** Ports that each destination pod resolves by name. */
  readonly namedPorts: readonly NamedPort[];
}

/** Where a cluster-wide policy stands: above NetworkPolicy or below it; a lower priority is asked first. */
export interface TierPlace {
  readonly level: "admin" | "baseline";
  readonly priority: number;
  /** Namespaces whose pods are its subjects. */
  readonly namespaces: LabelSelector;
}

/**
 * A policy as the API means it, defaults applied. A direction is null when the policy says nothing about it: a NetworkPolicy does
 * not isolate it, a cluster-wide one has no rules.
 */
export interface CompiledPolicy {
  readonly kind: string;
  /** Empty for a cluster-wide policy. */
  readonly namespace: string;
  readonly name: string;
  /** Undefined for a NetworkPolicy, whose rules isolate and only add up. */
  readonly tier: TierPlace | undefined;
  readonly subjects: LabelSelector;
  readonly ingress: readonly CompiledRule[] | null;
  readonly egress: readonly CompiledRule[] | null;
  /** What was not understood; that part allows nothing, and answers that rest on the policy are uncertain. */
  readonly problems: readonly string[];
}

const compiled = new WeakMap<PolicyObject, { readonly nodes: readonly WorldNode[] | undefined; readonly policy: CompiledPolicy }>();

/**
 * Reads one policy (points 1-10 and 13 of the semantics; cluster-wide kinds: see `compile-tier.ts`). Never throws on a bad object:
 * what it does not understand allows nothing and is named in `problems`. Remembered per object, which must not change afterwards.
 */
export function compilePolicy(object: PolicyObject, nodes?: readonly WorldNode[]): CompiledPolicy {
  const known = compiled.get(object);
  if (known !== undefined && (known.policy.tier === undefined || known.nodes === nodes)) return known.policy;
  const policy = isTierKind(object.kind) ? compileTierPolicy(object, object.kind, nodes ?? []) : compileNetworkPolicy(object);
  compiled.set(object, { nodes, policy });
  return policy;
}

/** `namespace/name`, or `Kind name` for a cluster-wide policy. */
export function policyId(policy: CompiledPolicy): string {
  return policy.tier === undefined ? `${policy.namespace}/${policy.name}` : `${policy.kind} ${policy.name}`;
}

function compileNetworkPolicy(object: PolicyObject): CompiledPolicy {
  const problems: string[] = [];
  const { namespace = "default", name } = object.metadata;
  const kind = object.kind ?? "NetworkPolicy";
  if (kind !== "NetworkPolicy") {
    const nothing = { tier: undefined, subjects: {}, ingress: null, egress: null };
    return { kind, namespace, name, ...nothing, problems: [`kind ${kind} is not supported`] };
  }
  const spec = asRecord(object.spec, "spec", problems);
  unknownKeys(spec, ["podSelector", "policyTypes", "ingress", "egress"], "spec", problems);
  const ingress = asList(spec["ingress"], "ingress", problems);
  const egress = asList(spec["egress"], "egress", problems);
  const types = readTypes(spec["policyTypes"], egress.length > 0, problems);
  return {
    kind,
    namespace,
    name,
    tier: undefined,
    subjects: readSelector(spec["podSelector"], "podSelector", problems),
    ingress: types.has("Ingress") ? ingress.map((rule, index) => compileRule(rule, index, "ingress", "from", problems)) : null,
    egress: types.has("Egress") ? egress.map((rule, index) => compileRule(rule, index, "egress", "to", problems)) : null,
    problems,
  };
}

/** Absent or empty: Ingress always, Egress only when there are egress rules. */
function readTypes(value: unknown, hasEgress: boolean, problems: Problems): ReadonlySet<string> {
  const types = asList(value, "policyTypes", problems);
  for (const type of types) if (type !== "Ingress" && type !== "Egress") problems.push(`policyTypes: ${String(type)} is unknown`);
  if (types.length > 0) return new Set(types.filter((type) => typeof type === "string"));
  return new Set(hasEgress ? ["Ingress", "Egress"] : ["Ingress"]);
}

function compileRule(value: unknown, index: number, direction: string, end: "from" | "to", problems: Problems): CompiledRule {
  const at = `${direction}[${index}]`;
  const before = problems.length;
  const rule = asRecord(value, at, problems);
  unknownKeys(rule, [end, "ports"], at, problems);
  const peers = asList(rule[end], `${at}.${end}`, problems);
  const entries = asList(rule["ports"], `${at}.ports`, problems);
  if (problems.length > before)
    return { index, action: "accept", peers: { selectors: [], addresses: emptySet }, ports: noPorts, namedPorts: [] };
  const { ports, namedPorts } = readPorts(entries, at, problems);
  if (peers.length === 0) return { index, action: "accept", peers: "any", ports, namedPorts };
  return { index, action: "accept", peers: compilePeers(peers, `${at}.${end}`, problems), ports, namedPorts };
}

function compilePeers(peers: readonly unknown[], at: string, problems: Problems): Exclude<CompiledRule["peers"], "any"> {
  const selectors: PeerSelector[] = [];
  const blocks: AddressSet[] = [];
  const plainBlocks: Prefix[] = [];
  for (const [position, value] of peers.entries()) {
    const where = `${at}[${position}]`;
    const peer = asRecord(value, where, problems);
    const isOdd = unknownKeys(peer, ["podSelector", "namespaceSelector", "ipBlock"], where, problems);
    const hasBlock = isGiven(peer["ipBlock"]);
    const hasSelector = isGiven(peer["podSelector"]) || isGiven(peer["namespaceSelector"]);
    if (isOdd) continue;
    if (hasBlock === hasSelector) problems.push(`${where} must be either an ipBlock or selectors; it matches nothing here`);
    else if (hasSelector) selectors.push(readPeerSelector(peer, where, problems));
    else blocks.push(readBlock(peer["ipBlock"], where, plainBlocks, problems));
  }
  return { selectors, addresses: unionAll([...blocks, fromPrefixes(plainBlocks)]) };
}

function readPeerSelector(peer: Readonly<Record<string, unknown>>, at: string, problems: Problems): PeerSelector {
  const pods = readSelector(peer["podSelector"], `${at}.podSelector`, problems);
  const isEveryPod = Object.keys(pods).length === 0;
  if (!isGiven(peer["namespaceSelector"])) return { namespaces: "own", pods, isEveryPod };
  return { namespaces: readSelector(peer["namespaceSelector"], `${at}.namespaceSelector`, problems), pods, isEveryPod };
}

/** Blocks without `except` are collected in `plain`, to be united in one go; others are returned. */
function readBlock(value: unknown, at: string, plain: Prefix[], problems: Problems): AddressSet {
  const block = asRecord(value, `${at}.ipBlock`, problems);
  const isOdd = unknownKeys(block, ["cidr", "except"], `${at}.ipBlock`, problems);
  const cidr = readCidr(block["cidr"], `${at}.ipBlock.cidr`, problems);
  const exceptions = asList(block["except"], `${at}.ipBlock.except`, problems).map((text) =>
    readCidr(text, `${at}.except`, problems),
  );
  const holes = exceptions.filter((hole) => hole !== undefined);
  if (cidr === undefined || isOdd || holes.length < exceptions.length) return emptySet;
  if (holes.length > 0) return subtract(fromPrefixes([cidr]), fromPrefixes(holes));
  plain.push(cidr);
  return emptySet;
}
