import { isEmpty, union } from "../address/index.ts";
import type { AddressSet } from "../address/index.ts";
import { portWords } from "../compile/ports.ts";
import type { HostAllow, HostPorts } from "../compile/want.ts";
import { FirebreakError } from "../ground/error.ts";
import { originName, shortDigest } from "./nft-names.ts";

/** One allow with the name that its sets carry; `ports: "any"` is every protocol. */
export interface NamedAllow {
  /** Unique within a direction. */
  readonly name: string;
  /** The counter it counts into, shared by all allows of one origin. */
  readonly counter: string;
  readonly peers: "any" | AddressSet;
  readonly ports: HostPorts;
}

/**
 * The allows of one direction, sorted by name, one per origin and ports.
 *
 * A name comes from what the allow means (its origin, and its ports where an origin has several), never from its addresses: so a
 * new pod changes elements, not names. Throws PLAN_INVARIANT_BROKEN on a peer set or port list that is empty: an empty match must
 * never come near a renderer (it is how "nobody" becomes "anyone").
 */
export function nameAllows(allows: readonly HostAllow[]): readonly NamedAllow[] {
  const groups = new Map<string, Map<string, HostAllow>>();
  for (const allow of allows) {
    refuseEmpty(allow);
    const byPorts = groups.get(allow.origin) ?? new Map<string, HostAllow>();
    const key = portsKey(allow);
    const known = byPorts.get(key);
    byPorts.set(key, known === undefined ? allow : { ...allow, peers: joinPeers(known.peers, allow.peers) });
    groups.set(allow.origin, byPorts);
  }
  const named: NamedAllow[] = [];
  for (const [origin, byPorts] of groups) {
    for (const [key, { peers, ports }] of byPorts) {
      const counter = originName(origin);
      named.push({ name: byPorts.size === 1 ? counter : `${counter}.${shortDigest(key)}`, counter, peers, ports });
    }
  }
  return named.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function refuseEmpty(allow: HostAllow): void {
  if (allow.peers !== "any" && isEmpty(allow.peers)) {
    throw new FirebreakError("PLAN_INVARIANT_BROKEN", `render ${allow.origin}: its peers are an empty set`);
  }
  if (allow.ports !== "any" && allow.ports.length === 0) {
    throw new FirebreakError("PLAN_INVARIANT_BROKEN", `render ${allow.origin}: it has no ports`);
  }
}

function portsKey({ ports }: HostAllow): string {
  if (ports === "any") return "any";
  return ports
    .map((port) => (port.kind === "range" ? `${port.protocol} ${port.from}-${port.to}` : portWords(port)))
    .sort()
    .join(",");
}

function joinPeers(a: "any" | AddressSet, b: "any" | AddressSet): "any" | AddressSet {
  return a === "any" || b === "any" ? "any" : union(a, b);
}
