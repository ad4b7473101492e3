import fc from "fast-check";
import { expect, it } from "vitest";
import { allPorts, isSubsetPorts, portsFromRanges } from "../../../core/address/ports.ts";
import type { PortRange as Line } from "../../../core/address/ports.ts";
import { isCovered, portLine } from "../../../core/model/check/port-cover.ts";
import type { IcmpMessages, NamedPort, PortRange, Ports } from "../../../core/model/kinds.ts";

const range: fc.Arbitrary<PortRange> = fc
  .record({
    protocol: fc.constantFrom("tcp", "udp"),
    from: fc.integer({ min: 1, max: 12 }),
    length: fc.integer({ min: 0, max: 4 }),
  })
  .map(({ protocol, from, length }) => ({ kind: "range", protocol, from, to: from + length }));
const icmp: fc.Arbitrary<IcmpMessages> = fc
  .record({ type: fc.option(fc.integer({ min: 0, max: 2 }), { nil: undefined }), code: fc.option(fc.nat(1), { nil: undefined }) })
  .map(({ type, code }) => ({ kind: "icmp", protocol: "icmp", type, code: type === undefined ? undefined : code }));
const ports: fc.Arbitrary<Ports> = fc.oneof(
  fc.constant("any" as const),
  fc.array(fc.oneof(range, icmp), { minLength: 1, maxLength: 5 }),
);

function setOf(some: Ports) {
  if (some === "any") return allPorts;
  return portsFromRanges(
    some.flatMap((port): readonly Line[] => {
      if (port.kind === "named") return [];
      if (port.kind === "range") return [{ protocol: port.protocol, first: port.from, last: port.to }];
      if (port.type === undefined) return [{ protocol: port.protocol, first: 0, last: 65535 }];
      const first = port.type * 256 + (port.code ?? 0);
      return [{ protocol: port.protocol, first, last: port.code === undefined ? first + 255 : first }];
    }),
  );
}

// Catches: a rule called superfluous although it allows a port that the other does not; somebody would remove it.
it("says covered only where the port algebra says subset", () => {
  fc.assert(
    fc.property(ports, ports, (part, whole) => {
      if (isCovered(portLine(part), portLine(whole))) expect(isSubsetPorts(setOf(part), setOf(whole))).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

// Catches: a name taken for covered by some ports of its protocol, which may not be the pod's.
it("covers a name by itself and by all of its protocol", () => {
  const http: NamedPort = { kind: "named", protocol: "tcp", name: "http" };
  const all: PortRange = { kind: "range", protocol: "tcp", from: 1, to: 65535 };
  const covered = (part: Ports, whole: Ports) => isCovered(portLine(part), portLine(whole));
  expect(covered([http], [http])).toBe(true);
  expect(covered([http], "any")).toBe(true);
  expect(covered([http], [all])).toBe(true);
  expect(covered([http], [{ ...all, from: 2 }])).toBe(false);
  expect(covered([http], [{ ...all, protocol: "udp" }])).toBe(false);
  expect(covered([all], [http])).toBe(false);
});
