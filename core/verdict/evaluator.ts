import { contains, formatAddress, fromAddresses, parseAddress } from "../address/index.ts";
import type { Address, AddressSet } from "../address/index.ts";
import { allPorts, hasPort, intersectPorts, noPorts, unionPorts } from "../address/ports.ts";
import type { PortSet, Protocol } from "../address/ports.ts";
import type { Direction } from "../model/kinds.ts";
import { V4, V6, classify } from "./classes.ts";
import type { Classes } from "./classes.ts";
import { resolveNamedPorts } from "./compile-ports.ts";
import { policyId } from "./compile.ts";
import type { CompiledPolicy, CompiledRule } from "./compile.ts";
import { KUBE_NETWORK_POLICIES } from "./profile.ts";
import type { Profile } from "./profile.ts";
import { familiesOf, rowsOf } from "./rows.ts";
import type { Rows } from "./rows.ts";
import { livePods, parsedAddresses, podId } from "./world.ts";
import type { Endpoint, World, WorldPod } from "./world.ts";

/** Why one end allows or denies. */
export interface Why {
  readonly direction: Direction;
  readonly allowed: boolean;
  /**
   * self: own address · own-node: nothing may stop it · not-isolated · rule: a rule allows it · denied: a cluster-wide rule denies it
   * · isolated: no rule allows it · no-subject: no pod
   */
  readonly reason: "self" | "own-node" | "not-isolated" | "rule" | "denied" | "isolated" | "no-subject" | "no-shared-family";
  /** `namespace/name` of the policy that allows, or of those that isolate. */
  readonly policies: readonly string[];
  /** One sentence for people. */
  readonly text: string;
}

/** The answer for one connection. `uncertain` lists what the enforcer leaves undefined or the engine did not understand. */
export interface Verdict {
  readonly ingress: boolean;
  readonly egress: boolean;
  /** Both ends allow it in one family that both ends have. */
  readonly allowed: boolean;
  readonly why: readonly Why[];
  readonly uncertain: readonly string[];
}

/** Answers questions about one world. */
export interface Evaluator {
  readonly profile: Profile;
  readonly classes: Classes;
  readonly rows: Rows;
  /** Ports that one end allows: the `to` end for ingress, the `from` end for egress. An unknown pod is refused with nothing. */
  readonly portsAllowed: (from: Endpoint, to: Endpoint, direction: Direction) => PortSet;
  /** Ports that both ends allow. */
  readonly connection: (from: Endpoint, to: Endpoint) => PortSet;
  readonly verdict: (from: Endpoint, to: Endpoint, port: number | string, protocol: Protocol) => Verdict;
}

/** An endpoint that was found: its class, and the pod if it is one. */
interface Place {
  readonly peer: number;
  readonly pod: WorldPod | undefined;
  readonly address: Address | undefined;
  readonly families: number;
}

/**
 * The verdict engine for any policies, ours or not: NetworkPolicy and the cluster-wide ones above and below it.
 *
 * Pods are grouped into classes that no policy tells apart; rows of the class matrix are built when first asked for. A pod to
 * itself and a node to its own pods are answered before any policy, because no enforcer applies one there.
 */
export function evaluator(world: World, profile: Profile = KUBE_NETWORK_POLICIES): Evaluator {
  const classes = classify([world]);
  const rows = rowsOf(classes, 0, profile);
  const engine: Engine = { classes, rows, profile, index: indexWorld(world) };
  return {
    profile,
    classes,
    rows,
    portsAllowed: (from, to, direction) =>
      withPlaces(engine, from, to, noPorts, (a, b) => portsAtEnd(engine, a, b, direction, shared(a, b))),
    connection: (from, to) => withPlaces(engine, from, to, noPorts, (a, b) => portsBetween(engine, a, b)),
    verdict: (from, to, port, protocol) => decide(engine, from, to, port, protocol),
  };
}

interface Engine {
  readonly classes: Classes;
  readonly rows: Rows;
  readonly profile: Profile;
  readonly index: WorldIndex;
}

interface WorldIndex {
  readonly pods: ReadonlyMap<string, WorldPod>;
  readonly podOfAddress: ReadonlyMap<string, WorldPod>;
  readonly addressesOfNode: ReadonlyMap<string, AddressSet>;
}

function indexWorld(world: World): WorldIndex {
  const pods = new Map(livePods(world.pods).map((pod) => [podId(pod), pod]));
  const podOfAddress = new Map<string, WorldPod>();
  for (const pod of pods.values()) {
    if (pod.hostNetwork === true) continue;
    for (const address of parsedAddresses(pod.addresses)) podOfAddress.set(String(address.value), pod);
  }
  const addressesOfNode = new Map((world.nodes ?? []).map((node) => [node.name, fromAddresses(parsedAddresses(node.addresses))]));
  return { pods, podOfAddress, addressesOfNode };
}

