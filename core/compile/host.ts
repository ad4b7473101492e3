import {
  anyV4,
  anyV6,
  comparePrefixes,
  formatPrefix,
  fromAddressTexts,
  fromPrefixes,
  intersect,
  isEmpty,
  parseAddress,
  parsePrefix,
  subtract,
} from "../address/index.ts";
import type { AddressSet, Prefix } from "../address/index.ts";
import { cellValues } from "../membership/cells.ts";
import type { Memberships } from "../membership/membership.ts";
import { sortedTexts } from "../membership/order.ts";
import type { Definitions, Direction, IsolationMode, Lifeline, PortRange, Rule, Segment } from "../model/kinds.ts";
import type { Note } from "../model/note.ts";
import type { Target } from "../model/target.ts";
import { gapNote, noPeerNote, peerResolver } from "./ends.ts";
import type { PeerResolver } from "./ends.ts";
import { DNS_PORTS, NTP_PORTS } from "./essentials.ts";
import { noteFamilyMissing, noteLabelMissing, noteNamedPorts, noteResolvers, noteTimeServers } from "./host-notes.ts";
import { noteLifeline } from "./lifeline.ts";
import { hostPorts, mergeRanges } from "./ports.ts";
import { peerEnds, ruleBook } from "./rules.ts";
import { HOST_ESSENTIALS } from "./want.ts";
import type { Compiled, HostAllow, HostChain, HostWant } from "./want.ts";

/** A path Firebreak itself needs from a host it runs on: to an API server, Git, or the store. */
export interface OwnPath {
  readonly addresses: AddressSet;
  readonly ports: readonly PortRange[];
}

/** What a host's want depends on. */
export interface HostCompilation {
  /** As they hold at the moment of the plan (`definitionsAt`). */
  readonly definitions: Definitions;
  readonly target: Extract<Target, { kind: "host" }>;
  readonly memberships: Memberships;
  /** The operator's lifeline of firebreak.yaml; the fleet adds to it. */
  readonly floor: Lifeline;
  /** Name servers of the host's resolv.conf, as addresses. */
  readonly resolvers: readonly string[];
  /** Time servers that the host's configuration names, addresses or names. Absent: nobody looked. */
  readonly timeServers?: readonly string[];
  /** Only used with the local transport. */
  readonly ownPaths?: readonly OwnPath[];
}

const STRICTNESS: readonly IsolationMode[] = ["off", "observe", "enforce"];
const LOOPBACK = fromPrefixes(["127.0.0.0/8", "::1/128"].flatMap((text) => constantPrefix(text)));

/**
 * What one host shall enforce: per direction the strictest mode of its segments, and every rule one of whose ends it is in.
 *
 * Peers are addresses, all of them: Git's for hosts and externals, memberships for pods. Members of one segment may not connect
 * without a rule; a host to itself always may (loopback is the renderer's). Structural essentials (dhcp, icmpErrors, lifeline)
 * are the renderer's too, see `ESSENTIALS`.
 */
export function compileHost(input: HostCompilation): Compiled<HostWant> {
  const { definitions, target } = input;
  const segments = ruleBook(definitions).segmentsOf(target.fleet, target.host);
  const resolver = peerResolver(definitions, input.memberships, undefined);
  const notes: Note[] = [];
  const ingress = compileChain(input, segments, resolver, "ingress", notes);
  const egress = compileChain(input, segments, resolver, "egress", notes);
  if (ingress.mode !== "off") notes.push(...noteLifeline(target, input.floor));
  const lifeline = joinLifelines(input.floor, target.fleet.lifeline);
  const closed = HOST_ESSENTIALS.filter((name) => !definitions.workspace.essentials[name]);
  const want: HostWant = {
    kind: "host",
    target: target.id,
    ingress,
    egress,
    lifeline,
    ...(closed.length === 0 ? {} : { closed }),
  };
  return { want, notes };
}

function compileChain(
  input: HostCompilation,
  segments: readonly Segment[],
  resolver: PeerResolver,
  direction: Direction,
  notes: Note[],
): HostChain {
  const mode = strictest(segments.map((segment) => segment.isolate[direction]));
  if (mode === "off") return { mode, allows: [] };
  const allows: HostAllow[] = direction === "egress" ? [...essentialEgress(input, notes)] : [];
  for (const rule of rulesFor(input, segments, direction)) allows.push(...compileRule(input, rule, resolver, direction, notes));
  return { mode, allows };
}

