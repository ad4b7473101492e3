import { anyAddress, anyV4, anyV6, emptySet, fromPrefixes, fromRanges, intersect, isEmpty, isSubset } from "../../address/index.ts";
import { familyBits, networkOf, readAddress } from "../../address/index.ts";
import type { Address, AddressSet } from "../../address/index.ts";
import { allOf, allPorts, intersectPorts, noPorts, otherProtocols, portsFromRanges, unionPorts } from "../../address/ports.ts";
import type { PortSet, Protocol } from "../../address/ports.ts";
import type { Budget } from "../budget.ts";
import { recordOf } from "./listing.ts";
import { ICMP_CODES, ICMP_TYPES, ICMPV6_CODES, ICMPV6_TYPES, L4_PROTOCOLS } from "./names.ts";

/** From whose view addresses are read: `input`: the peer is the source; `output`: the destination. */
export interface Viewpoint {
  readonly hook: "input" | "output";
  /** The host's own addresses, when known: decides matches on the other address. */
  readonly local: AddressSet | undefined;
  /**
   * Read for what surely passes, whoever connects: `local` is then every address of the host, and what somebody may choose (a source port, one
   * of several addresses) is as doubtful as what is not understood.
   */
  readonly atLeast?: boolean | undefined;
  /** What reading may cost; without one a fresh one is taken for each hook. */
  readonly budget?: Budget | undefined;
}

/** What an expression looks at, as far as new connections with other machines are concerned. */
export type Field =
  | { readonly kind: "peer" | "local"; readonly family: 4 | 6 }
  | { readonly kind: "port" | "sourcePort"; readonly protocols: readonly Protocol[] }
  | { readonly kind: "anyPort" }
  | { readonly kind: "icmp"; readonly protocol: "icmp" | "icmpv6"; readonly part: "type" | "code" }
  | { readonly kind: "l4proto"; readonly family: 4 | 6 | undefined }
  | { readonly kind: "nfproto" }
  | { readonly kind: "state" }
  | { readonly kind: "interface" }
  | { readonly kind: "destinationType" }
  | { readonly kind: "strange" };

/**
 * How surely a packet is selected: `sure`; `chosen`: whoever connects can make it so or not (a source port, one of
 * the host's addresses), which is no doubt about who can connect; `doubtful`: it may or may not match, and this reader cannot tell.
 */
export type Certainty = "sure" | "chosen" | "doubtful";

/** What one value of a field selects. */
export interface Selection {
  readonly peers: AddressSet;
  readonly ports: PortSet;
  readonly certainty: Certainty;
}

const EVERYTHING: Selection = { peers: anyAddress, ports: allPorts, certainty: "sure" };
const NOTHING: Selection = { peers: emptySet, ports: noPorts, certainty: "sure" };
const MAYBE: Selection = { ...EVERYTHING, certainty: "doubtful" };
const CERTAINTIES: readonly Certainty[] = ["doubtful", "chosen", "sure"];
const WITH_PORTS: readonly Protocol[] = ["tcp", "udp", "sctp"];
const LINK_LOCAL: AddressSet = fromPrefixes([{ family: 6, first: 0xfe80n << 112n, length: 10 }]);
/** Where packets from or to a link-local address of the host can come from or go: no router forwards them (RFC 4291 §2.5.6). */
const NEAR: AddressSet = fromPrefixes([
  { family: 6, first: 0xfe80n << 112n, length: 10 },
  { family: 6, first: 0xff00n << 112n, length: 8 },
]);
const WITHOUT_PORTS: PortSet = { ...allPorts, tcp: [], udp: [], sctp: [] };

/** The field that the left side of a match (or one part of a concatenation) names. */
export function readField(expression: unknown, view: Viewpoint): Field {
  const record = recordOf(expression);
  const payload = recordOf(record["payload"]);
  const meta = recordOf(record["meta"])["key"];
  if (record["payload"] !== undefined) return payloadField(String(payload["protocol"]), String(payload["field"]), view);
  if (recordOf(record["ct"])["key"] === "state" && Object.keys(recordOf(record["ct"])).length === 1) return { kind: "state" };
  if (meta === "l4proto") return { kind: "l4proto", family: undefined };
  if (meta === "nfproto") return { kind: "nfproto" };
  if (isDestinationType(recordOf(record["fib"])) && view.hook === "input") return { kind: "destinationType" };
  const isOwnInterface = view.hook === "input" ? meta === "iifname" || meta === "iif" : meta === "oifname" || meta === "oif";
  return isOwnInterface ? { kind: "interface" } : { kind: "strange" };
}

