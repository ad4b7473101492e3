import { describe, expect, it } from "vitest";
import { exampleAddress, examplePort, formatExamplePort } from "../../../core/address/example.ts";
import { formatAddress, fromPrefixes, type Prefix, parsePrefix } from "../../../core/address/index.ts";
import { allPorts, noPorts, portsFromRanges, subtractPorts } from "../../../core/address/ports.ts";

function addresses(...texts: readonly string[]) {
  return fromPrefixes(texts.map((text) => (parsePrefix(text) as { readonly ok: Prefix }).ok)); // written here
}

describe("an example of a set", () => {
  // Bug: "for example 0.0.0.0 → shop/web: 1/icmp" is nothing that anybody can try.
  it.each([
    [["0.0.0.0/0", "::/0"], "1.0.0.0"],
    [["::/0"], "2000::"],
    [["10.9.0.0/24"], "10.9.0.0"],
    [["0.0.0.0/8"], "0.0.0.0"],
  ])("of addresses %j is %s", (texts, first) => {
    const found = exampleAddress(addresses(...texts));
    expect(found === undefined ? undefined : formatAddress(found)).toBe(first);
  });

  it.each([
    ["everything", allPorts, "1/tcp"],
    [
      "all but tcp, udp and sctp",
      subtractPorts(
        allPorts,
        portsFromRanges([
          { protocol: "tcp", first: 0, last: 65_535 },
          { protocol: "udp", first: 0, last: 65_535 },
          { protocol: "sctp", first: 0, last: 65_535 },
        ]),
      ),
      "icmp/8",
    ],
    ["one type of ICMP", portsFromRanges([{ protocol: "icmp", first: 13 << 8, last: (13 << 8) + 255 }]), "icmp/13"],
    ["ICMPv6", portsFromRanges([{ protocol: "icmpv6", first: 0, last: 65_535 }]), "icmpv6/128"],
    ["port 0 alone", portsFromRanges([{ protocol: "tcp", first: 0, last: 0 }]), "0/tcp"],
    ["what has no name", { ...noPorts, other: true }, "another protocol"],
  ])("of ports: %s", (_, ports, words) => {
    expect(formatExamplePort(examplePort(ports))).toBe(words);
  });
});
