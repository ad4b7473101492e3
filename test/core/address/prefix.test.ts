import fc from "fast-check";
import { isIP } from "node:net";
import { describe, expect, test } from "vitest";
import { formatAddress, formatPrefix, parseAddress, parsePrefix } from "../../../core/address/index.ts";

function read(text: string): string {
  const parsed = parsePrefix(text);
  if ("ok" in parsed) return formatPrefix(parsed.ok);
  return parsed.corrected === undefined ? "refused" : `refused, ${formatPrefix(parsed.corrected)}`;
}

describe("parsePrefix", () => {
  // Bug caught: one of these read as another network than the author, the kernel or Kubernetes would.
  test.each([
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["10.0.0.1", "10.0.0.1/32"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["::/0", "::/0"],
    ["2001:DB8::1", "2001:db8::1/128"],
    ["2001:db8:0:0:0:0:0:0/32", "2001:db8::/32"],
    ["64:ff9b::1.2.3.4", "64:ff9b::102:304/128"],
    ["::10.0.0.1", "::a00:1/128"],
    // host bits: an error that carries the network
    ["10.0.0.5/24", "refused, 10.0.0.0/24"],
    ["2001:db8::1/32", "refused, 2001:db8::/32"],
    // IPv4-mapped IPv6 is the IPv4 block
    ["::ffff:10.0.0.1", "refused, 10.0.0.1/32"],
    ["::ffff:10.0.0.0/104", "refused, 10.0.0.0/8"],
    ["::ffff:a00:5/120", "refused, 10.0.0.0/24"],
    // what other software reads differently, or not at all
    ["10.1", "refused"],
    ["10.1/16", "refused"],
    ["010.0.0.1", "refused"],
    ["10.0.0.0x1", "refused"],
    ["0xa.0.0.1", "refused"],
    ["256.0.0.1", "refused"],
    ["fe80::1%eth0", "refused"],
    ["fe80::%1/64", "refused"],
    ["1.2.3.4/33", "refused"],
    ["1.2.3.4/08", "refused"],
    ["1.2.3.4/", "refused"],
    ["1.2.3.4/-1", "refused"],
    ["1.2.3.4/255.255.255.0", "refused"],
    ["::/129", "refused"],
    ["1::2::3", "refused"],
    ["12345::", "refused"],
    ["64:ff9b::01.2.3.4", "refused"],
    ["::ffff:1.2.3", "refused"],
    [" 1.2.3.4", "refused"],
    ["1.2.3.4\n", "refused"],
    ["١.2.3.4", "refused"],
    ["", "refused"],
    ["/8", "refused"],
    ["any", "refused"],
  ])("%j is %s", (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  test("the error of host bits prints the corrected network", () => {
    const parsed = parsePrefix("10.0.0.5/24");
    expect("error" in parsed ? parsed.error : "").toBe("10.0.0.5/24 has host bits set; the network is 10.0.0.0/24");
  });
});

describe("parseAddress", () => {
  test("agrees with the platform on what is an address (bug: we accept text that sockets refuse)", () => {
    const text = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string({ unit: fc.constantFrom(..."0123456789abcf.:"), maxLength: 20 }));
    fc.assert(
      fc.property(text, (candidate) => {
        if ("ok" in parseAddress(candidate)) expect(isIP(candidate)).not.toBe(0);
      }),
    );
  });

  test("prints and reads back every address (bug: two texts for one address)", () => {
    fc.assert(
      fc.property(fc.bigInt(0n, (1n << 128n) - 1n), (value) => {
        const parsed = parseAddress(formatAddress({ family: 6, value }));
        const isMapped = value >> 32n === 0xffffn;
        if (!isMapped) expect(parsed).toEqual({ ok: { family: 6, value } });
      }),
    );
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 1), (value) => {
        expect(parseAddress(formatAddress({ family: 4, value }))).toEqual({ ok: { family: 4, value } });
      }),
    );
  });
});
