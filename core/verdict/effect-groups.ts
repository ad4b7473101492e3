import { exampleAddress, examplePort, type ExamplePort } from "../address/example.ts";
import { formatAddress, subtract } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import { PROTOCOLS, hasPort, isEmptyPorts } from "../address/ports.ts";
import type { PortSet } from "../address/ports.ts";
import type { Classes, PeerClass } from "./classes.ts";
import { describePeers, phrasePorts } from "./effect-words.ts";
import { familiesOf } from "./rows.ts";
import { podId } from "./world.ts";
import type { Witness, Connection } from "./effect-types.ts";

/** What a line says of its connections: they opened, they closed, or they stay open beside what closed between the same two. */
export type EffectSide = "opened" | "closed" | "stays";

/** Which of the two worlds has the connections of a line. */
const WORLD_OF = { opened: 1, closed: 0, stays: 1 } as const satisfies Record<EffectSide, 0 | 1>;

/** What changed between two classes. */
export interface PairChange {
  readonly from: number;
  readonly to: number;
  readonly opened: PortSet;
  readonly closed: PortSet;
  /** What passed and passes on where something closed; nothing elsewhere. */
  readonly stays: PortSet;
}

/** What grouping needs to look up. */
export interface GroupView {
  readonly classes: Classes;
  /** Addresses of pods: no witness for "somebody outside". */
  readonly podAddresses: AddressSet;
  /** Address classes that hold more than those: asked for each line and each of them, so worked out once. */
  readonly outside: ReadonlySet<number>;
}

interface Group {
  readonly ports: PortSet;
  readonly from: Set<number>;
  readonly to: number[];
  readonly sample: PairChange;
}

/**
 * Gathers changed pairs into lines that people read: per responder, initiators with the same ports are one group; then responders with
 * the same group are joined. A line claims exactly what changed: every pair and port of it opened (closed, stays open).
 */
export function groupChanges(view: GroupView, changes: readonly PairChange[], side: EffectSide): readonly Connection[] {
  const byResponder = Map.groupBy(
    changes.filter((change) => !isEmptyPorts(change[side])),
    (change) => change.to,
  );
  const groups = new Map<string, Group>();
  for (const [to, list] of byResponder) {
    for (const members of Map.groupBy(list, (change) => JSON.stringify(change[side])).values()) {
      addGroup(view, groups, to, members, side);
    }
  }
  return [...groups.values()].sort((a, b) => reach(b) - reach(a)).map((group) => lazyLine(() => writeGroup(view, group, side)));
}

/**
 * A line that is written when somebody reads it: each looks through all classes, a stranger's policy makes as many of both as it likes, and
 * people are shown the first few.
 */
function lazyLine(write: () => Connection): Connection {
  let written: Connection | undefined;
  const line = (): Connection => (written ??= write());
  return {
    get from() {
      return line().from;
    },
    get to() {
      return line().to;
    },
    get fromFull() {
      return line().fromFull;
    },
    get toFull() {
      return line().toFull;
    },
    get fromWorkloads() {
      return line().fromWorkloads;
    },
    get toWorkloads() {
      return line().toWorkloads;
    },
    get workloads() {
      return line().workloads;
    },
    get ports() {
      return line().ports;
    },
    get portSet() {
      return line().portSet;
    },
    get witness() {
      return line().witness;
    },
  };
}

function reach(group: Group): number {
  return group.from.size * group.to.length;
}

/** @param members changes of one responder and the same ports; at least one */
function addGroup(view: GroupView, groups: Map<string, Group>, to: number, members: readonly PairChange[], side: EffectSide): void {
  const [first] = members as readonly [PairChange, ...PairChange[]];
  const ports = first[side];
  const from = new Set(members.map((change) => change.from).sort((a, b) => a - b));
  const sample = members.find((change) => isPodPeer(view.classes, change.from)) ?? first;
  const world = WORLD_OF[side];
  const isWhole = view.classes.peers.every((_, index) => from.has(index) || isIdle(view, world, index, [to]));
  const key = `${isWhole ? "any" : [...from].join()} ${JSON.stringify(ports)}`;
  const known = groups.get(key);
  if (known === undefined) groups.set(key, { ports, from, to: [to], sample });
  else {
    known.to.push(to);
    for (const index of from) known.from.add(index);
  }
}

/** True when no connection to these responders can begin there: itself, another address family, or addresses of known pods. */
function isIdle({ classes, outside }: GroupView, world: 0 | 1, index: number, responders: readonly number[]): boolean {
  const peer = classes.peers[index] as PeerClass;
  if (peer.kind === "addresses" && !outside.has(index)) return true;
  return responders.every((to) => {
    const isItself = index === to && peer.kind === "pods" && peer.pods.length === 1;
    return isItself || (familiesOf(peer, world) & familiesOf(classes.peers[to] as PeerClass, world)) === 0;
  });
}

function isPodPeer(classes: Classes, index: number): boolean {
  return classes.peers[index]?.kind === "pods";
}

function writeGroup(view: GroupView, group: Group, side: EffectSide): Connection {
  const world = WORLD_OF[side];
  const initiators = [...group.from];
  const from = describePeers(view.classes, initiators, (index) => isIdle(view, world, index, group.to));
  const to = describePeers(view.classes, group.to, (index) => isIdle(view, world, index, from.meant));
  return {
    from: from.text,
    to: to.text,
    fromFull: from.full,
    toFull: to.full,
    fromWorkloads: from.workloads,
    toWorkloads: to.workloads,
    workloads: countPods(view.classes, new Set([...initiators, ...group.to])),
    ports: phrasePorts(group.ports),
    portSet: group.ports,
    witness: witnessOf(view, group.sample, side),
  };
}

function countPods({ peers }: Classes, indices: ReadonlySet<number>): number {
  let count = 0;
  for (const index of indices) {
    const peer = peers[index];
    if (peer?.kind === "pods") count += peer.pods.length;
  }
  return count;
}

function witnessOf({ classes, podAddresses }: GroupView, change: PairChange, side: EffectSide): Witness {
  const to = nameOf(classes.peers[change.to], 0, podAddresses);
  const from = nameOf(classes.peers[change.from], change.from === change.to ? 1 : 0, podAddresses);
  return { from, to, ...witnessPort(classes.peers[change.to], change[side]) };
}

/** A port that the responder declares, if one of those changed; else one that changed. */
function witnessPort(to: PeerClass | undefined, ports: PortSet): ExamplePort {
  const declared = to?.kind === "pods" ? (to.pods[0]?.ports ?? []) : [];
  for (const { containerPort, protocol = "TCP" } of declared) {
    const name = PROTOCOLS.find((known) => known === protocol.toLowerCase());
    if (name !== undefined && hasPort(ports, name, containerPort)) return { protocol: name, port: containerPort };
  }
  return examplePort(ports);
}

function nameOf(peer: PeerClass | undefined, position: number, podAddresses: AddressSet): string {
  if (peer?.kind === "pods") {
    const pod = peer.pods[position] ?? peer.pods[0];
    return pod === undefined ? "nobody" : podId(pod);
  }
  const address = peer === undefined ? undefined : exampleAddress(subtract(peer.addresses, podAddresses));
  return address === undefined ? "nobody" : formatAddress(address);
}