/** Everything a match on the field can be about: what `!=` is the complement in (nft adds the protocol it depends on). */
export function fieldDomain(field: Field): Selection {
  switch (field.kind) {
    case "peer":
    case "local":
      return { ...EVERYTHING, peers: familySet(field.family) };
    case "port":
    case "sourcePort":
      return { ...EVERYTHING, ports: portsOf(field.protocols) };
    case "icmp":
      return { ...EVERYTHING, ports: allOf(field.protocol) };
    case "l4proto":
      return { ...EVERYTHING, peers: field.family === undefined ? anyAddress : familySet(field.family) };
    default:
      return EVERYTHING;
  }
}

/** What one value selects; several when parts differ in certainty. */
export function selectValue(field: Field, value: unknown, view: Viewpoint): readonly Selection[] {
  if (value === "*") return [fieldDomain(field)];
  switch (field.kind) {
    case "peer":
      return [selectAddresses(value, field.family)];
    case "local":
      return [selectLocal(value, field.family, view)];
    case "port":
      return [selectPorts(value, field.protocols)];
    case "anyPort":
      return [selectPorts(value, WITH_PORTS), { ...EVERYTHING, ports: WITHOUT_PORTS, certainty: "doubtful" }];
    case "sourcePort":
      return [{ ...EVERYTHING, ports: portsOf(field.protocols), certainty: chosen(view) }];
    case "icmp":
      return [selectIcmp(value, field.protocol, field.part)];
    case "l4proto":
      return [selectProtocol(value, field.family)];
    case "nfproto":
      return [value === "ipv4" ? { ...EVERYTHING, peers: anyV4 } : value === "ipv6" ? { ...EVERYTHING, peers: anyV6 } : MAYBE];
    case "state":
      return [selectState(value)];
    case "interface":
      return [value === "lo" ? NOTHING : MAYBE];
    case "destinationType":
      // What another machine sends to the host goes to an address of its own; what goes to all is no connection.
      return [value === "local" ? EVERYTHING : value === "multicast" || value === "broadcast" ? NOTHING : MAYBE];
    case "strange":
      return [MAYBE];
    default:
      return field satisfies never;
  }
}

/** Numeric bounds of a value: a number, a name of the table, or a range of them. */
export function readBounds(value: unknown, names: Readonly<Record<string, number>> = {}): readonly [number, number] | undefined {
  const range = recordOf(value)["range"];
  const [low, high] = Array.isArray(range) ? [range[0], range[1]] : [value, value];
  const first = readNumber(low, names);
  const last = readNumber(high, names);
  return first === undefined || last === undefined ? undefined : [first, last];
}

function readNumber(value: unknown, names: Readonly<Record<string, number>>): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "string") return undefined;
  if (/^[0-9]+$/.test(value)) return Number(value);
  return Object.hasOwn(names, value) ? names[value] : undefined;
}

/** `fib daddr type` (nft(8), "FIB EXPRESSIONS"). */
function isDestinationType({ result, flags }: Readonly<Record<string, unknown>>): boolean {
  const list = Array.isArray(flags) ? flags : [flags];
  return result === "type" && list.length === 1 && list[0] === "daddr";
}

function payloadField(protocol: string, field: string, view: Viewpoint): Field {
  const isAddress = field === "saddr" || field === "daddr";
  if ((protocol === "ip" || protocol === "ip6") && isAddress) {
    const isPeer = (field === "saddr") === (view.hook === "input");
    return { kind: isPeer ? "peer" : "local", family: protocol === "ip" ? 4 : 6 };
  }
  if (protocol === "ip" && field === "protocol") return { kind: "l4proto", family: 4 };
  if (protocol === "ip6" && field === "nexthdr") return { kind: "l4proto", family: 6 };
  if (protocol === "th" && field === "dport") return { kind: "anyPort" };
  if (protocol === "th" && field === "sport") return { kind: "sourcePort", protocols: ["tcp", "udp", "sctp", "icmp", "icmpv6"] };
  const known = WITH_PORTS.find((name) => name === protocol);
  if (known !== undefined && field === "dport") return { kind: "port", protocols: [known] };
  if (known !== undefined && field === "sport") return { kind: "sourcePort", protocols: [known] };
  const isIcmp = protocol === "icmp" || protocol === "icmpv6";
  if (isIcmp && (field === "type" || field === "code")) return { kind: "icmp", protocol, part: field };
  return { kind: "strange" };
}

function selectAddresses(value: unknown, family: 4 | 6): Selection {
  const addresses = readAddresses(value);
  return addresses === undefined
    ? { ...MAYBE, peers: familySet(family) }
    : { ...EVERYTHING, peers: intersect(addresses, familySet(family)) };
}

function chosen({ atLeast }: Viewpoint): Certainty {
  return atLeast === true ? "doubtful" : "chosen";
}