/** The rules that name `any` or a segment of the host at this end, each once and in order. */
function rulesFor({ definitions }: HostCompilation, segments: readonly Segment[], direction: Direction): readonly Rule[] {
  const book = ruleBook(definitions);
  const indexes = ["any", ...segments.map(({ name }) => name)].flatMap((name) => book.naming(direction, name));
  return [...new Set(indexes)].sort((a, b) => a - b).flatMap((index) => book.rules[index] ?? []);
}

function compileRule(
  { target }: HostCompilation,
  rule: Rule,
  resolver: PeerResolver,
  direction: Direction,
  notes: Note[],
): readonly HostAllow[] {
  const values = cellValues(sortedTexts(rule.same), target.host.labels);
  if (values === undefined) {
    notes.push(noteLabelMissing(rule, target));
    return [];
  }
  const others = peerEnds(rule, direction);
  const end = resolver.resolve(others, direction === "ingress" ? "initiator" : "responder", values);
  if (end.kind === "some") notes.push(...end.gaps.map((gap) => gapNote(gap, rule)));
  const known = end.kind === "any" ? "any" : end.addresses;
  const peers = known === "any" ? known : withFamiliesOf(target, known);
  if (peers !== "any" && isEmpty(peers)) {
    notes.push(known !== "any" && isEmpty(known) ? noPeerNote(rule, others, target.id) : noteFamilyMissing(rule, target));
    return [];
  }
  const { ports, left } = hostPorts(rule.ports);
  if (left.length > 0) notes.push(noteNamedPorts(rule, left, direction, target.id));
  return ports === "none" ? [] : [{ origin: rule.id, peers, ports }];
}

/**
 * Without the addresses of a family that the host has no address of in Git (docs/decisions, 9): whoever asks what a rule opens is answered
 * by those addresses, so nothing may open beside them.
 */
function withFamiliesOf({ host }: HostCompilation["target"], peers: AddressSet): AddressSet {
  const { v4, v6 } = fromAddressTexts(host.addresses).set;
  if (v4.length > 0 && v6.length > 0) return peers;
  return intersect(peers, v6.length > 0 ? anyV6 : anyV4);
}

function essentialEgress(input: HostCompilation, notes: Note[]): readonly HostAllow[] {
  const { essentials } = input.definitions.workspace;
  const allows: HostAllow[] = [];
  if (essentials.dns) {
    const remote = subtract(fromAddressTexts(input.resolvers).set, LOOPBACK);
    if (!isEmpty(remote)) allows.push({ origin: "builtin/dns", peers: remote, ports: DNS_PORTS });
    else notes.push(noteResolvers(input.target, input.resolvers));
  }
  if (essentials.ntp) allows.push(...timeEgress(input, notes));
  if (input.target.fleet.transport.kind !== "local") return allows;
  for (const path of input.ownPaths ?? []) {
    if (isEmpty(path.addresses) || path.ports.length === 0) continue;
    allows.push({ origin: "builtin/firebreak", peers: path.addresses, ports: mergeRanges(path.ports) });
  }
  return allows;
}

/** Time servers by address; a name is looked up by the host, at a moment that nobody here knows, so it opens nothing and is told. */
function timeEgress({ target, timeServers = [] }: HostCompilation, notes: Note[]): readonly HostAllow[] {
  const named = timeServers.filter((server) => !("ok" in parseAddress(server)));
  if (named.length > 0) notes.push(noteTimeServers(target, named));
  const remote = subtract(fromAddressTexts(timeServers.filter((server) => !named.includes(server))).set, LOOPBACK);
  return isEmpty(remote) ? [] : [{ origin: "builtin/ntp", peers: remote, ports: NTP_PORTS }];
}

function strictest(modes: readonly IsolationMode[]): IsolationMode {
  return STRICTNESS[Math.max(0, ...modes.map((mode) => STRICTNESS.indexOf(mode)))] ?? "off";
}

/** Everything in either, sorted: the fleet adds to the operator's floor and never removes from it. */
function joinLifelines(floor: Lifeline, fleet: Lifeline): Lifeline {
  const from = new Map<string, Prefix>([...floor.from, ...fleet.from].map((prefix) => [formatPrefix(prefix), prefix]));
  return { from: [...from.values()].sort(comparePrefixes), ports: mergeRanges([...floor.ports, ...fleet.ports]) };
}

function constantPrefix(text: string): readonly Prefix[] {
  const parsed = parsePrefix(text);
  return "ok" in parsed ? [parsed.ok] : [];
}
