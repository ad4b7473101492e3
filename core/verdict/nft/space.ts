import { anyAddress, anyV4, anyV6, emptySet, equals, intersect, isEmpty, subtract, union, unionAll } from "../../address/index.ts";
import type { AddressSet } from "../../address/index.ts";
import { PROTOCOLS, portRanges } from "../../address/ports.ts";
import type { PortRange, PortSet } from "../../address/ports.ts";
import { noPorts, otherProtocols, portsFromRanges, unionPorts } from "../../address/ports.ts";
import type { Budget } from "../budget.ts";

/**
 * A set of (peer address, protocol and port): which connections.
 *
 * A step function over one line on which the 65,536 points of each protocol follow one another, with one more point for all other
 * protocols; each step holds the addresses for its points. `starts[0]` is 0, neighbours differ, so equal sets have equal structure.
 */
export interface Space {
  readonly starts: readonly number[];
  readonly sets: readonly AddressSet[];
}

/** Addresses times ports; any set is a union of boxes. */
export interface Box {
  readonly peers: AddressSet;
  readonly ports: PortSet;
}

const POINTS = 65536;
const OTHER = PROTOCOLS.length * POINTS;
const END = OTHER + 1;

/** A union of many sets sorts their numbers, which costs more than reading them. */
const SORTED = 6;

/** No connection. */
export const emptySpace: Space = { starts: [0], sets: [emptySet] };

/** What an operation on the set costs, in steps of a budget: the numbers it is written with. */
export function costOf(space: Space): number {
  let cost = space.starts.length;
  for (const { v4, v6 } of space.sets) cost += v4.length + v6.length;
  return cost;
}

/** The union of boxes, overlapping or not; one sweep over their borders. Boxes that overlap in ports cost, so a stranger's need a budget. */
export function spaceFromBoxes(boxes: readonly Box[], budget?: Budget): Space {
  const borders: { readonly at: number; readonly box: Box; readonly opens: boolean }[] = [];
  for (const box of boxes) {
    if (isEmpty(box.peers)) continue;
    for (const [start, end] of linePairs(box.ports)) borders.push({ at: start, box, opens: true }, { at: end, box, opens: false });
  }
  borders.sort((a, b) => a.at - b.at);
  const steps = new Steps();
  const open = new Map<Box, number>();
  for (let next = 0, at = 0; at < END;) {
    for (let border = borders[next]; border !== undefined && border.at <= at; border = borders[++next]) {
      const depth = (open.get(border.box) ?? 0) + (border.opens ? 1 : -1);
      if (depth === 0) open.delete(border.box);
      else open.set(border.box, depth);
    }
    const overlapping = [...open.keys()];
    budget?.spend(SORTED * overlapping.reduce((sum, { peers }) => sum + peers.v4.length + peers.v6.length, 1));
    steps.add(at, unionOf(overlapping));
    at = borders[next]?.at ?? END;
  }
  return steps.space();
}

/** Connections in either. */
export function uniteSpaces(a: Space, b: Space): Space {
  return combine(a, b, (x, y) => (x === y || isEmpty(y) ? x : isEmpty(x) ? y : union(x, y)));
}

/** Connections in both. */
export function intersectSpaces(a: Space, b: Space): Space {
  return combine(a, b, (x, y) => (x === y || isEmpty(x) ? x : isEmpty(y) ? y : intersect(x, y)));
}

/** Connections in the first and not in the second. */
export function subtractSpaces(a: Space, b: Space): Space {
  return combine(a, b, (x, y) => (isEmpty(y) || isEmpty(x) ? x : x === y ? emptySet : subtract(x, y)));
}

/** The same connections. */
export function equalSpaces(a: Space, b: Space): boolean {
  if (a === b) return true;
  if (a.starts.length !== b.starts.length) return false;
  return a.starts.every(
    (start, index) => start === b.starts[index] && equals(a.sets[index] as AddressSet, b.sets[index] as AddressSet),
  );
}

/** True when there is no connection in it. */
export function isEmptySpace(space: Space): boolean {
  return space.sets.every(isEmpty);
}

