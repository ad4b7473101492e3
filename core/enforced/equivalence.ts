import { emptySet, formatSet, fromRanges, intersect, isEmpty, toRanges, unionAll } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import {
  allOf,
  allPorts,
  equalPorts,
  formatPorts,
  isEmptyPorts,
  noPorts,
  portRange,
  portRanges,
  subtractPorts,
  unionPorts,
} from "../address/ports.ts";
import type { PortSet, Protocol } from "../address/ports.ts";
import type { Workload } from "../estate/estate.ts";
import type { Direction, TargetId } from "../model/kinds.ts";
import { formatPosition } from "../model/note.ts";
import type { End, Party, Reason, Source } from "../reach/source.ts";
import { cutIntoAtoms } from "../verdict/atoms.ts";
import type { Atoms } from "../verdict/atoms.ts";
import { PeerChoice } from "./peer-choice.ts";
import type { PeerRow, Row } from "./peer-choice.ts";
import { addressesAt, AtomFinder } from "./peers.ts";
import { Pieces, WHOLE } from "./pieces.ts";
import type { EquivalenceQuestion } from "./equivalence-question.ts";

/** One connection about which the two do not agree. */
export interface CounterExample {
  readonly direction: Direction;
  readonly subject: Workload;
  readonly peer: Party;
  /** The ports that one of them lets through and the other does not. */
  readonly ports: PortSet;
  readonly intentAllows: boolean;
  /** Undefined for protocols without ports. */
  readonly intent: Reason | undefined;
  readonly rendered: Reason | undefined;
}

interface Extent {
  /** Pairs of classes that were compared, and how many there are. */
  readonly compared: number;
  readonly pairs: number;
  /** Pairs that the definitions leave open (an inventory is missing): not compared. */
  readonly undecided: number;
}

/** What a check found. `unreadable`: something was rendered that the reader does not understand, which is as wrong as a difference. */
export type Equivalence =
  | ({ readonly kind: "same" } & Extent)
  | ({ readonly kind: "differs"; readonly counterExample: CounterExample; readonly text: string } & Extent)
  | { readonly kind: "unreadable"; readonly text: string };

/** About a second on one slow core; see docs/design/verdicts.md. */
export const LOOK_LIMIT = 1_000_000;
/** A look at somebody whom so many address sets hold takes twice as long as one at somebody whom none holds. */
const HOLDERS_PER_LOOK = 8;
/** A prime: every row begins somewhere else. */
const STRIDE = 7919;

/**
 * True when what was rendered for a target lets through exactly what the definitions mean, as far as its enforcer can see it.
 *
 * Workloads and addresses are compared by classes that neither side tells apart; ends that neither isolates need one look, and of the
 * peers that no rule of either side names at an end, two of each sort. Where that still is above the limit, every class of subjects
 * is compared with as many of its peers as there is room for, in an order that depends on nothing but the question, and `compared`
 * says how many.
 */
export function checkEquivalence(question: EquivalenceQuestion): Equivalence {
  const { target, rendered, limit = LOOK_LIMIT } = question;
  const [doubt] = rendered.doubtsOf(target);
  if (doubt !== undefined) return { kind: "unreadable", text: `what was rendered for ${target} is not understood: ${doubt}` };
  const peers = peersOf(question);
  const rows = (["ingress", "egress"] as const).flatMap((direction) =>
    subjectsOf(question, direction).map((subject): Row => ({ direction, subject })),
  );
  const isolated = rows.filter((row) => isIsolated(question, row, peers));
  const choice = new PeerChoice(question, peers);
  const perRow = roomPerRow(choice, isolated, limit);
  const pairs = isolated.length * peers.length;
  let compared = 0;
  let undecided = 0;
  for (const [index, row] of isolated.entries()) {
    const candidates = choice.of(row);
    let left = perRow;
    let seen = 0;
    for (const peer of turned(candidates, index)) {
      const looks = looksAt(row, peer);
      const found = comparePair(question, row, peer, Math.max(1, Math.floor(left / peer.weight)), index);
      left -= looks * peer.weight;
      if (left >= 0) seen += 1;
      if (found === "undecided") undecided += 1;
      else if (found !== undefined) {
        return { kind: "differs", counterExample: found, text: describeCounterExample(found), compared, pairs, undecided };
      }
      if (left <= 0) break;
    }
    compared += seen === candidates.length ? peers.length : seen;
  }
  return { kind: "same", compared, pairs, undecided };
}

