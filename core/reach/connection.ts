import { pairsOf } from "../address/intervals.ts";
import type { PortSet } from "../address/ports.ts";

/** The three protocols that policies can name, in the order in which they are written. */
const PROTOCOLS = ["sctp", "tcp", "udp"] as const;

const texts = new WeakMap<PortSet, string>();

/**
 * `TCP 80,443,8000-8080,UDP 53`: protocols sorted, ranges merged; `All Connections` when every port of all three is open; empty when
 * no port is. Only TCP, UDP and SCTP are told: no policy can name another protocol.
 */
export function formatConnection(ports: PortSet): string {
  const known = texts.get(ports);
  if (known !== undefined) return known;
  const text = write(ports);
  texts.set(ports, text);
  return text;
}

function write(ports: PortSet): string {
  const ranges = PROTOCOLS.map((protocol) =>
    pairsOf(ports[protocol]).flatMap(([first, end]) => formatRange(Math.max(first, 1), end - 1)),
  );
  if (ranges.every((list) => list.length === 1 && list[0] === "1-65535")) return "All Connections";
  return PROTOCOLS.flatMap((protocol, index) => {
    const list = ranges[index] ?? [];
    return list.length === 0 ? [] : [`${protocol.toUpperCase()} ${list.join(",")}`];
  }).join(",");
}

/** Port 0 is no port. */
function formatRange(first: number, last: number): readonly string[] {
  if (last < first) return [];
  return [first === last ? `${first}` : `${first}-${last}`];
}
