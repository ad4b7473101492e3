import { isEmptyPorts, noPorts, unionPorts } from "../address/ports.ts";
import type { PortSet } from "../address/ports.ts";
import type { Manifests } from "../manifest/read.ts";
import type { Note } from "../model/note.ts";
import { BOTH_FAMILIES, classify, V4 } from "../verdict/classes.ts";
import type { Classes } from "../verdict/classes.ts";
import type { Profile } from "../verdict/profile.ts";
import { rowsOf } from "../verdict/rows.ts";
import { compilePolicy } from "../verdict/compile.ts";
import { livePods, podId } from "../verdict/world.ts";
import type { World, WorldPod } from "../verdict/world.ts";
import { mergeByBehaviour } from "./behaviour.ts";
import { formatConnection } from "./connection.ts";
import { ConnectionList } from "./connections.ts";
import { CONTROLLER, entryPorts, INGRESS_CONTROLLER } from "./entries.ts";
import { FEW, reachNotes, unsureNote } from "./notes.ts";
import { PairTable } from "./pair-table.ts";
import { cutPieces } from "./pieces.ts";
import type { Piece } from "./pieces.ts";
import { NO_PORTS } from "./port-table.ts";
import { workloadOf } from "./workload-name.ts";
import { silentNotes } from "./silent.ts";
import type { Group, Unsure, ReachConnection } from "./matrix-types.ts";

/** Things that no policy tells apart: workloads, ranges of addresses outside, or the ingress controllers. */
export interface ReachClass {
  readonly id: string;
  readonly kind: "workloads" | "addresses" | "ingress-controller";
  /** `namespace/name[Kind]`, or `first-last`; sorted. */
  readonly members: readonly string[];
}

/** Who may connect to whom, class by class. */
export interface Reach {
  readonly classes: readonly ReachClass[];
  readonly connections: Iterable<ReachConnection> & { readonly length: number };
  readonly notes: readonly Note[];
}

/**
 * The connections that a cluster's policies allow, as a matrix of classes; nothing is computed workload by workload.
 *
 * A workload is the pods of one controller; where its pods differ, it may do what any of them may. IPv6 is told when a pod or a policy
 * uses it. Order of input never matters.
 *
 * @param named names that a note lists before it counts the rest
 */
export function reachOf(manifests: Manifests, profile: Profile, named: number = FEW): Reach {
  const entered = manifests.entries.length === 0 ? undefined : entryPorts(manifests);
  const world: World =
    entered === undefined ? manifests.world : { ...manifests.world, pods: [...manifests.world.pods, CONTROLLER] };
  const classes = classify([world]);
  const rows = rowsOf(classes, 0, profile);
  const policies = world.policies.map((object) => ({ object, compiled: compilePolicy(object, world.nodes) }));
  const sources = cutPieces(policies, "ingress");
  const destinations = cutPieces(policies, "egress");
  const usesV6 = hasV6(world, [...sources, ...destinations]);
  const families = usesV6 ? BOTH_FAMILIES : V4;
  const most = classes.isUnsure ? rowsOf(classes, 0, profile, undefined, "most") : undefined;
  const representative = mergeByBehaviour(classes, most === undefined ? [rows] : [rows, most], families);
  const groups = groupWorkloads(livePods(manifests.world.pods), classes, representative, entered?.ofPod ?? new Map());
  const controller = entered === undefined ? [] : [classes.ofPod.get(podId(CONTROLLER)) as number]; // it is in the world
  const peers = new Set([...classes.atoms.list.keys(), ...groups.flatMap((group) => group.peers), ...controller]);
  const pairs = new PairTable(classes, rows, [...peers]);
  const writer = new Writer(pairs, groups, families);
  const unsure = writer.connectGroups(most === undefined ? undefined : new PairTable(classes, most, [...peers], pairs.ports));
  const outside = (pieces: readonly Piece[]): readonly Outside[] =>
    pieces.filter(({ family }) => usesV6 || family === 4).map(({ text, first }) => ({ text, atom: classes.atoms.indexOf(first) }));
  writer.connectOutside(outside(sources), "from");
  writer.connectOutside(outside(destinations), "to");
  const blocked = controller[0] === undefined ? [] : writer.connectController(controller[0]);
  const doubts = unsure === undefined ? [] : [unsureNote(unsure, manifests.world, classes)];
  const notes = [
    ...(entered?.notes ?? []),
    ...doubts,
    ...reachNotes(manifests, groups, blocked, usesV6, named),
    ...silentNotes(classes, rows, named),
  ];
  return { classes: writer.classes, connections: writer.connections, notes };
}

