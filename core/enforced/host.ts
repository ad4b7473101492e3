import { firstAddress, formatAddress, fromAddresses, isEmpty } from "../address/index.ts";
import type { Address, AddressSet } from "../address/index.ts";
import { allOf, allPorts, equalPorts, hasPort, noPorts, portRange, unionPorts } from "../address/ports.ts";
import type { PortSet, Protocol } from "../address/ports.ts";
import type { Workload } from "../estate/estate.ts";
import { sha256Hex } from "../membership/hash.ts";
import type { Direction, TargetId } from "../model/kinds.ts";
import type { End, EndMode, Party, Reason } from "../reach/source.ts";
import { cutIntoAtoms } from "../verdict/atoms.ts";
import { rulesetAccess } from "../verdict/nft/ruleset.ts";
import type { RulesetAccess, RulesetSide, TableDecision } from "../verdict/nft/ruleset.ts";
import { boxesOf, intersectSpaces, isEmptySpace, spaceFromBoxes, subtractSpaces, wholeSpace } from "../verdict/nft/space.ts";
import type { Space } from "../verdict/nft/space.ts";
import { addressesAt, AtomFinder } from "./peers.ts";
import type { TargetEnds } from "./target.ts";

/** One direction of a host, ready to be asked address by address. */
interface Side {
  readonly mode: EndMode;
  /** What the answers are made of: what passes, or where the host only observes, what would. */
  readonly space: Space;
  readonly borders: readonly AddressSet[];
  readonly portsAt: (addresses: AddressSet) => PortSet;
  readonly uncertain: readonly string[];
  readonly key: string;
}

const HOOKS = { ingress: "input", egress: "output" } as const;

/**
 * What the tables of a host let through, read without knowing who wrote them. Everybody is seen by addresses, and the host always
 * reaches itself.
 */
export function hostEnds(target: TargetId, ruleset: readonly unknown[], local: AddressSet, doubts: readonly string[]): TargetEnds {
  const access = rulesetAccess(ruleset, local);
  const sides = { ingress: sideOf(access.input, doubts), egress: sideOf(access.output, doubts) };
  const ownKey = `${sides.ingress.key} ${sides.egress.key}`;
  return {
    borders: [...sides.ingress.borders, ...sides.egress.borders],
    ownKey: (workload) => `${ownKey} ${familiesOf(workload.addresses)}`,
    endKey: (direction, subject) => `${sides[direction].key} ${familiesOf(subject.addresses) | familiesOf(local)}`,
    end: (direction, subject, peer) => endOf(sides[direction], { direction, subject, peer, local }),
    explain: (direction, subject, peer, protocol, port) =>
      explainEnd(access, sides[direction], { direction, subject, peer, local, protocol, port }),
    doubts: [...new Set([...sides.ingress.uncertain, ...sides.egress.uncertain])].map((text) => `${target} ${text}`),
  };
}

function sideOf(side: RulesetSide, doubts: readonly string[]): Side {
  const mode: EndMode = !isEverything(side.space)
    ? "enforced"
    : side.isHooked && !isEverything(side.accepted)
      ? "observed"
      : "open";
  const space = mode === "observed" ? side.accepted : side.space;
  const boxes = boxesOf(space);
  const borders = boxes.map(({ peers }) => peers);
  const atoms = cutIntoAtoms(borders);
  const finder = new AtomFinder(atoms);
  const ports = atoms.list.map(({ within }) => within.reduce((sum, box) => unionPorts(sum, boxes[box]?.ports ?? noPorts), noPorts));
  const uncertain = [...new Set([...doubts, ...side.uncertain])];
  return {
    mode,
    space,
    borders,
    portsAt: (addresses) => {
      const found = finder.of(addresses).reduce((sum, atom) => unionPorts(sum, ports[atom] ?? noPorts), noPorts);
      return withoutAbsentFamily(found, addresses);
    },
    uncertain,
    key: sha256Hex(JSON.stringify([mode, space.starts, space.sets.map((set) => [set.v4, set.v6.map(String)]), uncertain])),
  };
}

function isEverything(space: Space): boolean {
  return isEmptySpace(subtractSpaces(wholeSpace, space));
}

