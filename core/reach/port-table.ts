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
  readonly #unions = new Memory();
  readonly #intersections = new Memory();
  readonly #differences = new Memory();

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

  #combine(memory: Memory, a: number, b: number, operation: (a: PortSet, b: PortSet) => PortSet): number {
    const known = memory.get(a, b);
    if (known !== undefined) return known;
    const id = this.id(operation(this.ports(a), this.ports(b)));
    memory.set(a, b, id);
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

/** Numbers below this are looked up without hashing: nearly all there ever are. */
const SMALL = 256;

/** What was made of two numbers. */
class Memory {
  readonly #small = new Uint32Array(SMALL * SMALL); // plus one: 0 is not known
  readonly #others = new Map<number, number>();

  get(a: number, b: number): number | undefined {
    if (a >= SMALL || b >= SMALL) return this.#others.get(a * 0x1000000 + b);
    const found = this.#small[a * SMALL + b] as number;
    return found === 0 ? undefined : found - 1;
  }

  set(a: number, b: number, id: number): void {
    if (a < SMALL && b < SMALL) this.#small[a * SMALL + b] = id + 1;
    else this.#others.set(a * 0x1000000 + b, id);
  }
}