/**
 * The host's own side of a packet. Which of its addresses is used is chosen like a source port, so a match restricts nothing for
 * certain, unless all addresses of the family that the host has are inside.
 */
function selectLocal(value: unknown, family: 4 | 6, view: Viewpoint): Selection {
  const some: Selection = { ...EVERYTHING, peers: familySet(family), certainty: chosen(view) };
  const addresses = readAddresses(value);
  if (addresses !== undefined && isSubset(addresses, LINK_LOCAL)) return { ...some, peers: NEAR };
  if (addresses === undefined || view.local === undefined) return some;
  const local = intersect(view.local, familySet(family));
  if (view.atLeast === true && isEmpty(intersect(local, addresses))) return NOTHING;
  return !isEmpty(local) && isSubset(local, addresses) ? { ...some, certainty: "sure" } : some;
}

function readAddresses(value: unknown): AddressSet | undefined {
  const { prefix, range } = recordOf(value);
  if (prefix !== undefined) return readPrefix(recordOf(prefix));
  const [low, high] = Array.isArray(range) ? [range[0], range[1]] : [value, value];
  const first = readIp(low);
  const last = readIp(high);
  if (first?.family === 4 && last?.family === 4) return fromRanges([{ family: 4, first: first.value, last: last.value }]);
  if (first?.family === 6 && last?.family === 6) return fromRanges([{ family: 6, first: first.value, last: last.value }]);
  return undefined;
}

function readPrefix({ addr, len }: Readonly<Record<string, unknown>>): AddressSet | undefined {
  const first = readIp(addr);
  const isLength = first !== undefined && typeof len === "number" && len >= 0 && len <= familyBits(first.family);
  return isLength ? fromPrefixes([networkOf(first, len)]) : undefined;
}

/** The address as nft means it: an IPv4-mapped one is an IPv6 address here. */
function readIp(value: unknown): Address | undefined {
  const read = typeof value === "string" ? readAddress(value) : "";
  return typeof read === "string" ? undefined : read;
}

function selectPorts(value: unknown, protocols: readonly Protocol[]): Selection {
  const bounds = readBounds(value);
  if (bounds === undefined) return { ...MAYBE, ports: portsOf(protocols) };
  const [first, last] = bounds;
  return { ...EVERYTHING, ports: portsFromRanges(protocols.map((protocol) => ({ protocol, first, last }))) };
}

function selectIcmp(value: unknown, protocol: "icmp" | "icmpv6", part: "type" | "code"): Selection {
  const names = protocol === "icmp" ? { type: ICMP_TYPES, code: ICMP_CODES } : { type: ICMPV6_TYPES, code: ICMPV6_CODES };
  const bounds = readBounds(value, names[part]);
  if (bounds === undefined) return { ...MAYBE, ports: allOf(protocol) };
  const [first, last] = bounds;
  if (part === "type") return { ...EVERYTHING, ports: portsFromRanges([{ protocol, first: first * 256, last: last * 256 + 255 }]) };
  const types = Array.from({ length: 256 }, (_, type) => ({ protocol, first: type * 256 + first, last: type * 256 + last }));
  return { ...EVERYTHING, ports: portsFromRanges(types) };
}

function selectProtocol(value: unknown, family: 4 | 6 | undefined): Selection {
  const peers = family === undefined ? anyAddress : familySet(family);
  const key = String(value);
  const protocol = Object.hasOwn(L4_PROTOCOLS, key) ? L4_PROTOCOLS[key] : undefined;
  if (protocol !== undefined) return { peers, ports: allOf(protocol), certainty: "sure" };
  const isRange = typeof value !== "string" && typeof value !== "number";
  return { peers, ports: isRange ? allPorts : otherProtocols, certainty: "doubtful" };
}

/** Only new connections are looked at; whether they are tracked, other tables decide. */
function selectState(value: unknown): Selection {
  if (value === "new") return EVERYTHING;
  const isKnown = value === "established" || value === "related" || value === "invalid";
  return isKnown ? NOTHING : MAYBE;
}

function familySet(family: 4 | 6): AddressSet {
  return family === 4 ? anyV4 : anyV6;
}

function portsOf(protocols: readonly Protocol[]): PortSet {
  return protocols.reduce((ports, protocol) => unionPorts(ports, allOf(protocol)), noPorts);
}

/** Both selections at once, as in a concatenation. */
export function bothSelections(a: Selection, b: Selection): Selection {
  const certainty = CERTAINTIES.find((known) => known === a.certainty || known === b.certainty) ?? "doubtful";
  return { peers: intersect(a.peers, b.peers), ports: intersectPorts(a.ports, b.ports), certainty };
}
