import { equalFlips, flipsContain, flipsFromPairs, intersectFlips, pairsOf, subtractFlips, uniteFlips } from "./intervals.ts";
import type { Flips } from "./intervals.ts";

/** Protocols whose traffic is told apart further: by port, or by ICMP type and code. */
export const PROTOCOLS = ["tcp", "udp", "sctp", "icmp", "icmpv6"] as const;

/** A protocol with its own line of 65,536 points. */
export type Protocol = (typeof PROTOCOLS)[number];

/**
 * Immutable set of (protocol, port).
 *
 * Per protocol, flip points over 0..65535 (see `intervals.ts`): destination ports for tcp, udp and sctp, `type * 256 + code` for
 * icmp and icmpv6. `other` stands for all further protocols at once. Equal sets have equal structure.
 */
export interface PortSet {
  readonly tcp: Flips<number>;
  readonly udp: Flips<number>;
  readonly sctp: Flips<number>;
  readonly icmp: Flips<number>;
  readonly icmpv6: Flips<number>;
  readonly other: boolean;
}

/** One line of a port set, both ends included. */
export interface PortRange {
  readonly protocol: Protocol;
  readonly first: number;
  readonly last: number;
}

const WHOLE: Flips<number> = [0, 65536];
const NONE: Flips<number> = [];

/** No port of any protocol. */
export const noPorts: PortSet = { tcp: NONE, udp: NONE, sctp: NONE, icmp: NONE, icmpv6: NONE, other: false };

/** Everything: all ports of all protocols, named here or not. */
export const allPorts: PortSet = { tcp: WHOLE, udp: WHOLE, sctp: WHOLE, icmp: WHOLE, icmpv6: WHOLE, other: true };

/** All ports (or ICMP types) of one protocol. */
export function allOf(protocol: Protocol): PortSet {
  return { ...noPorts, [protocol]: WHOLE };
}

/** All protocols that are none of {@link PROTOCOLS}. */
export const otherProtocols: PortSet = { ...noPorts, other: true };

/** One port (or ICMP `type * 256 + code`), or a range with both ends included. Ends outside 0..65535 are cut off. */
export function portRange(protocol: Protocol, first: number, last: number = first): PortSet {
  return portsFromRanges([{ protocol, first, last }]);
}

/** The union of ranges in any order. */
export function portsFromRanges(ranges: Iterable<PortRange>): PortSet {
  const pairs: Record<Protocol, [number, number][]> = { tcp: [], udp: [], sctp: [], icmp: [], icmpv6: [] };
  for (const { protocol, first, last } of ranges) pairs[protocol].push([Math.max(first, 0), Math.min(last, 65535) + 1]);
  return perProtocol(false, (protocol) => flipsFromPairs(pairs[protocol]));
}

/** Ports in either. */
export function unionPorts(a: PortSet, b: PortSet): PortSet {
  if (a === b || isEmptyPorts(b)) return a;
  if (isEmptyPorts(a)) return b;
  return perProtocol(a.other || b.other, (protocol) => uniteFlips(a[protocol], b[protocol]));
}

/** Ports in both. */
export function intersectPorts(a: PortSet, b: PortSet): PortSet {
  if (a === b || b === allPorts) return a;
  if (a === allPorts) return b;
  return perProtocol(a.other && b.other, (protocol) => intersectFlips(a[protocol], b[protocol]));
}

/** Ports in the first and not in the second. */
export function subtractPorts(a: PortSet, b: PortSet): PortSet {
  if (a === b) return noPorts;
  if (isEmptyPorts(b)) return a;
  return perProtocol(a.other && !b.other, (protocol) => subtractFlips(a[protocol], b[protocol]));
}

/** Same ports. */
export function equalPorts(a: PortSet, b: PortSet): boolean {
  return a === b || (a.other === b.other && PROTOCOLS.every((protocol) => equalFlips(a[protocol], b[protocol])));
}

/** True when there is nothing in it. */
export function isEmptyPorts(set: PortSet): boolean {
  return !set.other && PROTOCOLS.every((protocol) => set[protocol].length === 0);
}

/** True when every port of `part` is in `whole`. */
export function isSubsetPorts(part: PortSet, whole: PortSet): boolean {
  return isEmptyPorts(subtractPorts(part, whole));
}

/** True when the set holds that port of that protocol. */
export function hasPort(set: PortSet, protocol: Protocol, port: number): boolean {
  return flipsContain(set[protocol], port);
}

/** The maximal ranges, in the order of {@link PROTOCOLS}, ascending; `other` is not among them. */
export function portRanges(set: PortSet): readonly PortRange[] {
  return PROTOCOLS.flatMap((protocol) => pairsOf(set[protocol]).map(([first, end]) => ({ protocol, first, last: end - 1 })));
}

/**
 * Words for people: `5432/tcp, 8000-8080/tcp`; a whole protocol by its name; `icmp/8` is all of type 8, `icmp/9-255` some types,
 * `icmp/3/4` one code; `any` for everything, `nothing` for the empty set. These are the words rules are written in, apart from `other protocols`.
 */
export function formatPorts(set: PortSet): string {
  if (equalPorts(set, allPorts)) return "any";
  const words = PROTOCOLS.flatMap((protocol) => formatProtocol(protocol, set[protocol]));
  if (set.other) words.push("other protocols");
  return words.length === 0 ? "nothing" : words.join(", ");
}

function formatProtocol(protocol: Protocol, flips: Flips<number>): readonly string[] {
  if (equalFlips(flips, WHOLE)) return [protocol];
  const isIcmp = protocol === "icmp" || protocol === "icmpv6";
  return pairsOf(flips).flatMap(([first, end]) =>
    isIcmp ? formatIcmp(protocol, first, end) : [`${first === end - 1 ? first : `${first}-${end - 1}`}/${protocol}`],
  );
}

function formatIcmp(protocol: Protocol, first: number, end: number): readonly string[] {
  const firstWhole = Math.ceil(first / 256);
  const endWhole = Math.floor(end / 256);
  if (firstWhole >= endWhole) return icmpCodes(protocol, first, end);
  const types = firstWhole === endWhole - 1 ? `${firstWhole}` : `${firstWhole}-${endWhole - 1}`;
  return [...icmpCodes(protocol, first, firstWhole * 256), `${protocol}/${types}`, ...icmpCodes(protocol, endWhole * 256, end)];
}

/** Single codes of one or two types. */
function icmpCodes(protocol: Protocol, first: number, end: number): readonly string[] {
  return Array.from({ length: end - first }, (_, index) => `${protocol}/${(first + index) >> 8}/${(first + index) % 256}`);
}

function perProtocol(other: boolean, flipsOf: (protocol: Protocol) => Flips<number>): PortSet {
  return {
    tcp: flipsOf("tcp"),
    udp: flipsOf("udp"),
    sctp: flipsOf("sctp"),
    icmp: flipsOf("icmp"),
    icmpv6: flipsOf("icmpv6"),
    other,
  };
}
