import { contains, fromPrefixes, parseAddress, parsePrefix } from "../address/index.ts";
import type { Address, AddressSet } from "../address/index.ts";
import type { Checker } from "./check.ts";
import { show } from "./check.ts";
import type { Path } from "./manifest-file.ts";

/** An address as the API server takes one; an error otherwise. */
export function checkAddress(check: Checker, value: unknown, path: Path): Address | undefined {
  const text = check.text(value, path) ?? "";
  const parsed = parseAddress(text);
  if ("ok" in parsed) return parsed.ok;
  return parsed.corrected ?? check.error(path, "invalid-address", `: ${parsed.error}`);
}

const SPECIAL: readonly (readonly [string, AddressSet])[] = (
  [
    ["unspecified", "0.0.0.0/32", "::/128"],
    ["a loopback address", "127.0.0.0/8", "::1/128"],
    ["link-local", "169.254.0.0/16", "fe80::/10"],
    ["link-local multicast", "224.0.0.0/24", "ff02::/16"],
  ] as const
).map(([word, ...blocks]) => [word, setOf(blocks)]);

function setOf(blocks: readonly string[]): AddressSet {
  return fromPrefixes(
    blocks.flatMap((block) => {
      const parsed = parsePrefix(block);
      return "ok" in parsed ? [parsed.ok] : [];
    }),
  );
}

/** Where nothing may be reached by way of a Service: a node's own addresses, and those of its link (ValidateNonSpecialIP). */
export function refuseSpecial(check: Checker, address: Address | undefined, value: unknown, path: Path): void {
  if (address === undefined) return;
  const word = SPECIAL.find(([, set]) => contains(set, address))?.[0];
  if (word !== undefined) check.error(path, "invalid-address", `: ${show(value)} must not be ${word}`);
}
