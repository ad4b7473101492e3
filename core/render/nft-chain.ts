import { fromPrefixes } from "../address/index.ts";
import type { HostChain, HostWant } from "../compile/want.ts";
import type { IcmpMessages, Lifeline, PortRange, Protocol } from "../model/kinds.ts";
import { nameAllows } from "./nft-allows.ts";
import type { NamedAllow } from "./nft-allows.ts";
import { addressElements, intervalElements } from "./nft-elements.ts";
import { FAMILY, PRIORITY, TABLE } from "./nft-names.ts";
import type { Side } from "./nft-names.ts";
import { icmpCodeElement, icmpParts, icmpTypeElement } from "./nft-icmp.ts";
import { portClasses, portElement, portElements } from "./nft-ports.ts";
import type { PortClass } from "./nft-ports.ts";
import {
  ACCEPT,
  countAs,
  dhcpRules,
  DROP,
  establishedRule,
  icmpErrorRules,
  logAs,
  loopbackRule,
  matchOneOf,
  matchPeer,
  neighbourRule,
  rule,
} from "./nft-rules.ts";
import { seenRules, seenSets } from "./nft-seen.ts";
import type {
  NftChainObject,
  NftCounterObject,
  NftElement,
  NftMapObject,
  NftRuleObject,
  NftSetObject,
  NftStatement,
} from "./nft-types.ts";

/** What one direction brings into the table. */
export interface RenderedSide {
  readonly counters: readonly NftCounterObject[];
  readonly sets: readonly NftSetObject[];
  readonly maps: readonly NftMapObject[];
  readonly chains: readonly NftChainObject[];
  readonly rules: readonly NftRuleObject[];
}

/** settle: as final, but accepting and logging, so that connection tracking learns the live sessions first. */
export type Phase = "settle" | "final";

const PROTOCOLS: readonly Protocol[] = ["tcp", "udp", "sctp"];
const NOTHING: RenderedSide = { counters: [], sets: [], maps: [], chains: [], rules: [] };

/**
 * One direction of a host.
 *
 * ```
 *   input: lo ─ ND ─ established ─ lifeline ─ icmp errors ─ dhcp ─ allows of any port ─ dport → class chains ─ log, count, drop
 * ```
 * In observe mode what would be dropped is remembered in a set before it is logged and counted.
 * Never a list of rules per peer: peers are sets, ports are an interval map of disjoint classes.
 */
export function renderSide(
  side: Side,
  want: HostChain,
  { lifeline, closed = [] }: Pick<HostWant, "lifeline" | "closed">,
  phase: Phase,
): RenderedSide {
  if (want.mode === "off") return NOTHING;
  const allows = nameAllows(want.allows);
  const dispatches = [
    ...PROTOCOLS.map((protocol) => renderPorts(side, allows, protocol)),
    ...(["icmp", "icmpv6"] as const).map((protocol) => renderIcmp(side, allows, protocol)),
  ];
  const lifelineSide = side.direction === "ingress" ? renderLifeline(side, lifeline) : NOTHING;
  const isClosing = want.mode === "enforce" && phase === "final";
  const rules = [
    loopbackRule(side),
    neighbourRule(side),
    establishedRule(side),
    ...lifelineSide.rules,
    ...(closed.includes("icmpErrors") ? [] : icmpErrorRules(side)),
    ...(closed.includes("dhcp") ? [] : dhcpRules(side)),
    ...allows.filter((allow) => allow.ports === "any").flatMap((allow) => allowRules(side, side.hook, allow)),
    ...dispatches.flatMap((dispatch) => dispatch.entry),
    ...(want.mode === "observe" ? seenRules(side) : []),
    lastRule(side, want.mode === "enforce" ? phase : "observe"),
    ...dispatches.flatMap((dispatch) => dispatch.rules),
  ];
  const counters = [...new Set([...allows.map((allow) => `${side.short}/${allow.counter}`), `${side.short}/deny`])];
  return {
    counters: counters.map((name) => ({ counter: { family: FAMILY, table: TABLE, name } })),
    sets: [
      ...lifelineSide.sets,
      ...allows.flatMap((allow) => allowSets(side, allow)),
      ...(want.mode === "observe" ? seenSets(side) : []),
    ],
    maps: dispatches.flatMap((dispatch) => dispatch.maps),
    chains: [baseChain(side, isClosing ? "drop" : "accept"), ...dispatches.flatMap((dispatch) => dispatch.chains)],
    rules,
  };
}

