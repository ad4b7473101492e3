import { FAMILY, LOG_GROUP, TABLE } from "./nft-names.ts";
import type { Side } from "./nft-names.ts";
import type { NftElement, NftRuleObject, NftStatement } from "./nft-types.ts";

export const ACCEPT: NftStatement = { accept: null };
export const DROP: NftStatement = { drop: null };

/** A rule of our table. */
export function rule(chain: string, ...expr: readonly NftStatement[]): NftRuleObject {
  return { rule: { family: FAMILY, table: TABLE, chain, expr } };
}

/** `LEFT == RIGHT` on a header field. */
export function matchField(protocol: string, field: string, right: unknown): NftStatement {
  return { match: { op: "==", left: { payload: { protocol, field } }, right } };
}

/** The peer's address is in a named set. */
export function matchPeer(side: Side, family: 4 | 6, set: string): NftStatement {
  return matchField(family === 4 ? "ip" : "ip6", side.peer, `@${set}`);
}

/** A header field in some values: one value or range alone, else an anonymous set, as nft lists it. */
export function matchOneOf(protocol: string, field: string, elements: readonly NftElement[]): NftStatement {
  const [only] = elements;
  return matchField(protocol, field, elements.length === 1 ? only : { set: elements });
}

/** Counts into a named counter, which survives a flush of its rules. */
export function countAs(counter: string): NftStatement {
  return { counter };
}

/** Sends the packet to NFLOG with a prefix that says what happened to it. */
export function logAs(prefix: string): NftStatement {
  return { log: { prefix, group: LOG_GROUP } };
}

/** The host itself. */
export function loopbackRule(side: Side): NftRuleObject {
  return rule(side.hook, { match: { op: "==", left: { meta: { key: side.loopback } }, right: "lo" } }, ACCEPT);
}

/**
 * Neighbour discovery and the multicast listener messages it rests on (RFC 4890 §4.4.1): before any ct rule, because conntrack
 * does not track them.
 */
export function neighbourRule(side: Side): NftRuleObject {
  const types =
    side.direction === "ingress"
      ? ["mld-listener-query", "nd-router-advert", "nd-neighbor-solicit", "nd-neighbor-advert"]
      : [
          "mld-listener-report",
          "mld-listener-done",
          "nd-router-solicit",
          "nd-neighbor-solicit",
          "nd-neighbor-advert",
          "mld2-listener-report",
        ];
  return rule(side.hook, matchField("icmpv6", "type", { set: types }), ACCEPT);
}

/** Replies; it is also what switches connection tracking on. */
export function establishedRule(side: Side): NftRuleObject {
  const match = { match: { op: "in", left: { ct: { key: "state" } }, right: ["established", "related"] } };
  return rule(side.hook, match, ACCEPT);
}

/** Essential `icmpErrors`: types 3, 11, 12; ICMPv6 1 to 4. */
export function icmpErrorRules(side: Side): readonly NftRuleObject[] {
  const v4 = ["destination-unreachable", "time-exceeded", "parameter-problem"];
  const v6 = ["destination-unreachable", "packet-too-big", "time-exceeded", "parameter-problem"];
  return [
    rule(side.hook, matchField("icmp", "type", { set: v4 }), ACCEPT),
    rule(side.hook, matchField("icmpv6", "type", { set: v6 }), ACCEPT),
  ];
}

/**
 * Essential `dhcp`: the host as a client; servers answer from 67 to 68, and from 547 to 546 over link-local addresses. Ports 67 and 68
 * are IPv4's only: without saying so, any IPv6 peer could send from 67.
 */
export function dhcpRules(side: Side): readonly NftRuleObject[] {
  const isIngress = side.direction === "ingress";
  const linkLocal = matchField("ip6", "saddr", { prefix: { addr: "fe80::", len: 10 } });
  const v4 = [matchField("udp", "sport", isIngress ? 67 : 68), matchField("udp", "dport", isIngress ? 68 : 67)];
  const v6 = [matchField("udp", "sport", isIngress ? 547 : 546), matchField("udp", "dport", isIngress ? 546 : 547)];
  const isV4: NftStatement = { match: { op: "==", left: { meta: { key: "nfproto" } }, right: "ipv4" } };
  return [rule(side.hook, isV4, ...v4, ACCEPT), rule(side.hook, linkLocal, ...v6, ACCEPT)];
}
