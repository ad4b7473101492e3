import { describe, expect, test } from "vitest";
import { contains, internetSet, isEmpty, intersect, fromPrefixes, parseAddress, parsePrefix } from "../../../core/address/index.ts";
import { GLOBALLY_REACHABLE_INSIDE, NOT_GLOBALLY_REACHABLE } from "../../../core/address/special.ts";
import type { Prefix } from "../../../core/address/index.ts";

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if ("error" in parsed) throw new Error(parsed.error);
  return parsed.ok;
}

function isInternet(text: string, ...internal: readonly string[]): boolean {
  const parsed = parseAddress(text);
  if ("error" in parsed) throw new Error(parsed.error);
  return contains(internetSet(internal.map(prefix)), parsed.ok);
}

describe("internet", () => {
  // Bug caught: "internet" that covers an internal or link-local service such as the metadata address.
  test.each([
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "172.31.255.255",
    "192.0.0.1",
    "192.168.1.1",
    "198.19.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12::1",
    "fe80::1",
    "ff02::1",
  ])("%s is not in it", (address) => {
    expect(isInternet(address)).toBe(false);
  });

  test.each([
    "8.8.8.8",
    "1.1.1.1",
    "172.32.0.1",
    "192.0.0.9",
    "192.0.1.1",
    "223.255.255.255",
    "2606:4700::1",
    "2001:4860::8",
    "2001:20::1",
    "64:ff9b::1",
  ])("%s is in it", (address) => {
    expect(isInternet(address)).toBe(true);
  });

  test("the organisation's own addresses are not", () => {
    expect(isInternet("8.8.8.8", "8.8.0.0/16")).toBe(false);
    expect(isInternet("2a00:1::1", "2a00:1::/32")).toBe(false);
  });

  test("every exception lies inside a block that is left out (bug: a table entry without effect)", () => {
    const left = fromPrefixes(NOT_GLOBALLY_REACHABLE.map((block) => prefix(block.cidr)));
    for (const block of GLOBALLY_REACHABLE_INSIDE) expect(isEmpty(intersect(fromPrefixes([prefix(block.cidr)]), left))).toBe(false);
  });
});