function baseChain(side: Side, policy: "accept" | "drop"): NftChainObject {
  return { chain: { family: FAMILY, table: TABLE, name: side.hook, type: "filter", hook: side.hook, prio: PRIORITY, policy } };
}

/** An explicit drop, so that a stranger's appended rule stays dead; without it the chain's policy accepts. */
function lastRule(side: Side, ending: Phase | "observe"): NftRuleObject {
  const words = { final: "deny", observe: "would-deny", settle: "settle" }[ending];
  const tell = [logAs(`fb:${words} ${side.short} `), countAs(`${side.short}/deny`)];
  return ending === "final" ? rule(side.hook, ...tell, DROP) : rule(side.hook, ...tell);
}

/** A verdict map, a chain per class of its keys, and the rule that enters it. */
type Dispatch = Omit<RenderedSide, "counters" | "sets"> & { readonly entry: readonly NftRuleObject[] };

/** The port map of one protocol and a chain per class; nothing where no allow names the protocol. */
function renderPorts(side: Side, allows: readonly NamedAllow[], protocol: Protocol): Dispatch {
  const listed = allows.map((allow) => ({ allow, ports: rangesOf(allow) }));
  return renderDispatch(side, protocol, portClasses(listed, protocol), {
    type: "inet_service",
    field: "dport",
    element: portElement,
    rulesOf: (chain, { allow }) => allowRules(side, chain, allow),
  });
}

/** The same over the types of an ICMP protocol, which has peers of one family; codes are matched in the chain of their type. */
function renderIcmp(side: Side, allows: readonly NamedAllow[], protocol: "icmp" | "icmpv6"): Dispatch {
  const listed = allows.flatMap((allow) => icmpParts(messagesOf(allow), protocol).map((part) => ({ ...part, allow })));
  const family = protocol === "icmp" ? 4 : 6;
  return renderDispatch(side, protocol, portClasses(listed, protocol), {
    type: `${protocol}_type`,
    field: "type",
    element: (types) => icmpTypeElement(protocol, types),
    rulesOf: (chain, { allow, codes }) => {
      const elements = (codes ?? []).map((code) => icmpCodeElement(protocol, code));
      return allowRules(side, chain, allow, family, codes === undefined ? [] : [matchOneOf(protocol, "code", elements)]);
    },
  });
}

interface DispatchKind<Part> {
  readonly type: string;
  readonly field: "dport" | "type";
  readonly element: (range: readonly [number, number]) => NftElement;
  readonly rulesOf: (chain: string, part: Part) => readonly NftRuleObject[];
}

function renderDispatch<Part>(
  side: Side,
  protocol: string,
  classes: readonly PortClass<Part>[],
  { type, field, element, rulesOf }: DispatchKind<Part>,
): Dispatch {
  if (classes.length === 0) return { entry: [], maps: [], chains: [], rules: [] };
  const name = `${side.short}_${protocol}`;
  const entries = classes
    .flatMap(({ lowest, ranges }) => ranges.map((range) => ({ range, target: `${name}_${lowest}` })))
    .sort((a, b) => a.range[0] - b.range[0])
    .map(({ range, target }): readonly [NftElement, NftStatement] => [element(range), { jump: { target } }]);
  const key = { payload: { protocol, field } };
  return {
    entry: [rule(side.hook, { vmap: { key, data: `@${name}` } })],
    maps: [{ map: { family: FAMILY, name, table: TABLE, type, map: "verdict", flags: ["interval"], elem: entries } }],
    chains: classes.map(({ lowest }) => ({ chain: { family: FAMILY, table: TABLE, name: `${name}_${lowest}` } })),
    rules: classes.flatMap(({ lowest, allows }) => allows.flatMap((part) => rulesOf(`${name}_${lowest}`, part))),
  };
}