/** As many looks for each row as its peers take, or as fit below the limit. */
function roomPerRow(choice: PeerChoice, rows: readonly Row[], limit: number): number {
  let total = 0;
  for (const row of rows) {
    for (const peer of choice.of(row)) total += looksAt(row, peer) * peer.weight;
    if (total > limit) return Math.max(1, Math.floor(limit / rows.length));
  }
  return Number.POSITIVE_INFINITY;
}

/** How many parties a peer is at the ends of a row. */
function looksAt({ direction, subject }: Row, { party, pieces }: PeerRow): number {
  const isElsewhere = party.kind === "workload" && party.workload.target !== subject.target;
  return isElsewhere ? Math.max(1, pieces[direction].count) : 1;
}

function subjectsOf({ target, intent, rendered, isSubject }: EquivalenceQuestion, direction: Direction): readonly Workload[] {
  const byKey = new Map<string, Workload>();
  for (const workload of intent.estate.workloads) {
    if (workload.target !== target || isSubject?.(workload) === false) continue;
    const key = `${intent.endKey(direction, workload)}\n${rendered.endKey(direction, workload)}`;
    if (!byKey.has(key)) byKey.set(key, workload);
  }
  return [...byKey.values()];
}

function peersOf({ intent, rendered, leftOut = emptySet }: EquivalenceQuestion): readonly PeerRow[] {
  const { workloads } = intent.estate;
  // Addresses that workloads have, or show as pods of a masqueraded cluster show their node's, are looked at as those workloads.
  const owned = unionAll([leftOut, ...workloads.flatMap(({ addresses, shown }) => [addresses, shown])]);
  const sets = [...intent.borders, ...rendered.borders];
  const atoms = cutIntoAtoms([...sets, owned]);
  const finder = new AtomFinder(atoms);
  const byKey = new Map<string, { readonly first: Workload; second: Workload | undefined }>();
  for (const workload of workloads) {
    if (!isEmpty(leftOut) && isTouched(workload, leftOut)) continue;
    const key = `${intent.keyOf(workload)}\n${rendered.keyOf(workload)}`;
    const known = byKey.get(key);
    if (known === undefined) byKey.set(key, { first: workload, second: undefined });
    else known.second ??= workload;
  }
  const managed = [...byKey.values()].map(({ first, second }): PeerRow => ({
    party: { kind: "workload", workload: first },
    second,
    pieces: piecesOf(first, atoms, finder),
    weight: weightOf(
      [...finder.of(first.shown), ...finder.of(first.addresses)].map((atom) => atoms.list[atom]?.within.length ?? 0),
    ),
  }));
  const outside = atoms.list.flatMap(({ addresses, within }): readonly PeerRow[] =>
    within.includes(sets.length)
      ? []
      : [
          {
            party: { kind: "addresses", addresses },
            second: undefined,
            pieces: { ingress: WHOLE, egress: WHOLE },
            weight: weightOf([within.length]),
          },
        ],
  );
  return [...managed, ...outside];
}

/** Sets that hold an address are walked at each look. */
function weightOf(holders: readonly number[]): number {
  return 1 + Math.floor(holders.reduce((most, count) => Math.max(most, count), 0) / HOLDERS_PER_LOOK);
}

/** A workload by each of its addresses that somebody tells apart; none where nobody does. */
function piecesOf(workload: Workload, atoms: Atoms, finder: AtomFinder): PeerRow["pieces"] {
  const pieces = (set: AddressSet, by: (addresses: AddressSet) => Workload): Pieces => {
    const found = isEmpty(set) ? [] : finder.of(set);
    if (found.length <= 1) return WHOLE;
    return new Pieces(found.length, (index) => {
      const addresses = intersect(atoms.list[found[index] ?? -1]?.addresses ?? emptySet, set);
      return { kind: "workload", workload: by(addresses) };
    });
  };
  return {
    ingress: pieces(workload.shown, (shown) => ({ ...workload, shown })),
    egress: pieces(workload.addresses, (addresses) => ({ ...workload, addresses })),
  };
}