function groupWorkloads(
  pods: readonly WorldPod[],
  classes: Classes,
  representative: ReadonlyMap<number, number>,
  entered: ReadonlyMap<WorldPod, PortSet>,
): readonly Group[] {
  const workloads = new Map<string, { peers: Set<number>; entered: PortSet }>();
  for (const pod of pods) {
    const name = workloadOf(pod);
    const known = workloads.get(name) ?? { peers: new Set(), entered: noPorts };
    known.peers.add(representative.get(classes.ofPod.get(podId(pod)) as number) as number); // every live pod has a class
    known.entered = unionPorts(known.entered, entered.get(pod) ?? noPorts);
    workloads.set(name, known);
  }
  const groups = new Map<string, { workloads: string[]; peers: readonly number[]; entered: PortSet }>();
  for (const [name, { peers, entered: ports }] of [...workloads].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const sorted = [...peers].sort((a, b) => a - b);
    const key = `${sorted.join()} ${formatConnection(ports)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { workloads: [name], peers: sorted, entered: ports });
    else group.workloads.push(name);
  }
  return [...groups.values()].map((group, index) => ({ id: `c${index + 1}`, ...group }));
}

/** A range of addresses, and the address class that stands for it. */
interface Outside {
  readonly text: string;
  readonly atom: number;
}

/** Fills the matrix. */
class Writer {
  readonly classes: ReachClass[];
  readonly connections: ConnectionList;
  readonly #ids: string[];
  readonly #texts: string[] = [];
  readonly #outside = new Map<string, number>();
  readonly #pairs: PairTable;
  readonly #groups: readonly Group[];
  readonly #families: number;
  /** Pod classes of all groups, one after another, and the group of each. */
  readonly #members: readonly number[];
  readonly #groupOf: readonly number[];

  constructor(pairs: PairTable, groups: readonly Group[], families: number) {
    this.#pairs = pairs;
    this.#groups = groups;
    this.#families = families;
    this.classes = groups.map(({ id, workloads }) => ({ id, kind: "workloads", members: workloads }));
    this.#ids = groups.map(({ id }) => id);
    this.#members = groups.flatMap(({ peers }) => peers);
    this.#groupOf = groups.flatMap(({ peers }, index) => peers.map(() => index));
    this.connections = new ConnectionList(this.#ids, this.#texts);
  }

  /**
   * Fills in what groups may open to each other.
   *
   * @param most the most that may be open, of the same table of ports; where given, between whom more may be open than is listed is returned
   */
  connectGroups(most: PairTable | undefined): Unsure | undefined {
    let pairs = 0;
    let first: Omit<Unsure, "pairs"> | undefined;
    for (const [src, from] of this.#groups.entries()) {
      const line = this.#lineFrom(from.peers, this.#pairs);
      const widest = most === undefined ? line : this.#lineFrom(from.peers, most);
      for (let dst = 0; dst < line.length; dst += 1) {
        const others = src === dst ? 1 : 0;
        if (from.workloads.length === others) continue;
        const [id, possible] = [line[dst] as number, widest[dst] as number];
        this.#add(src, dst, id);
        if (possible === id || this.#textOf(possible) === this.#textOf(id)) continue;
        const to = this.#groups[dst] as Group;
        pairs += from.workloads.length * (to.workloads.length - others);
        first ??= { from, to, possible: this.#textOf(possible) };
      }
    }
    return first && { pairs, ...first };
  }

  /** Ranges with the same connections are one class, for each side. */
  connectOutside(ranges: readonly Outside[], side: "from" | "to"): void {
    const found = new Map<string, { readonly texts: string[]; readonly ports: Uint32Array | readonly number[] }>();
    const keys = new Map<number, string>();
    for (const { text, atom } of ranges) {
      const before = keys.get(atom);
      const ports = before === undefined ? this.#portsOf(atom, side) : [];
      const key = before ?? ports.join();
      keys.set(atom, key);
      const known = found.get(key);
      if (known === undefined) found.set(key, { texts: [text], ports });
      else known.texts.push(text);
    }
    for (const { texts, ports } of found.values()) {
      if (ports.every((id) => this.#textOf(id) === "")) continue;
      const outside = this.#outsideClass(texts);
      for (const [group, id] of ports.entries()) {
        if (side === "from") this.#add(outside, group, id);
        else this.#add(group, outside, id);
      }
    }
  }

  /** What Ingress and Route ask for and policies allow; returns the groups where that is nothing. */
  connectController(controller: number): readonly Group[] {
    const { ports } = this.#pairs;
    const wanted = [...this.#groups.entries()].filter(([, { entered }]) => !isEmptyPorts(entered));
    const found = wanted.map(([index, group]) => {
      const id = ports.intersect(ports.id(group.entered), this.#between([controller], group.peers));
      return { index, group, id };
    });
    const open = found.filter(({ id }) => id !== NO_PORTS);
    if (open.length > 0) {
      const src = this.#addClass({ id: "ingress", kind: "ingress-controller", members: [INGRESS_CONTROLLER] });
      for (const { index, id } of open) this.#add(src, index, id);
    }
    return found.filter(({ id }) => id === NO_PORTS).map(({ group }) => group);
  }

  /** What groups and an address class may open to each other, per group. */
  #portsOf(atom: number, side: "from" | "to"): Uint32Array | readonly number[] {
    return side === "from" ? this.#lineFrom([atom], this.#pairs) : this.#groups.map(({ peers }) => this.#between(peers, [atom]));
  }

  /** What any of the peers may open, per group. */
  #lineFrom(peers: readonly number[], pairs: PairTable): Uint32Array {
    const line = new Uint32Array(this.#groups.length);
    for (const peer of peers) {
      const opened = new Uint32Array(this.#members.length);
      pairs.addLine(peer, this.#members, this.#families, opened);
      if (peers.length === 1 && opened.length === line.length) return opened; // each group is of one class
      for (let index = 0; index < opened.length; index += 1) {
        const group = this.#groupOf[index] as number;
        line[group] = pairs.ports.union(line[group] as number, opened[index] as number);
      }
    }
    return line;
  }

  /** What any of the first may open to any of the second. */
  #between(from: readonly number[], to: readonly number[]): number {
    let ports = NO_PORTS;
    for (const a of from) for (const b of to) ports = this.#pairs.ports.union(ports, this.#pairs.connection(a, b, this.#families));
    return ports;
  }

  /** Nothing that policies can name is no connection. */
  #add(src: number, dst: number, id: number): void {
    if (id !== NO_PORTS && this.#textOf(id) !== "") this.connections.add(src, dst, id);
  }

  #textOf(id: number): string {
    const text = this.#texts[id] ?? formatConnection(this.#pairs.ports.ports(id));
    this.#texts[id] = text;
    return text;
  }

  #outsideClass(ranges: readonly string[]): number {
    const key = ranges.join();
    const index =
      this.#outside.get(key) ?? this.#addClass({ id: `x${this.#outside.size + 1}`, kind: "addresses", members: ranges });
    this.#outside.set(key, index);
    return index;
  }

  #addClass(added: ReachClass): number {
    this.classes.push(added);
    return this.#ids.push(added.id) - 1;
  }
}

function hasV6(world: World, pieces: readonly Piece[]): boolean {
  const isCut = pieces.some(({ family, text }) => family === 6 && text !== "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
  return (
    isCut ||
    livePods(world.pods).some(({ addresses }) => addresses.some((address) => address.includes(":") && !address.includes(".")))
  );
}
