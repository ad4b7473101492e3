import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyV4, anyV6, anyAddress, fromPrefixes } from "../../../core/address/index.ts";
import { allPorts, noPorts, portsFromRanges } from "../../../core/address/ports.ts";
import type { PortSet } from "../../../core/address/ports.ts";
import type { HostChain, HostPorts, HostWant } from "../../../core/compile/want.ts";
import { createTransaction } from "../../../core/plan/host-transaction.ts";
import { renderRuleset } from "../../../core/render/nft.ts";
import { hostAccess } from "../../../core/verdict/nft.ts";
import { boxesOf, intersectSpaces, spaceFromBoxes, wholeSpace } from "../../../core/verdict/nft/space.ts";
import type { Box, Space } from "../../../core/verdict/nft/space.ts";
import { anyHostWant } from "../../support/host-wants.ts";
import { loadAndList } from "../../support/nft-kernel.ts";

const MARK = { instance: "fb-test", sequence: 7, digest: "0123456789abcdef" };

/** What a direction must admit, from the want alone: everything unless enforced, else allows, lifeline and essentials. */
function intended(want: HostWant, direction: "ingress" | "egress"): Space {
  const chain: HostChain = want[direction];
  if (chain.mode !== "enforce") return wholeSpace;
  const boxes: Box[] = chain.allows.map(({ peers, ports }) => ({
    peers: peers === "any" ? anyAddress : peers,
    ports: portSet(ports),
  }));
  if (direction === "ingress") boxes.push({ peers: fromPrefixes(want.lifeline.from), ports: portSet(want.lifeline.ports) });
  return intersectSpaces(spaceFromBoxes([...boxes, ...essentials(direction)]), wholeSpace);
}

function essentials(direction: "ingress" | "egress"): readonly Box[] {
  const neighbours = direction === "ingress" ? [130, 134, 135, 136] : [131, 132, 133, 135, 136, 143];
  const linkLocal = { family: 6, first: 0xfe80n << 112n, length: 10 } as const;
  const multicast = { family: 6, first: 0xff00n << 112n, length: 8 } as const;
  return [
    { peers: anyV6, ports: types("icmpv6", [...neighbours, 1, 2, 3, 4]) },
    { peers: anyV4, ports: types("icmp", [3, 11, 12]) },
    { peers: anyV4, ports: udp(direction === "ingress" ? 68 : 67) },
    {
      peers: fromPrefixes(direction === "ingress" ? [linkLocal] : [linkLocal, multicast]),
      ports: udp(direction === "ingress" ? 546 : 547),
    },
  ];
}

function portSet(ports: HostPorts): PortSet {
  if (ports === "any") return allPorts;
  return portsFromRanges(
    ports.map((port) => {
      if (port.kind === "range") return { protocol: port.protocol, first: port.from, last: port.to };
      const first = (port.type ?? 0) * 256 + (port.code ?? 0);
      const last = (port.type ?? 255) * 256 + (port.code ?? 255);
      return { protocol: port.protocol, first, last };
    }),
  );
}

function types(protocol: "icmp" | "icmpv6", list: readonly number[]): PortSet {
  return portsFromRanges(list.map((type) => ({ protocol, first: type * 256, last: type * 256 + 255 })));
}

function udp(port: number): PortSet {
  return { ...noPorts, ...portsFromRanges([{ protocol: "udp", first: port, last: port }]) };
}

describe("what the kernel holds is what was wanted", () => {
  // Bug caught: the renderer widens or loses an allow, in a way that reading its own output the same wrong way would hide.
  test("for any want, rendered, loaded, listed and read back without knowing the renderer", () => {
    fc.assert(
      fc.property(anyHostWant, (want) => {
        const rendered = renderRuleset(want, MARK, { generation: 9, phase: "final" });
        for (const listing of [rendered, loadAndList(createTransaction(rendered))]) {
          const access = hostAccess(listing);
          expect([...access.uncertain, ...access.input.uncertain, ...access.output.uncertain]).toEqual([]);
          expect(boxesOf(access.input.space)).toEqual(boxesOf(intended(want, "ingress")));
          expect(boxesOf(access.output.space)).toEqual(boxesOf(intended(want, "egress")));
        }
      }),
      { numRuns: 60 },
    );
  });
});
