import { anyAddress, anyV4, anyV6, equals, intersect, isEmpty, isSubset } from "../../address/index.ts";
import type { AddressSet } from "../../address/index.ts";
import { allPorts, equalPorts, intersectPorts, isEmptyPorts, noPorts, subtractPorts, unionPorts } from "../../address/ports.ts";
import type { PortSet } from "../../address/ports.ts";
import { visitSteps } from "./space.ts";
import type { Box, Space } from "./space.ts";

/** Sets that a gain is described by where they hold, widest first. */
const WIDE: readonly AddressSet[] = [anyAddress, anyV4, anyV6];

/**
 * A gain as few boxes for people.
 *
 * A step of the gain joins a wider one where everything in the wider one is open now: when a table that let 10.0.0.0/24 to port 22
 * opens entirely, that is "any, any port" and not the complement of what was open; a gain of a few ports stays these. So each box is open in `full`, holds a part of
 * `gained`, and together they hold all of it.
 */
export function gatherGains(gained: Space, full: Space): readonly Box[] {
  const gathered = new Map<AddressSet, PortSet>();
  const known = (set: AddressSet): AddressSet => [...gathered.keys()].find((other) => equals(other, set)) ?? set;
  visitSteps(gained, full, (gain, open, ports) => {
    if (isEmpty(gain)) return;
    for (const part of byProtocolFamily(ports)) {
      const peers = WIDE.find((set) => isSubset(gain, set) && isSubset(intersect(set, part.universe), open)) ?? known(gain);
      gathered.set(peers, unionPorts(gathered.get(peers) ?? noPorts, part.ports));
    }
  });
  return [...gathered].map(([peers, ports]) => ({ peers, ports: ports.other && isOpenEntirely(full, peers) ? allPorts : ports }));
}

/** A step may span several protocols; ICMP has IPv4 peers only, ICMPv6 IPv6 ones. */
function byProtocolFamily(ports: PortSet): readonly { readonly ports: PortSet; readonly universe: AddressSet }[] {
  const icmp = intersectPorts(ports, { ...noPorts, icmp: allPorts.icmp });
  const icmpv6 = intersectPorts(ports, { ...noPorts, icmpv6: allPorts.icmpv6 });
  const parts = [
    { ports: subtractPorts(subtractPorts(ports, icmp), icmpv6), universe: anyAddress },
    { ports: icmp, universe: anyV4 },
    { ports: icmpv6, universe: anyV6 },
  ];
  return parts.filter((part) => !isEmptyPorts(part.ports));
}

/** True when those peers may use every port (of protocols that their family has). */
function isOpenEntirely(full: Space, peers: AddressSet): boolean {
  let open = noPorts;
  visitSteps(full, full, (set, _, ports) => {
    for (const part of byProtocolFamily(ports))
      if (isSubset(intersect(peers, part.universe), set)) open = unionPorts(open, part.ports);
  });
  return equalPorts(open, allPorts);
}