function isTouched({ addresses, shown }: Workload, leftOut: AddressSet): boolean {
  return !isEmpty(intersect(addresses, leftOut)) || !isEmpty(intersect(shown, leftOut));
}

/** False where neither side isolates the end: whoever the peer, everything passes. */
function isIsolated({ intent, rendered }: EquivalenceQuestion, { direction, subject }: Row, peers: readonly PeerRow[]): boolean {
  const [first] = peers;
  if (first === undefined) return false;
  const party: Party = { kind: "workload", workload: subject };
  return [intent, rendered].some((source) => source.end(direction, party, first.party).mode === "enforced");
}

/** A list from somewhere in it on, somewhere else in every row: what is left out is not always the same. */
function turned<T>(list: readonly T[], row: number): readonly T[] {
  const start = list.length === 0 ? 0 : (row * STRIDE) % list.length;
  return start === 0 ? list : [...list.slice(start), ...list.slice(0, start)];
}

/** @param most looks; of a peer that takes more, only as many of its pieces are seen */
function comparePair(
  question: EquivalenceQuestion,
  row: Row,
  peer: PeerRow,
  most: number,
  turn: number,
): CounterExample | "undecided" | undefined {
  const party = otherThan(row.subject, peer);
  if (party === undefined) return undefined;
  const isElsewhere = party.kind === "workload" && party.workload.target !== row.subject.target;
  const pieces = isElsewhere && party === peer.party ? peer.pieces[row.direction] : WHOLE;
  if (pieces.count === 0) return compareOne(question, row, party);
  let answer: "undecided" | undefined;
  for (let index = 0; index < Math.min(pieces.count, most); index += 1) {
    const found = compareOne(question, row, pieces.at((index + turn) % pieces.count));
    if (found !== undefined && found !== "undecided") return found;
    answer ??= found;
  }
  return answer;
}

function compareOne(
  { target, intent, rendered }: EquivalenceQuestion,
  row: Row,
  party: Party,
): CounterExample | "undecided" | undefined {
  const { direction, subject } = row;
  if (isUnseen(direction, subject, party) || !canConnect(direction, subject, party)) return undefined;
  const self: Party = { kind: "workload", workload: subject };
  const meant = intent.end(direction, self, party);
  const [intended, passes] = [passing(meant), passing(rendered.end(direction, self, party))];
  if (intended === passes) return undefined;
  const impossible = impossiblePorts(target, direction, party);
  const missing = subtractPorts(subtractPorts(intended, passes), impossible);
  const extra = subtractPorts(subtractPorts(passes, intended), impossible);
  if (isEmptyPorts(missing) && isEmptyPorts(extra)) return undefined;
  if (meant.uncertain.length > 0) return "undecided";
  const intentAllows = !isEmptyPorts(missing);
  return counterExample({ intent, rendered }, direction, subject, party, intentAllows ? missing : extra, intentAllows);
}

function haveSharedFamily(own: AddressSet, other: AddressSet): boolean {
  return isEmpty(own) || (own.v4.length > 0 && other.v4.length > 0) || (own.v6.length > 0 && other.v6.length > 0);
}

function otherThan(subject: Workload, { party, second }: PeerRow): Party | undefined {
  if (party.kind === "addresses" || party.workload.id !== subject.id) return party;
  return second === undefined ? undefined : { kind: "workload", workload: second };
}

/** True for a workload elsewhere that has no address to be known by: no enforcer here will ever meet it as it is. */
function isUnseen(direction: Direction, subject: Workload, party: Party): boolean {
  if (party.kind === "addresses" || party.workload.target === subject.target) return false;
  return isEmpty(addressesAt(direction, party));
}

/** False where the two have no address family in common: what either side says of them is about nothing. */
function canConnect(direction: Direction, subject: Workload, party: Party): boolean {
  const isLocal = party.kind === "workload" && party.workload.target === subject.target;
  const addresses = isLocal ? party.workload.addresses : addressesAt(direction, party);
  return isEmpty(addresses) || haveSharedFamily(subject.addresses, addresses);
}