function placeOf({ classes, index }: Engine, endpoint: Endpoint): Place | string {
  if (endpoint.kind === "pod") {
    const pod = index.pods.get(podId(endpoint));
    return pod === undefined ? `pod ${podId(endpoint)} is not known` : podPlace(classes, pod, undefined);
  }
  const parsed = parseAddress(endpoint.address);
  const address = "ok" in parsed ? parsed.ok : parsed.corrected;
  if (address === undefined) return "error" in parsed ? parsed.error : `${endpoint.address} is not an address`;
  const pod = index.podOfAddress.get(String(address.value));
  if (pod !== undefined) return podPlace(classes, pod, address);
  return { peer: classes.atoms.indexOf(address), pod: undefined, address, families: familyBit(address) };
}

/** A pod named by one of its addresses talks in that family only. */
function podPlace(classes: Classes, pod: WorldPod, address: Address | undefined): Place {
  const peer = classes.ofPod.get(podId(pod)) as number; // every live pod has a class
  const known = classes.peers[peer];
  const families = address === undefined ? (known === undefined ? 0 : familiesOf(known, 0)) : familyBit(address);
  return { peer, pod, address, families };
}

function familyBit(address: Address): number {
  return address.family === 4 ? V4 : V6;
}

function shared(from: Place, to: Place): number {
  return from.families & to.families;
}

function withPlaces<T>(engine: Engine, from: Endpoint, to: Endpoint, unknown: T, answer: (from: Place, to: Place) => T): T {
  const a = placeOf(engine, from);
  const b = placeOf(engine, to);
  return typeof a === "string" || typeof b === "string" ? unknown : answer(a, b);
}

function portsBetween(engine: Engine, from: Place, to: Place): PortSet {
  let ports = noPorts;
  for (const family of [V4, V6]) {
    if ((shared(from, to) & family) === 0) continue;
    const out = portsAtEnd(engine, from, to, "egress", family);
    ports = unionPorts(ports, intersectPorts(out, portsAtEnd(engine, from, to, "ingress", family)));
  }
  return ports;
}

/** Union over the given families of what one end allows. */
function portsAtEnd(engine: Engine, from: Place, to: Place, direction: Direction, families: number): PortSet {
  const subject = direction === "ingress" ? to : from;
  const peer = direction === "ingress" ? from : to;
  if (families === 0) return noPorts;
  if (subject.pod === undefined || isSelf(from, to) || (direction === "ingress" && isOwnNode(engine, from, to))) return allPorts;
  let ports = noPorts;
  for (const family of [V4, V6]) {
    if ((families & family) !== 0) ports = unionPorts(ports, engine.rows.allowed(subject.peer, peer.peer, direction, family));
  }
  return ports;
}

function isSelf(from: Place, to: Place): boolean {
  return from.pod !== undefined && from.pod === to.pod;
}

/** A node (an address of it, or a pod on its network) talking to a pod that runs there: kubelet probes; no policy stops it. */
function isOwnNode({ index }: Engine, from: Place, to: Place): boolean {
  const node = to.pod?.node;
  if (node === undefined || to.pod?.hostNetwork === true) return false;
  if (from.pod !== undefined) return from.pod.hostNetwork === true && from.pod.node === node;
  const addresses = index.addressesOfNode.get(node);
  return addresses !== undefined && from.address !== undefined && contains(addresses, from.address);
}

function decide(engine: Engine, from: Endpoint, to: Endpoint, port: number | string, protocol: Protocol): Verdict {
  const a = placeOf(engine, from);
  const b = placeOf(engine, to);
  if (typeof a === "string") return refused(a);
  if (typeof b === "string") return refused(b);
  const numbers = typeof port === "number" ? [port] : numbersOf(port, protocol, b);
  const [number] = numbers;
  if (number === undefined) return refused(`${formatPlace(b)} declares no ${protocol} port named ${String(port)}`);
  const families = shared(a, b);
  const ends = (["ingress", "egress"] as const).map((direction) => explainEnd(engine, a, b, direction, number, protocol, families));
  const [ingress, egress] = ends as [Why, Why];
  const allowed = hasPort(portsBetween(engine, a, b), protocol, number);
  return {
    ingress: ingress.allowed,
    egress: egress.allowed,
    allowed,
    why: [ingress, egress],
    uncertain: doubts(engine, a, b, ends),
  };
}

function refused(reason: string): Verdict {
  return { ingress: false, egress: false, allowed: false, why: [], uncertain: [reason] };
}

function numbersOf(name: string, protocol: Protocol, to: Place): readonly number[] {
  if (protocol === "icmp" || protocol === "icmpv6") return [];
  return resolveNamedPorts([{ protocol, name }], to.pod?.ports)[protocol].slice(0, 1);
}

