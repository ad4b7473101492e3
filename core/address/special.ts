import { parsePrefix } from "./prefix.ts";
import type { Prefix } from "./prefix.ts";
import { anyAddress, fromPrefixes, subtract, union } from "./set.ts";
import type { AddressSet } from "./set.ts";

interface SpecialBlock {
  readonly cidr: string;
  readonly source: string;
}

/**
 * Blocks that IANA does not mark "globally reachable": the IPv4 and IPv6 special-purpose address registries (RFC 6890), where "N/A"
 * and deprecated entries count as not marked, with multicast and the unassigned parts of the address space.
 */
export const NOT_GLOBALLY_REACHABLE: readonly SpecialBlock[] = [
  { cidr: "0.0.0.0/8", source: "RFC 791: this network" },
  { cidr: "10.0.0.0/8", source: "RFC 1918: private use" },
  { cidr: "100.64.0.0/10", source: "RFC 6598: shared address space" },
  { cidr: "127.0.0.0/8", source: "RFC 1122: loopback" },
  { cidr: "169.254.0.0/16", source: "RFC 3927: link local" },
  { cidr: "172.16.0.0/12", source: "RFC 1918: private use" },
  { cidr: "192.0.0.0/24", source: "RFC 6890: IETF protocol assignments" },
  { cidr: "192.0.2.0/24", source: "RFC 5737: documentation (TEST-NET-1)" },
  { cidr: "192.88.99.0/24", source: "RFC 7526: deprecated 6to4 relay anycast" },
  { cidr: "192.168.0.0/16", source: "RFC 1918: private use" },
  { cidr: "198.18.0.0/15", source: "RFC 2544: benchmarking" },
  { cidr: "198.51.100.0/24", source: "RFC 5737: documentation (TEST-NET-2)" },
  { cidr: "203.0.113.0/24", source: "RFC 5737: documentation (TEST-NET-3)" },
  { cidr: "224.0.0.0/4", source: "RFC 5771: multicast" },
  { cidr: "240.0.0.0/4", source: "RFC 1112: reserved, with the limited broadcast address of RFC 8190" },
  { cidr: "::/8", source: "RFC 4291: reserved, with unspecified, loopback, IPv4-mapped and 64:ff9b:1::/48 of RFC 8215" },
  { cidr: "100::/8", source: "RFC 4291: reserved, with discard-only 100::/64 of RFC 6666 and dummy 100:0:0:1::/64 of RFC 9780" },
  { cidr: "200::/7", source: "RFC 4048: reserved" },
  { cidr: "400::/6", source: "RFC 4291: reserved" },
  { cidr: "800::/5", source: "RFC 4291: reserved" },
  { cidr: "1000::/4", source: "RFC 4291: reserved" },
  {
    cidr: "2001::/23",
    source: "RFC 2928: IETF protocol assignments, with Teredo (RFC 4380), benchmarking (RFC 5180), ORCHID (RFC 4843)",
  },
  { cidr: "2001:db8::/32", source: "RFC 3849: documentation" },
  { cidr: "2002::/16", source: "RFC 3056: 6to4" },
  { cidr: "3fff::/20", source: "RFC 9637: documentation" },
  { cidr: "4000::/3", source: "RFC 4291: reserved, with segment routing 5f00::/16 of RFC 9602" },
  { cidr: "6000::/3", source: "RFC 4291: reserved" },
  { cidr: "8000::/3", source: "RFC 4291: reserved" },
  { cidr: "a000::/3", source: "RFC 4291: reserved" },
  { cidr: "c000::/3", source: "RFC 4291: reserved" },
  { cidr: "e000::/4", source: "RFC 4291: reserved" },
  { cidr: "f000::/5", source: "RFC 4291: reserved" },
  { cidr: "f800::/6", source: "RFC 4291: reserved" },
  { cidr: "fc00::/7", source: "RFC 4193: unique local" },
  { cidr: "fe00::/9", source: "RFC 4291: reserved" },
  { cidr: "fe80::/10", source: "RFC 4291: link local" },
  { cidr: "fec0::/10", source: "RFC 3879: deprecated site local" },
  { cidr: "ff00::/8", source: "RFC 4291: multicast" },
];

/** More specific registry entries, inside blocks of the table above, that IANA does mark globally reachable. */
export const GLOBALLY_REACHABLE_INSIDE: readonly SpecialBlock[] = [
  { cidr: "192.0.0.9/32", source: "RFC 7723: Port Control Protocol anycast" },
  { cidr: "192.0.0.10/32", source: "RFC 8155: TURN anycast" },
  { cidr: "64:ff9b::/96", source: "RFC 6052: IPv4-IPv6 translation" },
  { cidr: "2001:1::1/128", source: "RFC 7723: Port Control Protocol anycast" },
  { cidr: "2001:1::2/128", source: "RFC 8155: TURN anycast" },
  { cidr: "2001:1::3/128", source: "RFC 9665: DNS-SD service registration anycast" },
  { cidr: "2001:3::/32", source: "RFC 7450: AMT" },
  { cidr: "2001:4:112::/48", source: "RFC 7535: AS112-v6" },
  { cidr: "2001:20::/28", source: "RFC 7343: ORCHIDv2" },
  { cidr: "2001:30::/28", source: "RFC 9374: drone remote identification" },
];

const GLOBAL = union(subtract(anyAddress, tableSet(NOT_GLOBALLY_REACHABLE)), tableSet(GLOBALLY_REACHABLE_INSIDE));

/**
 * The built-in segment `internet`: every address that IANA marks globally reachable, without the organisation's own.
 *
 * Static: it depends on `internal` (Workspace.internal) alone, never on inventory.
 */
export function internetSet(internal: readonly Prefix[]): AddressSet {
  return subtract(GLOBAL, fromPrefixes(internal));
}

function tableSet(table: readonly SpecialBlock[]): AddressSet {
  return fromPrefixes(table.map((block) => constantPrefix(block.cidr)));
}

function constantPrefix(cidr: string): Prefix {
  const parsed = parsePrefix(cidr);
  if ("ok" in parsed) return parsed.ok;
  throw new Error(parsed.error); // the tables above are constants: their tests load this module
}