function passing({ mode, ports }: End): PortSet {
  return mode === "enforced" ? ports : allPorts;
}

/** Nobody listens on port 0, and a NetworkPolicy cannot say it. */
const PORT_0 = (["tcp", "udp", "sctp"] as const).map((protocol) => portRange(protocol, 0)).reduce(unionPorts, noPorts);

/** ICMP exists between IPv4 addresses only, ICMPv6 between IPv6 ones. */
function impossiblePorts(target: TargetId, direction: Direction, party: Party): PortSet {
  const { v4, v6 } = addressesAt(direction, party);
  const ofPods = target.startsWith("cluster/") ? PORT_0 : noPorts;
  if (v4.length > 0 === v6.length > 0) return ofPods;
  return unionPorts(ofPods, allOf(v4.length > 0 ? "icmpv6" : "icmp"));
}

function counterExample(
  { intent, rendered }: Pick<EquivalenceQuestion, "intent" | "rendered">,
  direction: Direction,
  subject: Workload,
  peer: Party,
  ports: PortSet,
  intentAllows: boolean,
): CounterExample {
  const self: Party = { kind: "workload", workload: subject };
  const point = firstPoint(ports);
  const why = (source: Source): Reason | undefined =>
    point === undefined ? undefined : source.explain(direction, self, peer, point.protocol, point.port);
  return { direction, subject, peer, ports, intentAllows, intent: why(intent), rendered: why(rendered) };
}

/** The first port (or ICMP type) of a set. */
function firstPoint(ports: PortSet): { readonly protocol: Protocol; readonly port: number } | undefined {
  const [range] = portRanges(ports);
  if (range === undefined) return undefined;
  const isIcmp = range.protocol === "icmp" || range.protocol === "icmpv6";
  if (isIcmp) return { protocol: range.protocol, port: range.first >> 8 };
  return { protocol: range.protocol, port: Math.min(Math.max(range.first, 1), range.last) };
}

/** `A → B: 443/tcp: the definitions allow it (…, policies/x.yaml:12:5), what was rendered does not (…)`. */
export function describeCounterExample(example: CounterExample): string {
  const { direction, subject, peer, ports, intentAllows } = example;
  const other = peer.kind === "addresses" ? formatSomeAddresses(peer.addresses) : nameOf(peer.workload);
  const [from, to] = direction === "ingress" ? [other, nameOf(subject)] : [nameOf(subject), other];
  const one = firstPoint(ports);
  const words = one === undefined ? formatPorts(ports) : formatPorts(isWholeType(ports, one) ?? portRange(one.protocol, one.port));
  const meant = `the definitions ${intentAllows ? "allow" : "do not allow"} it (${reasonText(example.intent)})`;
  const rendered = `what was rendered ${intentAllows ? "does not" : "does"} (${reasonText(example.rendered)})`;
  return `${from} → ${to}: ${words}, ${direction} of ${nameOf(subject)}: ${meant}, ${rendered}`;
}

function isWholeType(
  ports: PortSet,
  { protocol, port }: { readonly protocol: Protocol; readonly port: number },
): PortSet | undefined {
  if (protocol !== "icmp" && protocol !== "icmpv6") return undefined;
  const type = portRange(protocol, port * 256, port * 256 + 255);
  return equalPorts(type, ports) || isEmptyPorts(subtractPorts(type, ports))
    ? type
    : portRange(protocol, portRanges(ports)[0]?.first ?? 0);
}

function reasonText(reason: Reason | undefined): string {
  if (reason === undefined) return "a protocol without ports";
  return reason.at === undefined ? reason.text : `${reason.text}, ${formatPosition(reason.at)}`;
}

function nameOf(workload: Workload): string {
  return workload.id.replace(/^cluster\//, "");
}

function formatSomeAddresses(addresses: AddressSet): string {
  const [first] = toRanges(addresses);
  return first === undefined ? "nobody" : formatSet(fromRanges([first]));
}
