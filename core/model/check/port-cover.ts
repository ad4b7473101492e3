import type { Ports, Protocol } from "../kinds.ts";

/** Ports as intervals on one line, both ends inclusive, ascending and apart, and names. */
export interface PortLine {
  readonly intervals: readonly (readonly [number, number])[];
  /** `NAME/PROTOCOL`. */
  readonly names: readonly string[];
}

/** Where each protocol's 65,536 points begin on the line; what has no ports comes last. */
const BEGIN = { tcp: 0, udp: 65_536, sctp: 131_072, icmp: 196_608, icmpv6: 262_144 } as const;
const END = 393_216;

/** Ports of a rule on one line, so that two rules can be compared in a few steps. */
export function portLine(ports: Ports): PortLine {
  if (ports === "any") return { intervals: [[0, END]], names: [] };
  const intervals = ports.flatMap((port): readonly (readonly [number, number])[] => {
    if (port.kind === "named") return [];
    const begin = BEGIN[port.protocol];
    if (port.kind === "range") return [[begin + port.from, begin + port.to]];
    if (port.type === undefined) return [[begin, begin + 65_535]];
    const first = begin + port.type * 256 + (port.code ?? 0);
    return [[first, port.code === undefined ? first + 255 : first]];
  });
  const names = ports.flatMap((port) => (port.kind === "named" ? [`${port.name}/${port.protocol}`] : []));
  return { intervals: [...intervals].sort(([a], [b]) => a - b), names };
}

/** True when the second allows every port of the first; a name is any one port of its protocol. */
export function isCovered(part: PortLine, whole: PortLine): boolean {
  let index = 0;
  for (const [first, last] of part.intervals) {
    while ((whole.intervals[index]?.[1] ?? END) < last) index += 1;
    const around = whole.intervals[index];
    if (around === undefined || around[0] > first || around[1] < last) return false;
  }
  return part.names.every((name) => whole.names.includes(name) || hasAllOf(whole, name.slice(name.indexOf("/") + 1)));
}

function hasAllOf({ intervals }: PortLine, protocol: string): boolean {
  const begin = BEGIN[protocol as Protocol]; // the protocol of a named port
  return intervals.some(([first, last]) => first <= begin + 1 && last >= begin + 65_535);
}
