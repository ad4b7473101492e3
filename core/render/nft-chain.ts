import { fromPrefixes } from "../address/index.ts";
import type { HostChain } from "../compile/want.ts";
import type { Lifeline, Protocol } from "../model/kinds.ts";
import { nameAllows } from "./nft-allows.ts";
import type { NamedAllow } from "./nft-allows.ts";
import { addressElements, intervalElements } from "./nft-elements.ts";
import { FAMILY, PRIORITY, TABLE } from "./nft-names.ts";
import type { Side } from "./nft-names.ts";
import { portClasses, portElement, portElements } from "./nft-ports.ts";
import {
  ACCEPT,
  countAs,
  dhcpRules,
  DROP,
  establishedRule,
  icmpErrorRules,
  logAs,
  loopbackRule,
  matchPeer,
  matchPorts,
  neighbourRule,
  rule,
} from "./nft-rules.ts";
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

const PROTOCOLS: readonly Protocol[] = ["tcp", "udp"];
const NOTHING: RenderedSide = { counters: [], sets: [], maps: [], chains: [], rules: [] };

/**
 * One direction of a host.
 *
 * ```
 *   input: lo ─ ND ─ established ─ lifeline ─ icmp errors ─ dhcp ─ allows of any port ─ dport → class chains ─ log, count, drop
 * ```
 * Never a list of rules per peer: peers are sets, ports are an interval map of disjoint classes.
 */
export function renderSide(side: Side, want: HostChain, lifeline: Lifeline, phase: Phase): RenderedSide {
  if (want.mode === "off") return NOTHING;
  const allows = nameAllows(want.allows);
  const dispatches = PROTOCOLS.map((protocol) => renderDispatch(side, allows, protocol));
  const lifelineSide = side.direction === "ingress" ? renderLifeline(side, lifeline) : NOTHING;
  const isClosing = want.mode === "enforce" && phase === "final";
  const rules = [
    loopbackRule(side),
    neighbourRule(side),
    establishedRule(side),
    ...lifelineSide.rules,
    ...icmpErrorRules(side),
    ...dhcpRules(side),
    ...allows.filter((allow) => allow.ports === "any").flatMap((allow) => allowRules(side, side.hook, allow)),
    ...dispatches.flatMap((dispatch) => dispatch.entry),
    lastRule(side, want.mode === "enforce" ? phase : "observe"),
    ...dispatches.flatMap((dispatch) => dispatch.rules),
  ];
  const counters = [...new Set([...allows.map((allow) => `${side.short}/${allow.counter}`), `${side.short}/deny`])];
  return {
    counters: counters.map((name) => ({ counter: { family: FAMILY, table: TABLE, name } })),
    sets: [...lifelineSide.sets, ...allows.flatMap((allow) => allowSets(side, allow))],
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

/** The port map of one protocol and a chain per class; nothing where no allow names the protocol. */
function renderDispatch(side: Side, allows: readonly NamedAllow[], protocol: Protocol) {
  const listed = allows.flatMap((allow) => (allow.ports === "any" ? [] : [{ ...allow, ports: allow.ports }]));
  const classes = portClasses(listed, protocol);
  const name = `${side.short}_${protocol}`;
  const entries = classes
    .flatMap(({ lowest, ranges }) => ranges.map((range) => ({ range, target: `${name}_${lowest}` })))
    .sort((a, b) => a.range[0] - b.range[0])
    .map(({ range, target }): readonly [NftElement, NftStatement] => [portElement(range), { jump: { target } }]);
  const map: NftMapObject = {
    map: { family: FAMILY, name, table: TABLE, type: "inet_service", map: "verdict", flags: ["interval"], elem: entries },
  };
  const key = { payload: { protocol, field: "dport" } };
  return {
    entry: classes.length === 0 ? [] : [rule(side.hook, { vmap: { key, data: `@${name}` } })],
    maps: classes.length === 0 ? [] : [map],
    chains: classes.map(({ lowest }): NftChainObject => ({ chain: { family: FAMILY, table: TABLE, name: `${name}_${lowest}` } })),
    rules: classes.flatMap(({ lowest, allows }) => allows.flatMap((allow) => allowRules(side, `${name}_${lowest}`, allow))),
  };
}

/** One rule per set of the allow; without a peer match only where the peers are "any". */
function allowRules(side: Side, chain: string, allow: NamedAllow): readonly NftRuleObject[] {
  const verdict = [countAs(`${side.short}/${allow.counter}`), ACCEPT];
  if (allow.peers === "any") return [rule(chain, ...verdict)];
  return setsOf(side, allow).map(({ family, name }) => rule(chain, matchPeer(side, family, name), ...verdict));
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

/** `in4/ORIGIN` exact, `in4n/ORIGIN` ranges, and the same for 6; only those with elements, and of those at least one. */
function setsOf(side: Side, allow: NamedAllow): readonly PeerSet[] {
  if (allow.peers === "any") return [];
  const { exact4, ranges4, exact6, ranges6 } = addressElements(allow.peers);
  const sets: readonly PeerSet[] = [
    { family: 4, name: `${side.short}4/${allow.name}`, interval: false, elem: exact4 },
    { family: 4, name: `${side.short}4n/${allow.name}`, interval: true, elem: ranges4 },
    { family: 6, name: `${side.short}6/${allow.name}`, interval: false, elem: exact6 },
    { family: 6, name: `${side.short}6n/${allow.name}`, interval: true, elem: ranges6 },
  ];
  return sets.filter((set) => set.elem.length > 0);
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
      ports.map(({ protocol, ranges }) => rule(side.hook, matchPeer(side, family, name), matchPorts(protocol, ranges), ACCEPT)),
    ),
  };
}
