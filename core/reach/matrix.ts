import { isEmptyPorts, intersectPorts, noPorts, unionPorts } from "../address/ports.ts";
import type { PortSet } from "../address/ports.ts";
import type { Manifests } from "../manifest/read.ts";
import type { Note } from "../model/note.ts";
import { BOTH_FAMILIES, classify, V4 } from "../verdict/classes.ts";
import type { Classes } from "../verdict/classes.ts";
import type { Profile } from "../verdict/profile.ts";
import { rowsOf } from "../verdict/rows.ts";
import type { Rows } from "../verdict/rows.ts";
import { compilePolicy } from "../verdict/compile.ts";
import { livePods, podId } from "../verdict/world.ts";
import type { World, WorldPod } from "../verdict/world.ts";
import { mergeByBehaviour } from "./behaviour.ts";
import { formatConnection } from "./connection.ts";
import { entryPorts } from "./entries.ts";
import { reachNotes } from "./notes.ts";
import { cutPieces } from "./pieces.ts";
import type { Piece } from "./pieces.ts";

/** Things that no policy tells apart: workloads, ranges of addresses outside, or the ingress controllers. */
export interface ReachClass {
  readonly id: string;
  readonly kind: "workloads" | "addresses" | "ingress-controller";
  /** `namespace/name[Kind]`, or `first-last`; sorted. */
  readonly members: readonly string[];
}

/** What one class may open to another; between two workloads of one class when both ends are the same. */
export interface ReachConnection {
  readonly src: string;
  readonly dst: string;
  /** See `formatConnection`; never empty. */
  readonly conn: string;
}

/** Who may connect to whom, class by class. */
export interface Reach {
  readonly classes: readonly ReachClass[];
  readonly connections: readonly ReachConnection[];
  readonly notes: readonly Note[];
}

/** The name of the source of what Ingress and Route let in. */
export const INGRESS_CONTROLLER = "{ingress-controller}";

/** A pod that stands for every ingress controller: in no declared namespace, without labels and address. */
const CONTROLLER: WorldPod = { namespace: INGRESS_CONTROLLER, name: "controller", labels: {}, addresses: [], ports: [] };

/**
 * The connections that a cluster's policies allow, as a matrix of classes; nothing is computed workload by workload.
 *
 * A workload is the pods of one controller; where its pods differ, it may do what any of them may. IPv6 is told when a pod or a policy
 * uses it. Order of input never matters.
 */
export function reachOf(manifests: Manifests, profile: Profile): Reach {
  const entered = manifests.entries.length === 0 ? undefined : entryPorts(manifests);
  const world: World =
    entered === undefined ? manifests.world : { ...manifests.world, pods: [...manifests.world.pods, CONTROLLER] };
  const classes = classify([world]);
  const rows = rowsOf(classes, 0, profile);
  const groups = groupWorkloads(livePods(manifests.world.pods), classes, rows, entered?.ofPod ?? new Map());
  const policies = world.policies.map((object) => ({ object, compiled: compilePolicy(object, world.nodes) }));
  const sources = cutPieces(policies, "ingress");
  const destinations = cutPieces(policies, "egress");
  const usesV6 = hasV6(world, [...sources, ...destinations]);
  const view: View = { classes, rows, families: usesV6 ? BOTH_FAMILIES : V4 };
  const outside = (pieces: readonly Piece[]): readonly Piece[] => pieces.filter(({ family }) => usesV6 || family === 4);
  const connections = connectGroups(view, groups);
  const from = groupPieces(view, groups, outside(sources), "from");
  const to = groupPieces(view, groups, outside(destinations), "to");
  const entries = entered === undefined ? [] : connectController(view, groups);
  return assemble(
    groups,
    connections,
    from,
    to,
    entries,
    [...(entered?.notes ?? []), ...reachNotes(manifests, groups, entries, usesV6)].filter((note) => note !== undefined),
  );
}

/** Workloads that behave alike, and the pod classes that their pods are of. */
export interface Group {
  readonly id: string;
  readonly workloads: readonly string[];
  /** Representative pod classes; more than one when the pods of a workload differ. */
  readonly peers: readonly number[];
  /** What Ingress and Route send them. */
  readonly entered: PortSet;
}

interface View {
  readonly classes: Classes;
  readonly rows: Rows;
  readonly families: number;
}

/** `namespace/name[Kind]`. */
export function workloadOf(pod: WorldPod): string {
  const slash = pod.owner?.indexOf("/") ?? -1;
  if (pod.owner === undefined || slash < 0) return `${pod.namespace}/${pod.name}[Pod]`;
  return `${pod.namespace}/${pod.owner.slice(slash + 1)}[${pod.owner.slice(0, slash)}]`;
}

