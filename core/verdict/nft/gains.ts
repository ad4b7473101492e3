import { anyAddress, anyV4, anyV6, equals, intersect, isEmpty, unionAll } from "../../address/index.ts";
import type { AddressSet } from "../../address/index.ts";
import { allOf, allPorts, intersectPorts, isEmptyPorts, noPorts, subtractPorts, unionPorts } from "../../address/ports.ts";
import type { PortSet } from "../../address/ports.ts";
import { intersectSpaces, isEmptySpace, spaceFromBoxes, subtractSpaces, visitSteps, wholeSpace } from "./space.ts";
import type { Box, Space } from "./space.ts";

/** What opened or closed between two states of one direction, and what passes on beside what closed. */
export interface Changed {
  readonly opened: Space;
  readonly closed: Space;
  readonly stays: Space;
}

/** @param before @param after what the direction lets through */
export function changesBetween(before: Space, after: Space): Changed {
  const closed = subtractSpaces(before, after);
  const losers = spaceFromBoxes([{ peers: unionAll(closed.sets), ports: allPorts }]);
  const stays = isEmptySpace(closed) ? closed : intersectSpaces(intersectSpaces(before, after), losers);
  return { opened: subtractSpaces(after, before), closed, stays };
}

/**
 * A set of connections as few boxes for people, that hold exactly it: no more, no less.
 *
 * Ports with the same peers are one box. ICMP has IPv4 peers only and ICMPv6 IPv6 ones, so it joins a box whose part of that family is the
 * same. What no peer of a box can have stays in, so that everything still reads `any port`. The widest ports come first.
 */
export function boxesForPeople(space: Space): readonly Box[] {
  const gathered = new Map<AddressSet, PortSet>();
  const add = (peers: AddressSet, ports: PortSet): void => {
    gathered.set(peers, unionPorts(gathered.get(peers) ?? noPorts, ports));
  };
  const known = (isIt: (set: AddressSet) => boolean): AddressSet | undefined => [...gathered.keys()].find(isIt);
  const later: { readonly peers: AddressSet; readonly ports: PortSet; readonly universe: AddressSet }[] = [];
  visitSteps(space, wholeSpace, (peers, _, ports) => {
    if (isEmpty(peers)) return;
    for (const part of byFamily(ports)) {
      if (part.universe === anyAddress) add(known((set) => equals(set, peers)) ?? peers, part.ports);
      else later.push({ peers, ...part });
    }
  });
  for (const { peers, ports, universe } of later) {
    const own = intersect(peers, universe);
    if (!isEmpty(own)) add(known((set) => equals(intersect(set, universe), own)) ?? own, ports);
  }
  const boxes = [...gathered].map(([peers, ports]) => ({ peers, ports: unionPorts(ports, impossible(peers, ports)) }));
  return boxes.sort((a, b) => Number(b.ports.other) - Number(a.ports.other));
}

/** A step may span several protocols; ICMP has IPv4 peers only, ICMPv6 IPv6 ones. */
function byFamily(ports: PortSet): readonly { readonly ports: PortSet; readonly universe: AddressSet }[] {
  const icmp = intersectPorts(ports, allOf("icmp"));
  const icmpv6 = intersectPorts(ports, allOf("icmpv6"));
  const parts = [
    { ports: subtractPorts(subtractPorts(ports, icmp), icmpv6), universe: anyAddress },
    { ports: icmp, universe: anyV4 },
    { ports: icmpv6, universe: anyV6 },
  ];
  return parts.filter((part) => !isEmptyPorts(part.ports));
}

/** Beside all other protocols: the ICMP of a family that none of the peers has. */
function impossible(peers: AddressSet, { other }: PortSet): PortSet {
  if (!other) return noPorts;
  if (isEmpty(intersect(peers, anyV4))) return allOf("icmp");
  return isEmpty(intersect(peers, anyV6)) ? allOf("icmpv6") : noPorts;
}