function explainEnd(
  engine: Engine,
  from: Place,
  to: Place,
  direction: Direction,
  port: number,
  protocol: Protocol,
  families: number,
): Why {
  const subject = direction === "ingress" ? to : from;
  const peer = direction === "ingress" ? from : to;
  const say = (allowed: boolean, reason: Why["reason"], policies: readonly string[], text: string): Why => ({
    direction,
    allowed,
    reason,
    policies,
    text,
  });
  if (families === 0) return say(false, "no-shared-family", [], "the two have no address family in common");
  if (subject.pod === undefined) return say(true, "no-subject", [], `${formatPlace(subject)} is no pod: no policy selects it`);
  if (isSelf(from, to)) return say(true, "self", [], "a pod always reaches itself");
  if (direction === "ingress" && isOwnNode(engine, from, to))
    return say(true, "own-node", [], "a node always reaches the pods it runs");
  const question = { direction, subject, peer, port, protocol };
  const answers = [V4, V6]
    .filter((family) => (families & family) !== 0)
    .map((family) => decideEnd(engine, { ...question, family }));
  return answers.find((answer) => answer.allowed) ?? (answers[0] as Why); // families is not 0
}

/** One end, one family, one port. */
interface Question {
  readonly direction: Direction;
  readonly subject: Place;
  readonly peer: Place;
  readonly port: number;
  readonly protocol: Protocol;
  readonly family: number;
}

/** The first tier that decides: Admin, NetworkPolicy, Baseline. */
function decideEnd(engine: Engine, question: Question): Why {
  const { direction, subject } = question;
  const { rows } = engine;
  const above = decidingRule(engine, rows.tiersOn(subject.peer, direction, "admin"), question);
  if (above !== undefined && above.rule.action !== "pass") return sayTier(question, above);
  const policies = rows.policiesOn(subject.peer, direction);
  if (policies.length > 0) {
    const match = decidingRule(engine, policies, question);
    if (match !== undefined) return sayTier(question, match);
    const ids = policies.map(policyId);
    const text = `${formatPlace(subject)} is isolated by ${ids.join(", ")} and no ${direction} rule allows it`;
    return { direction, allowed: false, reason: "isolated", policies: ids, text };
  }
  const below = decidingRule(engine, rows.tiersOn(subject.peer, direction, "baseline"), question);
  if (below !== undefined && below.rule.action !== "pass") return sayTier(question, below);
  const text = `no policy isolates ${direction} of ${formatPlace(subject)}`;
  return { direction, allowed: true, reason: "not-isolated", policies: [], text };
}

interface Match {
  readonly policy: CompiledPolicy;
  readonly rule: CompiledRule;
}

function sayTier({ direction }: Question, { policy, rule }: Match): Why {
  const id = policyId(policy);
  const allowed = rule.action !== "deny";
  const text = `${id} ${direction} rule ${rule.index + 1} ${allowed ? "allows" : "denies"} it`;
  return { direction, allowed, reason: allowed ? "rule" : "denied", policies: [id], text };
}

/** The first rule of the policies, in their order, that matches. */
function decidingRule(engine: Engine, policies: readonly CompiledPolicy[], question: Question): Match | undefined {
  const { direction, subject, peer, port, protocol, family } = question;
  const destination = direction === "ingress" ? subject.pod : peer.pod;
  const declared = destination?.hostNetwork === true ? undefined : destination?.ports;
  for (const policy of policies) {
    for (const rule of policy[direction] ?? []) {
      const ports = unionPorts(rule.ports, resolveNamedPorts(rule.namedPorts, declared));
      if (hasPort(ports, protocol, port) && engine.rows.ruleMatches(rule, policy, peer.peer, family)) return { policy, rule };
    }
  }
  return undefined;
}

function doubts(engine: Engine, from: Place, to: Place, ends: readonly Why[]): readonly string[] {
  const { rows, profile } = engine;
  const policies = new Set([...rows.concerning(to.peer, "ingress"), ...rows.concerning(from.peer, "egress")]);
  const doubts = [...policies].flatMap((policy) => policy.problems.map((problem) => `${policyId(policy)}: ${problem}`));
  const isFromOutside =
    from.pod === undefined &&
    ends.some(
      (why) => why.direction === "ingress" && (why.reason === "rule" || why.reason === "denied" || why.reason === "isolated"),
    );
  if (isFromOutside && profile.outsideSource === "rewritten") {
    doubts.push(`${profile.name} may see traffic from outside with a node's address as its source`);
  }
  return doubts;
}

function formatPlace(place: Place): string {
  if (place.pod !== undefined) return podId(place.pod);
  return place.address === undefined ? "an address" : formatAddress(place.address);
}