function groupWorkloads(
  pods: readonly WorldPod[],
  classes: Classes,
  rows: Rows,
  entered: ReadonlyMap<WorldPod, PortSet>,
): readonly Group[] {
  const representative = mergeByBehaviour(classes, rows);
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

function connectGroups({ rows, families }: View, groups: readonly Group[]): readonly ReachConnection[] {
  const connections: ReachConnection[] = [];
  for (const from of groups) {
    for (const to of groups) {
      if (from === to && from.workloads.length < 2) continue;
      const conn = formatConnection(between(rows, from.peers, to.peers, families));
      if (conn !== "") connections.push({ src: from.id, dst: to.id, conn });
    }
  }
  return connections;
}

/** What any of the first may open to any of the second. */
function between(rows: Rows, from: readonly number[], to: readonly number[], families: number): PortSet {
  const [first, second] = [from[0], to[0]];
  if (from.length === 1 && to.length === 1 && first !== undefined && second !== undefined)
    return rows.connection(first, second, families);
  let ports = noPorts;
  for (const a of from) for (const b of to) ports = unionPorts(ports, rows.connection(a, b, families));
  return ports;
}

/** Ranges with the same connections, and these by group. */
interface Outside {
  readonly ranges: string[];
  readonly connections: readonly (readonly [group: string, conn: string])[];
}

function groupPieces(
  { classes, rows, families }: View,
  groups: readonly Group[],
  pieces: readonly Piece[],
  side: "from" | "to",
): readonly Outside[] {
  const found = new Map<string, Outside>();
  for (const piece of pieces) {
    const atom = [classes.atoms.indexOf(piece.first)];
    const connections: (readonly [string, string])[] = [];
    for (const group of groups) {
      const ports = side === "from" ? between(rows, atom, group.peers, families) : between(rows, group.peers, atom, families);
      const conn = formatConnection(ports);
      if (conn !== "") connections.push([group.id, conn]);
    }
    const key = JSON.stringify(connections);
    const known = found.get(key);
    if (known === undefined) found.set(key, { ranges: [piece.text], connections });
    else known.ranges.push(piece.text);
  }
  return [...found.values()].filter(({ connections }) => connections.length > 0);
}

/** What the controller may open to a group: what Ingress and Route ask for and policies allow. */
export interface ControllerConnection {
  readonly group: Group;
  readonly conn: string;
}

function connectController({ classes, rows, families }: View, groups: readonly Group[]): readonly ControllerConnection[] {
  const controller = [classes.ofPod.get(podId(CONTROLLER)) as number]; // it is in the world
  return groups
    .filter(({ entered }) => !isEmptyPorts(entered))
    .map((group) => ({
      group,
      conn: formatConnection(intersectPorts(group.entered, between(rows, controller, group.peers, families))),
    }));
}

function hasV6(world: World, pieces: readonly Piece[]): boolean {
  const isCut = pieces.some(({ family, text }) => family === 6 && text !== "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
  return (
    isCut ||
    livePods(world.pods).some(({ addresses }) => addresses.some((address) => address.includes(":") && !address.includes(".")))
  );
}

function assemble(
  groups: readonly Group[],
  connections: readonly ReachConnection[],
  from: readonly Outside[],
  to: readonly Outside[],
  entries: readonly ControllerConnection[],
  notes: readonly Note[],
): Reach {
  const classes: ReachClass[] = groups.map(({ id, workloads }) => ({ id, kind: "workloads", members: workloads }));
  const all: ReachConnection[] = [...connections];
  const ids = new Map<string, string>();
  const outsideId = (ranges: readonly string[]): string => {
    const key = ranges.join();
    const id = ids.get(key) ?? `x${ids.size + 1}`;
    if (!ids.has(key)) classes.push({ id, kind: "addresses", members: ranges });
    ids.set(key, id);
    return id;
  };
  for (const { ranges, connections: list } of from) for (const [dst, conn] of list) all.push({ src: outsideId(ranges), dst, conn });
  for (const { ranges, connections: list } of to) for (const [src, conn] of list) all.push({ src, dst: outsideId(ranges), conn });
  const open = entries.filter(({ conn }) => conn !== "");
  if (open.length > 0) classes.push({ id: "ingress", kind: "ingress-controller", members: [INGRESS_CONTROLLER] });
  for (const { group, conn } of open) all.push({ src: "ingress", dst: group.id, conn });
  return { classes, connections: all, notes };
}
