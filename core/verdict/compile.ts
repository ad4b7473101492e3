import { emptySet, fromPrefixes, subtract, unionAll } from "../address/index.ts";
import type { AddressSet, Prefix } from "../address/index.ts";
import { noPorts } from "../address/ports.ts";
import { isGiven, readCidr } from "./compile-block.ts";
import { readPorts } from "./compile-ports.ts";
import { compileTierPolicy, isTierKind } from "./compile-tier.ts";
import { asList, asRecord, readSelector, unknownKeys } from "./json.ts";
import type { Problems } from "./json.ts";
import type { PolicyObject, WorldNode } from "./world.ts";
import type { CompiledPolicy, CompiledRule, PeerSelector } from "./compiled.ts";

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