/** Who meets whom at one end. */
interface Pair {
  readonly direction: Direction;
  readonly subject: Workload;
  readonly peer: Party;
  /** Addresses of the host itself. */
  readonly local: AddressSet;
}

function endOf(side: Side, pair: Pair): End {
  const isSelf = pair.peer.kind === "workload" && pair.peer.workload.id === pair.subject.id;
  if (side.mode === "open" || isSelf) return { mode: side.mode, ports: allPorts, uncertain: side.uncertain };
  return { mode: side.mode, ports: portsBetween(side, pair), uncertain: side.uncertain };
}

/** Nothing where the two have no address family in common, however wide the rules are. */
function portsBetween(side: Side, { direction, subject, peer, local }: Pair): PortSet {
  const addresses = addressesAt(direction, peer);
  const own = familiesOf(subject.addresses) | familiesOf(local);
  const shared = own === 0 || isEmpty(addresses) ? 3 : own & familiesOf(addresses);
  return shared === 0 ? noPorts : side.portsAt(addresses);
}

/** 1 for IPv4, 2 for IPv6. */
function familiesOf({ v4, v6 }: AddressSet): number {
  return (v4.length > 0 ? 1 : 0) | (v6.length > 0 ? 2 : 0);
}

/** Everything that IPv4 peers can send is everything: no ruleset lets ICMPv6 through from them, because there is none. And the other way. */
function withoutAbsentFamily(ports: PortSet, { v4, v6 }: AddressSet): PortSet {
  if (v4.length > 0 === v6.length > 0) return ports;
  const absent = v4.length > 0 ? "icmpv6" : "icmp";
  const filled = unionPorts(ports, allOf(absent));
  return equalPorts(filled, allPorts) ? allPorts : ports;
}

interface Question extends Pair {
  readonly protocol: Protocol;
  /** A type for ICMP. */
  readonly port: number;
}

function explainEnd(access: RulesetAccess, side: Side, question: Question): Reason {
  const { direction, subject, peer, protocol, port } = question;
  const say = (allowed: boolean, origins: readonly string[], text: string): Reason => {
    const doubts = side.uncertain.length === 0 ? "" : ` (uncertain: ${side.uncertain[0] ?? ""})`;
    const parts = { origins: allowed ? origins : [], isolatedBy: allowed ? [] : origins };
    return { direction, allowed, mode: side.mode, ...parts, at: undefined, text: `${text}${doubts}` };
  };
  if (peer.kind === "workload" && peer.workload.id === subject.id) return say(true, [], "a host always reaches itself");
  const addresses = addressesAt(direction, peer);
  const point = protocol === "icmp" || protocol === "icmpv6" ? port * 256 : port;
  const ports = portRange(protocol, point);
  const asked = intersectSpaces(wholeSpace, spaceFromBoxes([{ peers: addresses, ports }]));
  const met = intersectSpaces(asked, side.space);
  const allowed = side.mode !== "enforced" || hasPort(portsBetween(side, question), protocol, point);
  const example = oneConnection(isEmptySpace(met) ? asked : met);
  if (example === undefined) return say(allowed, [], `the peer has no address by which ${subject.name} could know it`);
  const decisions = access.decisions(HOOKS[direction], spaceFromBoxes([{ peers: fromAddresses([example]), ports }]));
  const deciding = decisions.filter(({ verdict }) => verdict === (allowed ? "accept" : "drop"));
  if (deciding.length === 0) return say(allowed, [], `no table of ${subject.name} stops it`);
  const text = `${formatAddress(example)}: ${deciding.map(formatDecision).join("; ")}`;
  return say(allowed, deciding.map(originOf), text);
}

function oneConnection(space: Space): Address | undefined {
  const [box] = boxesOf(space);
  return box === undefined ? undefined : firstAddress(box.peers);
}

/** `inet firebreak input`. */
function originOf({ table, chain }: TableDecision): string {
  return `${table.family} ${table.name} ${chain}`;
}

function formatDecision(decision: TableDecision): string {
  const by = decision.byPolicy ? "policy of " : "";
  const counter = decision.counter === undefined ? "" : ` (counter ${decision.counter})`;
  return `${by}${originOf(decision)} ${decision.verdict === "accept" ? "accepts" : "drops"} it${counter}`;
}
