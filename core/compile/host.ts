import { comparePrefixes, formatPrefix, fromAddressTexts, fromPrefixes, isEmpty, parsePrefix, subtract } from "../address/index.ts";
import type { AddressSet, Prefix } from "../address/index.ts";
import type { Memberships } from "../membership/membership.ts";
import { selectsHost } from "../membership/select.ts";
import type { Definitions, Direction, IsolationMode, Lifeline, PortRange, Ports, Segment } from "../model/kinds.ts";
import type { Note } from "../model/note.ts";
import type { Target } from "../model/target.ts";
import { gapNote, noPeerNote, peerResolver } from "./ends.ts";
import type { PeerResolver } from "./ends.ts";
import { DNS_PORTS } from "./essentials.ts";
import { listRules, normalisePorts, peerEnds, subjectEnds } from "./rules.ts";
import type { Compiled, HostAllow, HostChain, HostWant } from "./want.ts";

/** A path Firebreak itself needs from a host it runs on: to an API server, Git, or the store. */
export interface OwnPath {
  readonly addresses: AddressSet;
  readonly ports: readonly PortRange[];
}

/** What a host's want depends on. */
export interface HostCompilation {
  readonly definitions: Definitions;
  readonly target: Extract<Target, { kind: "host" }>;
  readonly memberships: Memberships;
  /** The operator's lifeline of firebreak.yaml; the fleet adds to it. */
  readonly floor: Lifeline;
  /** Name servers of the host's resolv.conf, as addresses. */
  readonly resolvers: readonly string[];
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
  const segments = [...definitions.segments.values()].filter((segment) => isMember(segment, target));
  const resolver = peerResolver(definitions, input.memberships, undefined);
  const notes: Note[] = [];
  const ingress = compileChain(input, segments, resolver, "ingress", notes);
  const egress = compileChain(input, segments, resolver, "egress", notes);
  const lifeline = joinLifelines(input.floor, target.fleet.lifeline);
  return { want: { kind: "host", target: target.id, ingress, egress, lifeline }, notes };
}

function isMember(segment: Segment, { fleet, host }: Extract<Target, { kind: "host" }>): boolean {
  return segment.members.some((member) => member.kind === "hosts" && selectsHost(member, fleet, host));
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
  const names = new Set(["any", ...segments.map((segment) => segment.name)]);
  const allows: HostAllow[] = direction === "egress" ? [...essentialEgress(input, notes)] : [];
  for (const rule of listRules(input.definitions)) {
    if (!subjectEnds(rule, direction).some((name) => names.has(name))) continue;
    const others = peerEnds(rule, direction);
    const end = resolver.resolve(others, direction === "ingress" ? "initiator" : "responder");
    if (end.kind === "some") notes.push(...end.gaps.map((gap) => gapNote(gap, rule)));
    const peers = end.kind === "any" ? "any" : end.addresses;
    if (peers !== "any" && isEmpty(peers)) notes.push(noPeerNote(rule, others, input.target.id, rule.at));
    else allows.push({ origin: rule.id, peers, ports: normalisePorts(rule.ports) });
  }
  return { mode, allows };
}

function essentialEgress(input: HostCompilation, notes: Note[]): readonly HostAllow[] {
  const allows: HostAllow[] = [];
  const remote = subtract(fromAddressTexts(input.resolvers).set, LOOPBACK);
  if (!isEmpty(remote)) allows.push({ origin: "builtin/dns", peers: remote, ports: DNS_PORTS });
  else notes.push(noteResolvers(input));
  if (input.target.fleet.transport.kind !== "local") return allows;
  for (const path of input.ownPaths ?? []) {
    if (isEmpty(path.addresses) || path.ports.length === 0) continue;
    allows.push({ origin: "builtin/firebreak", peers: path.addresses, ports: normalisePorts(path.ports) });
  }
  return allows;
}

function noteResolvers({ target, resolvers }: HostCompilation): Note {
  const found = resolvers.length === 0 ? "no name server" : "only a local stub";
  return {
    severity: "info",
    code: "dns-unknown",
    at: target.host.at,
    summary: `builtin/dns: resolv.conf of ${target.id} names ${found}, so no way to a name server is opened`,
    detail: "Add a rule to the servers it asks, if it resolves names.",
  };
}

function strictest(modes: readonly IsolationMode[]): IsolationMode {
  return STRICTNESS[Math.max(0, ...modes.map((mode) => STRICTNESS.indexOf(mode)))] ?? "off";
}

/** Everything in either, sorted: the fleet adds to the operator's floor and never removes from it. */
function joinLifelines(floor: Lifeline, fleet: Lifeline): Lifeline {
  const from = new Map<string, Prefix>([...floor.from, ...fleet.from].map((prefix) => [formatPrefix(prefix), prefix]));
  const ports: Ports = normalisePorts([...floor.ports, ...fleet.ports]);
  return { from: [...from.values()].sort(comparePrefixes), ports: ports === "any" ? [] : ports };
}

function constantPrefix(text: string): readonly Prefix[] {
  const parsed = parsePrefix(text);
  return "ok" in parsed ? [parsed.ok] : [];
}