function rangesOf({ ports }: NamedAllow): readonly PortRange[] {
  return ports === "any" ? [] : ports.filter((port) => port.kind === "range");
}

function messagesOf({ ports }: NamedAllow): readonly IcmpMessages[] {
  return ports === "any" ? [] : ports.filter((port) => port.kind === "icmp");
}

/** One rule per set of the allow, of one family if given; without a peer match only where the peers are "any". */
function allowRules(
  side: Side,
  chain: string,
  allow: NamedAllow,
  family?: 4 | 6,
  matches: readonly NftStatement[] = [],
): readonly NftRuleObject[] {
  const verdict = [...matches, countAs(`${side.short}/${allow.counter}`), ACCEPT];
  if (allow.peers === "any") return [rule(chain, ...verdict)];
  return setsOf(side, allow)
    .filter((set) => family === undefined || set.family === family)
    .map((set) => rule(chain, matchPeer(side, set.family, set.name), ...verdict));
}

function allowSets(side: Side, allow: NamedAllow): readonly NftSetObject[] {
  return setsOf(side, allow).map(({ family, name, interval, elem }) => namedSet(name, family, interval, elem));
}

interface PeerSet {
  readonly family: 4 | 6;
  readonly name: string;
  readonly interval: boolean;
  readonly elem: readonly NftElement[];
}

/**
 * `in4/ORIGIN` exact, `in4n/ORIGIN` ranges, and the same for 6; only those with elements that a rule looks into: an allow of
 * ICMP alone has no use for IPv6 peers.
 */
function setsOf(side: Side, allow: NamedAllow): readonly PeerSet[] {
  if (allow.peers === "any") return [];
  const { exact4, ranges4, exact6, ranges6 } = addressElements(allow.peers);
  const sets: readonly PeerSet[] = [
    { family: 4, name: `${side.short}4/${allow.name}`, interval: false, elem: exact4 },
    { family: 4, name: `${side.short}4n/${allow.name}`, interval: true, elem: ranges4 },
    { family: 6, name: `${side.short}6/${allow.name}`, interval: false, elem: exact6 },
    { family: 6, name: `${side.short}6n/${allow.name}`, interval: true, elem: ranges6 },
  ];
  const isUsed = (family: 4 | 6): boolean =>
    allow.ports === "any" || allow.ports.some((port) => port.kind === "range" || (port.protocol === "icmp" ? 4 : 6) === family);
  return sets.filter((set) => set.elem.length > 0 && isUsed(set.family));
}

function namedSet(name: string, family: 4 | 6, interval: boolean, elem: readonly NftElement[]): NftSetObject {
  const type = family === 4 ? "ipv4_addr" : "ipv6_addr";
  return { set: { family: FAMILY, name, table: TABLE, type, ...(interval ? { flags: ["interval"] as const } : {}), elem } };
}

/** Ways in that stay open in every mode: `lifeline4` and `lifeline6` to the lifeline's ports. */
function renderLifeline(side: Side, lifeline: Lifeline): RenderedSide {
  const set = fromPrefixes(lifeline.from);
  const families = ([4, 6] as const)
    .map((family) => ({ family, name: `lifeline${family}`, elem: intervalElements(set, family) }))
    .filter(({ elem }) => elem.length > 0);
  const ports = PROTOCOLS.map((protocol) => ({ protocol, ranges: portElements(lifeline.ports, protocol) })).filter(
    ({ ranges }) => ranges.length > 0,
  );
  return {
    ...NOTHING,
    sets: ports.length === 0 ? [] : families.map(({ family, name, elem }) => namedSet(name, family, true, elem)),
    rules: families.flatMap(({ family, name }) =>
      ports.map(({ protocol, ranges }) =>
        rule(side.hook, matchPeer(side, family, name), matchOneOf(protocol, "dport", ranges), ACCEPT),
      ),
    ),
  };
}
