import fc from "fast-check";
import { fromPrefixes, fromRanges, parsePrefix } from "../../core/address/index.ts";
import type { AddressRange, AddressSet, Prefix } from "../../core/address/index.ts";
import type { HostAllow, HostChain, HostPorts, HostWant } from "../../core/compile/want.ts";
import type { IcmpMessages, PortRange } from "../../core/model/kinds.ts";

/** A block from text that is known to be right. */
export function block(text: string): Prefix {
  const parsed = parsePrefix(text);
  if ("ok" in parsed) return parsed.ok;
  throw new Error(parsed.error);
}

/** A set of blocks from texts. */
export function blocks(...texts: readonly string[]): AddressSet {
  return fromPrefixes(texts.map(block));
}

/** `443/tcp`, `8000-8010/udp`, `90/sctp`. */
export function ports(...texts: readonly string[]): readonly PortRange[] {
  return texts.map((text) => {
    const [, from, to, protocol] = /^([0-9]+)(?:-([0-9]+))?\/(tcp|udp|sctp)$/.exec(text) ?? [];
    if (from === undefined || protocol === undefined) throw new Error(text);
    return { kind: "range", protocol: protocol as PortRange["protocol"], from: Number(from), to: Number(to ?? from) }; // the pattern says so
  });
}

export function allow(origin: string, peers: HostAllow["peers"], allowed: HostPorts): HostAllow {
  return { origin, peers, ports: allowed };
}

export const OFF: HostChain = { mode: "off", allows: [] };

/** A host want with a lifeline of 10.0.0.0/24 to 22/tcp. */
export function hostWant(sides: Partial<Pick<HostWant, "ingress" | "egress" | "lifeline">> = {}): HostWant {
  return {
    kind: "host",
    target: "host/directory/ldap-blue-1",
    ingress: OFF,
    egress: OFF,
    lifeline: { from: [block("10.0.0.0/24")], ports: ports("22/tcp") },
    ...sides,
  };
}

const v4Range: fc.Arbitrary<AddressRange> = fc
  .tuple(
    fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(0, 2 ** 32 - 1, 2 ** 31)),
    fc.constantFrom(0, 0, 0, 1, 3, 63, 64, 255, 70_000, 2 ** 32),
  )
  .map(([first, size]) => ({ family: 4, first, last: Math.min(first + size, 2 ** 32 - 1) }));

const V6_MAX = (1n << 128n) - 1n;
const v6Range: fc.Arbitrary<AddressRange> = fc
  .tuple(
    fc.oneof(fc.bigInt(0n, V6_MAX), fc.constantFrom(0n, 1n, 0xffff_0a00_0001n, 0x0a00_0001n, V6_MAX)),
    fc.constantFrom(0n, 0n, 0n, 1n, 63n, 64n, 1n << 64n, 1n << 128n),
  )
  .map(([first, size]) => ({ family: 6, first, last: first + size > V6_MAX ? V6_MAX : first + size }));

/** Non-empty sets of both families: single addresses, runs, blocks, ranges, everything. */
export const peerSet: fc.Arbitrary<AddressSet> = fc
  .array(fc.oneof(v4Range, v6Range), { minLength: 1, maxLength: 6 })
  .map(fromRanges);

const portRange: fc.Arbitrary<PortRange> = fc
  .record({
    protocol: fc.constantFrom("tcp" as const, "tcp" as const, "udp" as const, "sctp" as const),
    from: fc.constantFrom(0, 1, 22, 80, 443, 1024, 8000, 65535),
    size: fc.constantFrom(0, 0, 1, 100, 1023, 65535),
  })
  .map(({ protocol, from, size }) => ({ kind: "range", protocol, from, to: Math.min(from + size, 65535) }));

const icmp: fc.Arbitrary<IcmpMessages> = fc
  .record({
    kind: fc.constant("icmp" as const),
    protocol: fc.constantFrom("icmp" as const, "icmpv6" as const),
    type: fc.constantFrom(undefined, 0, 1, 3, 8, 33, 128, 255),
    code: fc.constantFrom(undefined, undefined, 0, 1, 4, 77),
  })
  .map((messages) => (messages.type === undefined ? { ...messages, code: undefined } : messages));

const allowed: fc.Arbitrary<HostPorts> = fc.oneof(
  { weight: 1, arbitrary: fc.constant("any" as const) },
  {
    weight: 5,
    arbitrary: fc.array(fc.oneof({ weight: 3, arbitrary: portRange }, { weight: 1, arbitrary: icmp }), {
      minLength: 1,
      maxLength: 4,
    }),
  },
);

const hostAllow: fc.Arbitrary<HostAllow> = fc.record({
  origin: fc.constantFrom("order-flow/0", "order-flow/1", "builtin/dns", "3com/0", "ip/10", "x.y-z/2", `${"long-".repeat(40)}x/0`),
  peers: fc.oneof({ weight: 1, arbitrary: fc.constant("any" as const) }, { weight: 5, arbitrary: peerSet }),
  ports: allowed,
});

const hostChain: fc.Arbitrary<HostChain> = fc.record({
  mode: fc.constantFrom("off" as const, "observe" as const, "enforce" as const, "enforce" as const),
  allows: fc.array(hostAllow, { maxLength: 6 }),
});

const lifelineBlock = fc.constantFrom("10.0.0.0/24", "10.1.2.3/32", "2001:db8::/64", "0.0.0.0/0", "::/0", "fd00::1/128").map(block);

/** Any host want that the compiler could make. */
export const anyHostWant: fc.Arbitrary<HostWant> = fc.record({
  kind: fc.constant("host" as const),
  target: fc.constant("host/directory/ldap-blue-1"),
  ingress: hostChain,
  egress: hostChain,
  lifeline: fc.record({
    from: fc.array(lifelineBlock, { minLength: 1, maxLength: 3 }),
    ports: fc.array(portRange, { minLength: 1, maxLength: 3 }),
  }),
});
