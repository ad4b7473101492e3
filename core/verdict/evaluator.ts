import { contains } from "../address/index.ts";
import { allPorts, hasPort, intersectPorts, noPorts, unionPorts } from "../address/ports.ts";
import type { PortSet, Protocol } from "../address/ports.ts";
import type { Direction } from "../model/kinds.ts";
import { V4, V6, classify } from "./classes.ts";
import type { Classes } from "./classes.ts";
import { namedContainerPorts, resolveNamedPorts } from "./compile-ports.ts";
import { policyId } from "./compile.ts";
import type { CompiledPolicy, CompiledRule } from "./compiled.ts";
import { KUBE_NETWORK_POLICIES } from "./profile.ts";
import type { Profile } from "./profile.ts";
import { formatPlace, indexWorld, isOwnNode, placeOf, serviceAt, sharedFamilies } from "./place.ts";
import type { Place, WorldIndex } from "./place.ts";
import { isOutsideOf, nodeWays } from "./node-port.ts";
import type { NodeWay } from "./node-port.ts";
import { rowsOf } from "./rows.ts";
import type { Rows } from "./rows.ts";
import { backendsOf, joinVerdicts } from "./service.ts";
import type { Backend } from "./service.ts";
import { unknownWords } from "./unknown.ts";
import { podId } from "./world.ts";
import type { Endpoint, World, WorldService } from "./world.ts";
import type { Verdict, Why } from "./verdict.ts";

/** Answers questions about one world. */
export interface Evaluator {
  readonly profile: Profile;
  readonly classes: Classes;
  readonly rows: Rows;
  /** Ports that one end allows: the `to` end for ingress, the `from` end for egress. An unknown pod is refused with nothing. */
  readonly portsAllowed: (from: Endpoint, to: Endpoint, direction: Direction) => PortSet;
  /** Ports that both ends allow. */
  readonly connection: (from: Endpoint, to: Endpoint) => PortSet;
  /** Of some endpoints one for each sort: two of a sort get the same answers. */
  readonly oneOfEach: (endpoints: readonly Endpoint[]) => readonly Endpoint[];
  /** To an address of a Service of the world, `port` is the Service's, and the answer is about the pods behind it. */
  readonly verdict: (from: Endpoint, to: Endpoint, port: number | string, protocol: Protocol) => Verdict;
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
  const most = classes.isUnsure ? rowsOf(classes, 0, profile, undefined, "most") : undefined;
  const engine: Engine = { classes, rows, most, profile, index: indexWorld(world), isSelfOpen: true, isOwnNodeOpen: true };
  return {
    profile,
    classes,
    rows,
    portsAllowed: (from, to, direction) =>
      withPlaces(engine, from, to, noPorts, (a, b) => portsAtEnd(engine, a, b, direction, sharedFamilies(a, b))),
    connection: (from, to) => withPlaces(engine, from, to, noPorts, (a, b) => portsBetween(engine, a, b)),
    oneOfEach: (endpoints) => [...new Map(endpoints.map((endpoint) => [sortOf(engine, endpoint), endpoint])).values()],
    verdict: (from, to, port, protocol) => {
      if (to.kind === "pod") return decide(engine, from, to, port, protocol);
      const service = serviceAt(engine.index, to.address);
      if (service !== undefined) return decideThrough(engine, service, from, port, protocol, isOutsideOf(service, to.address));
      const ways = nodeWays(engine.index, to.address, port, protocol);
      return ways.length === 0
        ? decide(engine, from, to, port, protocol)
        : decideAtNode(engine, from, to.address, ways, port, protocol);
    },
  };
}

interface Engine {
  readonly classes: Classes;
  readonly rows: Rows;
  /** The most that may be open, where that is another answer than the least. */
  readonly most: Rows | undefined;
  readonly profile: Profile;
  readonly index: WorldIndex;
  /** False for a pod that reaches itself by way of a Service, where policies may be asked. */
  readonly isSelfOpen: boolean;
  /** False for a node that stands for any node. */
  readonly isOwnNodeOpen: boolean;
}

/** What tells endpoints apart: the class, the node, and ports that may be asked by name. */
function sortOf({ classes, index }: Engine, endpoint: Endpoint): string {
  if (endpoint.kind === "address") return endpoint.address;
  const pod = index.pods.get(podId(endpoint));
  return JSON.stringify(pod === undefined ? podId(endpoint) : [classes.ofPod.get(podId(pod)), pod.node, pod.ports]);
}

/** What policies say of everything behind a Service, at the port after translation. */
function decideThrough(
  engine: Engine,
  service: WorldService,
  from: Endpoint,
  port: number | string,
  protocol: Protocol,
  isOutside: boolean,
): Verdict {
  const source = placeOf(engine.classes, engine.index, from);
  if (typeof source === "string") return refused(source);
  const backends = backendsOf(service, port, protocol, engine.index);
  if (typeof backends === "string") return refused(backends);
  const answers = backends.map((backend) => ({
    backend,
    verdict: decideBackend(engine, service, from, source, backend, protocol, isOutside),
  }));
  return joinVerdicts(service, answers);
}