/** The set as boxes with different addresses, in the order in which their first port comes. */
export function boxesOf(space: Space): readonly Box[] {
  const groups: { readonly peers: AddressSet; ports: PortSet }[] = [];
  for (const [index, peers] of space.sets.entries()) {
    if (isEmpty(peers)) continue;
    const ports = portsOfLine(space.starts[index] as number, space.starts[index + 1] ?? END);
    const group = groups.find((known) => equals(known.peers, peers));
    if (group === undefined) groups.push({ peers, ports });
    else group.ports = unionPorts(group.ports, ports);
  }
  return groups;
}

/** Visits the common steps of two sets: the addresses of each, and the ports of the step. */
export function visitSteps(a: Space, b: Space, visit: (x: AddressSet, y: AddressSet, ports: PortSet) => void): void {
  for (let i = 0, j = 0, at = 0; at < END;) {
    const nextA = a.starts[i + 1] ?? END;
    const nextB = b.starts[j + 1] ?? END;
    const end = Math.min(nextA, nextB);
    visit(a.sets[i] as AddressSet, b.sets[j] as AddressSet, portsOfLine(at, end)); // i and j stay on the step that holds `at`
    at = end;
    if (nextA === at) i += 1;
    if (nextB === at) j += 1;
  }
}

function combine(a: Space, b: Space, join: (x: AddressSet, y: AddressSet) => AddressSet): Space {
  const steps = new Steps();
  for (let i = 0, j = 0, at = 0; at < END;) {
    steps.add(at, join(a.sets[i] as AddressSet, b.sets[j] as AddressSet)); // i and j stay on the step that holds `at`
    const nextA = a.starts[i + 1] ?? END;
    const nextB = b.starts[j + 1] ?? END;
    at = Math.min(nextA, nextB);
    if (nextA === at) i += 1;
    if (nextB === at) j += 1;
  }
  return steps.space();
}

/** Builds a step function left to right, joining neighbours that are equal. */
class Steps {
  readonly #starts: number[] = [];
  readonly #sets: AddressSet[] = [];

  add(start: number, set: AddressSet): void {
    const last = this.#sets.at(-1);
    if (last !== undefined && (last === set || equals(last, set))) return;
    this.#starts.push(start);
    this.#sets.push(set);
  }

  space(): Space {
    return { starts: this.#starts, sets: this.#sets };
  }
}

function unionOf(boxes: readonly Box[]): AddressSet {
  const [only, ...more] = boxes;
  if (only === undefined) return emptySet;
  return more.length === 0 ? only.peers : unionAll(boxes.map((box) => box.peers));
}

function linePairs(ports: PortSet): readonly (readonly [number, number])[] {
  const pairs = portRanges(ports).map(({ protocol, first, last }): readonly [number, number] => {
    const offset = PROTOCOLS.indexOf(protocol) * POINTS;
    return [offset + first, offset + last + 1];
  });
  return ports.other ? [...pairs, [OTHER, END]] : pairs;
}

function portsOfLine(start: number, end: number): PortSet {
  const ranges: PortRange[] = PROTOCOLS.flatMap((protocol, index) => {
    const first = Math.max(start - index * POINTS, 0);
    const last = Math.min(end - index * POINTS, POINTS) - 1;
    return first <= last ? [{ protocol, first, last }] : [];
  });
  return unionPorts(portsFromRanges(ranges), end > OTHER ? otherProtocols : noPorts);
}

function wholeLines(...protocols: readonly PortRange["protocol"][]): readonly PortRange[] {
  return protocols.map((protocol) => ({ protocol, first: 0, last: POINTS - 1 }));
}

/** Every connection that can exist: ICMP has IPv4 peers only, ICMPv6 IPv6 ones. */
export const wholeSpace: Space = spaceFromBoxes([
  { peers: anyAddress, ports: { ...portsFromRanges(wholeLines("tcp", "udp", "sctp")), other: true } },
  { peers: anyV4, ports: portsFromRanges(wholeLines("icmp")) },
  { peers: anyV6, ports: portsFromRanges(wholeLines("icmpv6")) },
]);
