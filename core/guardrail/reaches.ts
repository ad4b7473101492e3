import { intersectPorts, type PortSet } from "../address/ports.ts";
import { NO_PORTS, PortTable } from "../reach/port-table.ts";
import type { Budget } from "../verdict/budget.ts";
import type { Connection, Connections } from "./connection.ts";
import type { PartyClass } from "./space.ts";

/** How certain a way is: by every reading, by some, once all enforce, and the same before the change. */
export type Level = "surely" | "possibly" | "meant" | "before" | "meantBefore";

/** How a class can be reached. */
export interface Way {
  /** Hops of the shortest. */
  readonly hops: number;
  /** The shortest, first by index; made when it is asked for, because most ways are only counted. */
  readonly path: () => readonly PartyClass[];
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
   *
   * @throws OverBudget
   */
  readonly ways: (
    level: Level,
    from: PartyClass,
    tos: readonly PartyClass[],
    portsOf: (to: PartyClass) => PortSet,
  ) => ReadonlyMap<number, Way>;
}

/** Asking a pair, in steps of the budget; following an edge is 1. */
export const ASK_STEPS = 50;

/**
 * Breadth first over classes, never pairs of workloads. Each pair is asked once, and what is closed is forgotten: from one class, the
 * work is that of the edges that can be reached.
 */
export function reachabilityOf(
  classes: readonly PartyClass[],
  now: Connections,
  before: Connections,
  budget: Budget,
): Reachability {
  const table = new PortTable();
  const edges = { now: new Edges(classes, now, table, budget), before: new Edges(classes, before, table, budget) };
  return {
    ways(level, from, tos, portsOf) {
      const of = level === "before" || level === "meantBefore" ? edges.before : edges.now;
      const field = FIELD[level];
      const visited = visit(from, classes, of, field, budget);
      const wanted = new Map(tos.map((to) => [to.index, table.id(portsOf(to))]));
      const found = new Map<number, Found>();
      for (const [position, at] of visited.order.entries()) {
        const row = of.row(at);
        const ids = row[field];
        budget.spend(row.to.length);
        for (const [index, to] of row.to.entries()) {
          const asked = wanted.get(to);
          if (asked !== undefined) extend(found, table, { position, to, open: table.intersect(ids[index] ?? NO_PORTS, asked) });
        }
      }
      return new Map([...found].map(([to, way]) => [to, describe(visited, classes, table, to, way)]));
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

const FIELDS = ["surely", "possibly", "meant", "now"] as const satisfies readonly Field[];

/** Classes that one class has any connection to, ascending, and the numbers of its ports. */
interface Row extends Readonly<Record<Field, readonly number[]>> {
  readonly to: readonly number[];
}

/** Which classes have any connection to which. */
class Edges {
  readonly #classes: readonly PartyClass[];
  readonly #connections: Connections;
  readonly #table: PortTable;
  readonly #budget: Budget;
  readonly #rows: (Row | undefined)[] = [];

  constructor(classes: readonly PartyClass[], connections: Connections, table: PortTable, budget: Budget) {
    this.#classes = classes;
    this.#connections = connections;
    this.#table = table;
    this.#budget = budget;
  }

  row(from: number): Row {
    return (this.#rows[from] ??= this.#ask(this.#classes[from] as PartyClass)); // an index of a class
  }

  #ask(from: PartyClass): Row {
    this.#budget.spend(ASK_STEPS * this.#classes.length);
    const row = {
      to: [] as number[],
      surely: [] as number[],
      possibly: [] as number[],
      meant: [] as number[],
      now: [] as number[],
    };
    for (const to of this.#classes) {
      if ((!from.isManaged && !to.isManaged) || isAlone(from, to)) continue;
      const connection = this.#connections(from, to);
      const ids = FIELDS.map((field) => this.#table.id(portsIn(connection, field)));
      if (ids.every((id) => id === NO_PORTS)) continue;
      row.to.push(to.index);
      for (const [index, field] of FIELDS.entries()) row[field].push(ids[index] ?? NO_PORTS);
    }
    return row;
  }
}

/** A class is its own target only through another workload, or a second member. */
function isAlone(from: PartyClass, to: PartyClass): boolean {
  return from.index === to.index && to.other === undefined;
}

function portsIn(connection: Connection, field: Field): PortSet {
  return field === "meant" ? intersectPorts(connection.meant, connection.now) : connection[field];
}

/** Classes in the order of distance, then index: by position, the class, how far it is, and the position it was reached from. */
interface Visited {
  readonly order: readonly number[];
  readonly depth: readonly number[];
  readonly parent: readonly number[];
}

/** Everything that can be reached from `start` by workloads. */
function visit(start: PartyClass, classes: readonly PartyClass[], edges: Edges, field: Field, budget: Budget): Visited {
  const [order, depth, parent] = [[start.index], [0], [-1]];
  const seen = new Uint8Array(classes.length);
  seen[start.index] = 1;
  for (let position = 0; position < order.length; position += 1) {
    const row = edges.row(order[position] ?? 0);
    budget.spend(row.to.length);
    for (const [index, to] of row.to.entries()) {
      if (seen[to] === 1 || row[field][index] === NO_PORTS || classes[to]?.party.kind !== "workload") continue;
      seen[to] = 1;
      order.push(to);
      depth.push((depth[position] ?? 0) + 1);
      parent.push(position);
    }
  }
  return { order, depth, parent };
}

/** The first way to a class, and the ports of all. */
interface Found {
  readonly position: number;
  readonly last: number;
  ports: number;
}

function extend(
  found: Map<number, Found>,
  table: PortTable,
  { position, to, open }: { readonly position: number; readonly to: number; readonly open: number },
): void {
  if (open === NO_PORTS) return;
  const known = found.get(to);
  if (known === undefined) found.set(to, { position, last: open, ports: open });
  else known.ports = table.union(known.ports, open);
}

function describe(visited: Visited, classes: readonly PartyClass[], table: PortTable, to: number, way: Found): Way {
  return {
    hops: (visited.depth[way.position] ?? 0) + 1,
    path: () => pathTo(visited, way.position, to).map((index) => classes[index] as PartyClass), // indexes of classes
    last: table.ports(way.last),
    ports: table.ports(way.ports),
  };
}

function pathTo({ order, parent }: Visited, position: number, to: number): readonly number[] {
  const path = [to];
  for (let at = position; at >= 0; at = parent[at] ?? -1) path.push(order[at] ?? 0);
  return path.reverse();
}