function decideBackend(
  engine: Engine,
  service: WorldService,
  from: Endpoint,
  source: Place,
  { endpoint, pod, port }: Backend,
  protocol: Protocol,
  isOutside: boolean,
): Verdict {
  const { profile } = engine;
  const isSelf = pod !== undefined && source.pod === pod;
  const asked = { ...engine, isSelfOpen: !isSelf || profile.selfThroughService === "open" };
  const verdict = decide(asked, from, endpoint, port, protocol);
  if (isSelf && profile.selfThroughService === "ingress-open") {
    return {
      ...verdict,
      ingress: true,
      allowed: verdict.egress,
      why: verdict.why.filter(({ direction }) => direction === "egress"),
    };
  }
  const isAsked = verdict.why.some(({ reason }) => reason === "rule" || reason === "denied" || reason === "isolated");
  if (!isAsked) return verdict;
  if (isSelf) {
    const doubt = `${podId(pod)} reaches itself through a Service: under which address it then appears to policies is undefined`;
    return { ...verdict, uncertain: [...verdict.uncertain, doubt] };
  }
  if (service.keepsSource || verdict.uncertain.length > 0 || (source.pod !== undefined && !isOutside)) return verdict;
  if (source.pod !== undefined) {
    const doubt = "at an address of a Service for those outside, a pod may arrive with a node's address as its source";
    return { ...verdict, ingress: false, allowed: false, uncertain: [doubt] };
  }
  const doubt = "through a Service, traffic from outside may arrive with a node's address as its source";
  return { ...verdict, uncertain: [doubt] };
}

/**
 * At a port of a node that leads to pods: as the source itself and as the node, because either may be what the pod sees. Open only if all
 * of it is open.
 */
function decideAtNode(
  engine: Engine,
  from: Endpoint,
  address: string,
  ways: readonly NodeWay[],
  port: number | string,
  protocol: Protocol,
): Verdict {
  const node: Endpoint = { kind: "address", address };
  const anyNode = { ...engine, isOwnNodeOpen: false }; // it may be another node than the one asked at
  const ask = (asked: Engine, source: Endpoint, way: NodeWay): Verdict =>
    way.kind === "service"
      ? decideThrough(asked, way.service, source, way.port, protocol, false)
      : decide(asked, source, { kind: "pod", namespace: way.pod.namespace, name: way.pod.name }, way.port, protocol);
  const direct = decide(engine, from, node, port, protocol);
  const own = ways.map((way) => ask(engine, from, way));
  const all = [direct, ...own, ...ways.map((way) => ask(anyNode, node, way))];
  if (all.every(({ allowed }) => allowed)) return direct;
  const shown = own.find(({ allowed }) => !allowed) ?? own[0] ?? direct;
  const doubt = `port ${port} of a node leads to ${ways.map(({ name }) => name).join(", ")}: with which source it arrives at the pod is not defined`;
  return {
    ingress: false,
    egress: direct.egress && own.every(({ egress }) => egress),
    allowed: false,
    why: shown.why.map((why) => (why.direction === "ingress" ? { ...why, allowed: false } : why)),
    uncertain: [...new Set([doubt, ...own.flatMap(({ uncertain }) => uncertain)])],
  };
}

function withPlaces<T>(engine: Engine, from: Endpoint, to: Endpoint, unknown: T, answer: (from: Place, to: Place) => T): T {
  const a = placeOf(engine.classes, engine.index, from);
  const b = placeOf(engine.classes, engine.index, to);
  return typeof a === "string" || typeof b === "string" ? unknown : answer(a, b);
}

function portsBetween(engine: Engine, from: Place, to: Place): PortSet {
  const families = familiesIn(sharedFamilies(from, to)).map((family) =>
    intersectPorts(portsAtEnd(engine, from, to, "egress", family), portsAtEnd(engine, from, to, "ingress", family)),
  );
  const [first = noPorts, ...rest] = families;
  return rest.reduce(isAllNeeded(engine, from, to) ? intersectPorts : unionPorts, first);
}

function familiesIn(families: number): readonly number[] {
  return [V4, V6].filter((family) => (families & family) !== 0);
}

/** Nobody knows in which family they will talk: it counts as open only what is open in both. */
function isAllNeeded({ rows }: Engine, from: Place, to: Place): boolean {
  if (rows.bound === "most" || from.pod === undefined || to.pod === undefined) return false;
  return rows.isAnyFamily(from.peer, to.peer);
}

