import {
  allPorts,
  equalPorts,
  intersectPorts,
  isEmptyPorts,
  noPorts,
  PROTOCOLS,
  subtractPorts,
  unionPorts,
} from "../address/ports.ts";
import type { PortSet } from "../address/ports.ts";

/** Number of the empty port set. */
export const NO_PORTS = 0;
/** Number of the set of everything. */
export const ALL_PORTS = 1;

/**
 * Port sets by number, equal sets by one number, so that a matrix is numbers and every operation on two sets is done once.
 */
export class PortTable {
  readonly #sets: PortSet[] = [noPorts, allPorts];
  readonly #byText = new Map<string, number>();
  readonly #byObject = new WeakMap<PortSet, number>();
  readonly #unions = new Map<number, number>();
  readonly #intersections = new Map<number, number>();
  readonly #differences = new Map<number, number>();

  /** The number of a set. */
  id(ports: PortSet): number {
    const known = this.#byObject.get(ports);
    if (known !== undefined) return known;
    const id = this.#number(ports);
    this.#byObject.set(ports, id);
    return id;
  }

  ports(id: number): PortSet {
    return this.#sets[id] ?? noPorts;
  }

  union(a: number, b: number): number {
    if (a === b || b === NO_PORTS) return a;
    if (a === NO_PORTS) return b;
    if (a === ALL_PORTS || b === ALL_PORTS) return ALL_PORTS;
    return this.#combine(this.#unions, a, b, unionPorts);
  }

  intersect(a: number, b: number): number {
    if (a === b || b === ALL_PORTS) return a;
    if (a === ALL_PORTS) return b;
    if (a === NO_PORTS || b === NO_PORTS) return NO_PORTS;
    return this.#combine(this.#intersections, a, b, intersectPorts);
  }

  subtract(a: number, b: number): number {
    if (a === b || b === ALL_PORTS) return NO_PORTS;
    if (b === NO_PORTS) return a;
    return this.#combine(this.#differences, a, b, subtractPorts);
  }

  #combine(memory: Map<number, number>, a: number, b: number, operation: (a: PortSet, b: PortSet) => PortSet): number {
    const key = a * 0x1000000 + b;
    const known = memory.get(key);
    if (known !== undefined) return known;
    const id = this.id(operation(this.ports(a), this.ports(b)));
    memory.set(key, id);
    return id;
  }

  #number(ports: PortSet): number {
    if (isEmptyPorts(ports)) return NO_PORTS;
    if (equalPorts(ports, allPorts)) return ALL_PORTS;
    const text = `${PROTOCOLS.map((protocol) => ports[protocol].join()).join(";")}${ports.other ? "+" : ""}`;
    const id = this.#byText.get(text) ?? this.#sets.push(ports) - 1;
    this.#byText.set(text, id);
    return id;
  }
}
