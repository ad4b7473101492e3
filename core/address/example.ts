import type { Address } from "./address.ts";
import { hasPort, portRanges, type PortSet, type Protocol } from "./ports.ts";
import { parsePrefix } from "./prefix.ts";
import { firstAddress, fromPrefixes, isEmpty, subtract, type AddressSet } from "./set.ts";

/** "This network" and what IPv6 keeps back: nobody sends from there (RFC 791; RFC 4291, section 2.4). */
const NOBODY = fromPrefixes(
  ["0.0.0.0/8", "::/3"].flatMap((text) => {
    const parsed = parsePrefix(text);
    return "ok" in parsed ? [parsed.ok] : [];
  }),
);

/** One address of a set that somebody can have, where it holds one; undefined for the empty set. */
export function exampleAddress(set: AddressSet): Address | undefined {
  const usable = subtract(set, NOBODY);
  return firstAddress(isEmpty(usable) ? set : usable);
}

/** One port that stands for a set. */
export interface ExamplePort {
  /** A type for ICMP; 0 for protocols without ports. */
  readonly port: number;
  /** `other`: a protocol that is none of those with names here. */
  readonly protocol: Protocol | "other";
}

/** A port that somebody can try: never port 0 where there is another, for ICMP the echo request where that is in the set. */
export function examplePort(ports: PortSet): ExamplePort {
  const [range] = portRanges(ports);
  if (range === undefined) return { port: 0, protocol: "other" };
  const { protocol, first, last } = range;
  if (protocol !== "icmp" && protocol !== "icmpv6") return { protocol, port: Math.min(Math.max(first, 1), last) };
  const echo = ECHO[protocol];
  return { protocol, port: hasPort(ports, protocol, echo << 8) ? echo : first >> 8 };
}

/** Types of echo requests (RFC 792, RFC 4443). */
const ECHO = { icmp: 8, icmpv6: 128 } as const;

/** In the words that rules are written in: `5432/tcp`, `icmp/8`; `another protocol` where there is no name for it. */
export function formatExamplePort({ port, protocol }: { readonly port: number; readonly protocol: string }): string {
  if (protocol === "other") return "another protocol";
  return protocol.startsWith("icmp") ? `${protocol}/${port}` : `${port}/${protocol}`;
}