/** Union over the given families of what one end allows. */
function portsAtEnd(engine: Engine, from: Place, to: Place, direction: Direction, families: number): PortSet {
  const subject = direction === "ingress" ? to : from;
  const peer = direction === "ingress" ? from : to;
  if (families === 0) return noPorts;
  if (subject.pod === undefined || isSelf(engine, from, to) || (direction === "ingress" && isFromOwnNode(engine, from, to)))
    return allPorts;
  const [first = noPorts, ...rest] = familiesIn(families).map((family) =>
    engine.rows.allowed(subject.peer, peer.peer, direction, family),
  );
  return rest.reduce(isAllNeeded(engine, from, to) ? intersectPorts : unionPorts, first);
}

function isFromOwnNode({ index, isOwnNodeOpen }: Engine, from: Place, to: Place): boolean {
  return isOwnNodeOpen && isOwnNode(index, from, to);
}

function isSelf({ isSelfOpen }: Engine, from: Place, to: Place): boolean {
  return isSelfOpen && from.pod !== undefined && from.pod === to.pod;
}

function decide(engine: Engine, from: Endpoint, to: Endpoint, port: number | string, protocol: Protocol): Verdict {
  const a = placeOf(engine.classes, engine.index, from);
  const b = placeOf(engine.classes, engine.index, to);
  if (typeof a === "string") return refused(a);
  if (typeof b === "string") return refused(b);
  const numbers = typeof port === "number" ? [port] : numbersOf(port, protocol, b);
  const [number] = numbers; // the first that the pod declares
  if (number === undefined) return refused(`${formatPlace(b)} declares no ${protocol} port named ${String(port)}`);
  const families = sharedFamilies(a, b);
  const ends = (["ingress", "egress"] as const).map((direction) => explainEnd(engine, a, b, direction, number, protocol, families));
  const [ingress, egress] = ends as [Why, Why];
  const allowed = hasPort(portsBetween(engine, a, b), protocol, number);
  const unsure =
    allowed || engine.most === undefined ? [] : unknownDoubts({ ...engine, rows: engine.most }, a, b, protocol, number);
  return {
    ingress: ingress.allowed,
    egress: egress.allowed,
    allowed,
    why: [ingress, egress],
    uncertain: [...unsure, ...doubts(engine, a, b, protocol, ends)],
  };
}

/** What is closed and would be open if facts that nobody knows were others, in words. */
function unknownDoubts(most: Engine, from: Place, to: Place, protocol: Protocol, port: number): readonly string[] {
  if (!hasPort(portsBetween(most, from, to), protocol, port)) return [];
  const facts = [from.pod, to.pod].flatMap((pod) => unknownWords(pod, most.classes.labelKeys));
  return [`it may be open: ${[...new Set(facts)].join("; ")}`];
}

function refused(reason: string): Verdict {
  return { ingress: false, egress: false, allowed: false, why: [], uncertain: [reason] };
}

function numbersOf(name: string, protocol: Protocol, to: Place): readonly number[] {
  if (protocol === "icmp" || protocol === "icmpv6") return [];
  return namedContainerPorts(protocol, name, to.pod?.ports);
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
  if (subject.pod === undefined || subject.pod.hostNetwork === true) {
    const who = `${formatPlace(subject)} is ${subject.pod === undefined ? "no pod" : "on the host network"}: no policy selects it`;
    return say(true, "no-subject", [], direction === "ingress" ? `${who}${failsafeWords(engine, subject, protocol, port)}` : who);
  }
  if (isSelf(engine, from, to)) return say(true, "self", [], "a pod always reaches itself");
  if (direction === "ingress" && isFromOwnNode(engine, from, to))
    return say(true, "own-node", [], "a node always reaches the pods it runs");
  const question = { direction, subject, peer, port, protocol };
  const answers = familiesIn(families).map((family) => decideEnd(engine, { ...question, family }));
  const decides = !isAllNeeded(engine, from, to);
  return answers.find((answer) => answer.allowed === decides) ?? (answers[0] as Why); // families is not 0
}

/** Ports of hosts that not even the enforcer's own policies for hosts close: a hole to tell, not to hide. */
function failsafeWords({ profile, index }: Engine, { pod, address }: Place, protocol: Protocol, port: number): string {
  const isHost =
    pod !== undefined || (address !== undefined && [...index.addressesOfNode.values()].some((set) => contains(set, address)));
  if (!isHost || !hasPort(profile.hostFailsafe, protocol, port)) return "";
  return `; ${protocol} ${port} is a failsafe port of ${profile.name}, open whatever policies for hosts say`;
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

function doubts(engine: Engine, from: Place, to: Place, protocol: Protocol, ends: readonly Why[]): readonly string[] {
  const { rows, profile } = engine;
  const isDecided = ends.some(({ reason }) => reason === "rule" || reason === "denied" || reason === "isolated");
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
  if (isDecided && (protocol === "icmp" || protocol === "icmpv6") && profile.icmp === "undefined") {
    doubts.push(`policies cannot name ICMP: what ${profile.name} does with it at an isolated pod is undefined`);
  }
  return doubts;
}
