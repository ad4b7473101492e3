import { intersectPorts, isEmptyPorts, isSubsetPorts, noPorts, unionPorts, type PortSet } from "../address/ports.ts";
import type { Connection, Connections } from "./connection.ts";
import type { PartyClass } from "./space.ts";

/** How certain a way is: by every reading, by some, once all enforce, and the same before the change. */
export type Level = "surely" | "possibly" | "meant" | "before" | "meantBefore";

/** How a class can be reached. */
export interface Way {
  /** Shortest, first by id. */
  readonly path: readonly PartyClass[];
  /** Ports of its last hop. */
  readonly last: PortSet;
  /** Ports of the last hop over all ways. */
  readonly ports: PortSet;
}

/** Who can be reached through other workloads. */
export interface Reachability {
  /**
   * The ways from one class to each of `tos` that can be reached on its ports, by index. Any port will do on the way; the intermediates
   * are workloads, and one hop between two ends that nobody manages is not counted: nothing is known of it.
   */
  readonly ways: (
    level: Level,
    from: PartyClass,
    tos: readonly PartyClass[],
    portsOf: (to: PartyClass) => PortSet,
  ) => ReadonlyMap<number, Way>;
}

/** Breadth first over classes, never pairs of workloads; each edge is asked once and kept as bits. */
export function reachabilityOf(classes: readonly PartyClass[], now: Connections, before: Connections): Reachability {
  const edges = { now: new Edges(classes.length, now), before: new Edges(classes.length, before) };
  const steps = classes.filter(({ party }) => party.kind === "workload");
  return {
    ways(level, from, tos, portsOf) {
      const of = level === "before" || level === "meantBefore" ? edges.before : edges.now;
      const field = FIELD[level];
      const visited = visit(from, steps, (a, b) => of.has(field, a, b));
      const found = new Map<number, Way>();
      for (const to of tos) {
        const way = lastHop(
          visited,
          to,
          portsOf(to),
          (a) => of.ports(field, a, to),
          (a) => of.has(field, a, to),
        );
        if (way !== undefined) found.set(to.index, way);
      }
      return found;
    },
  };
}

type Field = "surely" | "possibly" | "meant" | "now";

/** `meant` is counted over what is reachable now by every reading, too: what is closed now needs no mending. */
const FIELD = {
  surely: "surely",
  possibly: "possibly",
  meant: "meant",
  before: "now",
  meantBefore: "meant",
} as const satisfies Record<Level, Field>;

const BIT = { surely: 1, possibly: 2, meant: 4, now: 8 } as const satisfies Record<Field, number>;
const ASKED = 16;

/** Which classes have any connection to which. */
class Edges {
  readonly #count: number;
  readonly #bits: Uint8Array;
  readonly #connections: Connections;

  constructor(count: number, connections: Connections) {
    this.#count = count;
    this.#bits = new Uint8Array(count * count);
    this.#connections = connections;
  }

  has(field: Field, from: PartyClass, to: PartyClass): boolean {
    const at = from.index * this.#count + to.index;
    const bits = this.#bits[at] ?? 0;
    if ((bits & ASKED) !== 0) return (bits & BIT[field]) !== 0;
    const asked = ASKED | this.#ask(from, to);
    this.#bits[at] = asked;
    return (asked & BIT[field]) !== 0;
  }

  ports(field: Field, from: PartyClass, to: PartyClass): PortSet {
    return portsOf(this.#connections(from, to), field);
  }

  #ask(from: PartyClass, to: PartyClass): number {
    if (!from.isManaged && !to.isManaged) return 0;
    const connection = this.#connections(from, to);
    const fields = ["surely", "possibly", "meant", "now"] as const;
    return fields.reduce((bits, field) => bits | (isEmptyPorts(portsOf(connection, field)) ? 0 : BIT[field]), 0);
  }
}

function portsOf(connection: Connection, field: Field): PortSet {
  return field === "meant" ? intersectPorts(connection.meant, connection.now) : connection[field];
}

interface Visited {
  readonly party: PartyClass;
  readonly depth: number;
  readonly parent: Visited | undefined;
}

/** Everything that can be reached from `start` by workloads, in the order of distance, then index. */
function visit(
  start: PartyClass,
  steps: readonly PartyClass[],
  hasEdge: (from: PartyClass, to: PartyClass) => boolean,
): readonly Visited[] {
  const visited: Visited[] = [{ party: start, depth: 0, parent: undefined }];
  let left = steps.filter((step) => step.index !== start.index);
  for (const at of visited) {
    if (left.length === 0) break;
    const missed: PartyClass[] = [];
    for (const step of left) {
      if (hasEdge(at.party, step)) visited.push({ party: step, depth: at.depth + 1, parent: at });
      else missed.push(step);
    }
    left = missed;
  }
  return visited;
}

/** The first way whose last hop is open on one of the ports; a class is its own target only through another workload, or a second member. */
function lastHop(
  visited: readonly Visited[],
  to: PartyClass,
  wanted: PortSet,
  portsFrom: (from: PartyClass) => PortSet,
  hasEdge: (from: PartyClass) => boolean,
): Way | undefined {
  let first: { readonly at: Visited; readonly last: PortSet } | undefined;
  let ports = noPorts;
  for (const at of visited) {
    if (at.party.index === to.index && to.other === undefined) continue;
    if (!hasEdge(at.party)) continue;
    const open = intersectPorts(portsFrom(at.party), wanted);
    if (isEmptyPorts(open)) continue;
    first ??= { at, last: open };
    ports = unionPorts(ports, open);
    if (isSubsetPorts(wanted, ports)) break;
  }
  if (first === undefined) return undefined;
  return { path: [...pathTo(first.at), to], last: first.last, ports };
}

function pathTo(at: Visited): readonly PartyClass[] {
  return at.parent === undefined ? [at.party] : [...pathTo(at.parent), at.party];
}
