import { firstAddress, formatAddress, subtract } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import { PROTOCOLS, hasPort, isEmptyPorts, isSubsetPorts, portRanges } from "../address/ports.ts";
import type { PortRange, PortSet } from "../address/ports.ts";
import type { Classes, PeerClass } from "./classes.ts";
import { describePeers, phrasePorts } from "./effect-words.ts";
import { familiesOf } from "./rows.ts";
import { podId } from "./world.ts";

/** One connection that stands for a group: it opened (or closed), and anybody can try it. */
export interface Witness {
  /** `namespace/pod` or an address. */
  readonly from: string;
  readonly to: string;
  readonly port: number;
  /** `tcp`, …, or `other` for protocols without ports. */
  readonly protocol: string;
}

/** A group of connections that opened (or closed) together. */
export interface Connection {
  /** `any`, `shop/order-input`, `every pod of shop`, `10.9.0.0/24`, `any address outside`; several joined by commas. */
  readonly from: string;
  readonly to: string;
  /** Workloads at that end; 0 when it is addresses only. */
  readonly fromWorkloads: number;
  readonly toWorkloads: number;
  /** `any port`, `5432/tcp`. */
  readonly ports: string;
  readonly portSet: PortSet;
  readonly witness: Witness;
}

/** What changed between two classes. */
export interface PairChange {
  readonly from: number;
  readonly to: number;
  readonly before: PortSet;
  readonly after: PortSet;
  readonly opened: PortSet;
  readonly closed: PortSet;
}

/** What grouping needs to look up: the classes, and connections of either world (0 before, 1 after). */
export interface GroupView {
  readonly classes: Classes;
  readonly connection: (world: 0 | 1, from: number, to: number) => PortSet;
  /** Addresses of pods: no witness for "somebody outside". */
  readonly podAddresses: AddressSet;
}

interface Group {
  readonly ports: PortSet;
  readonly from: readonly number[];
  readonly to: number[];
  readonly sample: PairChange;
}

/**
 * Gathers changed pairs into lines that people read.
 *
 * Per responder, initiators with the same ports are one group. An initiator that had some of these ports already joins the group
 * that says all it can do now: "any → shop/db: any port" although `shop/api` had 5432/tcp before. Then responders with the same
 * group are joined.
 */
export function groupChanges(view: GroupView, changes: readonly PairChange[], side: "opened" | "closed"): readonly Connection[] {
  const byResponder = Map.groupBy(
    changes.filter((change) => !isEmptyPorts(change[side])),
    (change) => change.to,
  );
  const groups = new Map<string, Group>();
  for (const [to, list] of byResponder) {
    for (const [ports, members] of groupInitiators(list, side)) addGroup(view, groups, to, ports, members, side);
  }
  return [...groups.values()].sort((a, b) => reach(b) - reach(a)).map((group) => writeGroup(view, group, side));
}

function reach(group: Group): number {
  return group.from.length * group.to.length;
}

/** Groups by ports; the widest ports first, so that partial openings join them. */
function groupInitiators(list: readonly PairChange[], side: "opened" | "closed"): ReadonlyMap<PortSet, PairChange[]> {
  const distinct = [...new Map(list.map((change) => [JSON.stringify(change[side]), change[side]])).values()];
  const widestFirst = distinct.sort((a, b) => breadth(b) - breadth(a));
  const groups = new Map<PortSet, PairChange[]>();
  for (const change of list) {
    const full = side === "opened" ? change.after : change.before;
    const home = widestFirst.find((ports) => isSubsetPorts(change[side], ports) && isSubsetPorts(ports, full)) ?? change[side];
    const group = groups.get(home);
    if (group === undefined) groups.set(home, [change]);
    else group.push(change);
  }
  return groups;
}

function breadth(ports: PortSet): number {
  return portRanges(ports).reduce((sum, range) => sum + range.last - range.first + 1, ports.other ? 65536 : 0);
}

function addGroup(
  view: GroupView,
  groups: Map<string, Group>,
  to: number,
  ports: PortSet,
  members: readonly PairChange[],
  side: "opened" | "closed",
): void {
  const from = widen(view, to, ports, members, side);
  const key = `${from.length === view.classes.peers.length ? "any" : from.join()} ${JSON.stringify(ports)}`;
  const known = groups.get(key);
  if (known !== undefined) known.to.push(to);
  else
    groups.set(key, {
      ports,
      from,
      to: [to],
      sample: members.find((change) => isPodPeer(view.classes, change.from)) ?? (members[0] as PairChange),
    });
}

/** All classes, when those outside the group had the ports anyway (or cannot be initiators): then the group is "any". */
function widen(
  view: GroupView,
  to: number,
  ports: PortSet,
  members: readonly PairChange[],
  side: "opened" | "closed",
): readonly number[] {
  const { peers } = view.classes;
  const inside = new Set(members.map((change) => change.from));
  if (!members.some((change) => !isPodPeer(view.classes, change.from))) return [...inside].sort((a, b) => a - b);
  const world = side === "opened" ? 1 : 0;
  const isCovered = (peer: PeerClass, index: number): boolean =>
    inside.has(index) ||
    (familiesOf(peer, world) & familiesOf(peers[to] as PeerClass, world)) === 0 ||
    (index === to && peer.kind === "pods" && peer.pods.length === 1) ||
    isSubsetPorts(ports, view.connection(world, index, to));
  if (peers.every(isCovered)) return [...peers.keys()];
  return [...inside].sort((a, b) => a - b);
}

function isPodPeer(classes: Classes, index: number): boolean {
  return classes.peers[index]?.kind === "pods";
}

function writeGroup(view: GroupView, group: Group, side: "opened" | "closed"): Connection {
  const from = describePeers(view.classes, group.from);
  const to = describePeers(view.classes, group.to);
  return {
    from: from.text,
    to: to.text,
    fromWorkloads: from.workloads,
    toWorkloads: to.workloads,
    ports: phrasePorts(group.ports),
    portSet: group.ports,
    witness: witnessOf(view, group.sample, side),
  };
}

function witnessOf({ classes, podAddresses }: GroupView, change: PairChange, side: "opened" | "closed"): Witness {
  const range = witnessPort(classes.peers[change.to], change[side]);
  const to = nameOf(classes.peers[change.to], 0, podAddresses);
  const from = nameOf(classes.peers[change.from], change.from === change.to ? 1 : 0, podAddresses);
  if (range === undefined) return { from, to, port: 0, protocol: "other" };
  return { from, to, port: Math.min(Math.max(range.first, 1), range.last), protocol: range.protocol };
}

/** A port that the responder declares, if one of those changed; else the lowest that changed. */
function witnessPort(to: PeerClass | undefined, ports: PortSet): PortRange | undefined {
  const declared = to?.kind === "pods" ? (to.pods[0]?.ports ?? []) : [];
  for (const { containerPort, protocol = "TCP" } of declared) {
    const name = PROTOCOLS.find((known) => known === protocol.toLowerCase());
    if (name !== undefined && hasPort(ports, name, containerPort))
      return { protocol: name, first: containerPort, last: containerPort };
  }
  return portRanges(ports)[0];
}

function nameOf(peer: PeerClass | undefined, position: number, podAddresses: AddressSet): string {
  if (peer?.kind === "pods") {
    const pod = peer.pods[position] ?? peer.pods[0];
    return pod === undefined ? "nobody" : podId(pod);
  }
  const address = peer === undefined ? undefined : firstAddress(subtract(peer.addresses, podAddresses));
  return address === undefined ? "nobody" : formatAddress(address);
}
