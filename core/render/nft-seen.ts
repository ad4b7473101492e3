import type { Direction } from "../model/kinds.ts";
import { EGRESS, FAMILY, INGRESS, TABLE } from "./nft-names.ts";
import type { Side } from "./nft-names.ts";
import { rule } from "./nft-rules.ts";
import { isRecord, readTable } from "./nft-table.ts";
import type { NftRuleObject, NftSetObject } from "./nft-types.ts";

/** How many connections of one direction and family a host remembers; the kernel takes no more. */
export const SEEN_SIZE = 4096;

/** How long it remembers one after it was last tried: a week, so that what happens on one day of it is seen. */
export const SEEN_SECONDS = 7 * 86_400;

/** Kernel names as nft prints them; other protocols have no port and are only counted. */
const WITH_PORTS = ["sctp", "tcp", "udp"] as const;

/** `seen_in4`: what a direction in observe mode would deny. The kernel fills it; nothing looks into it. */
export function isSeenSet(name: string): boolean {
  return /^seen_(in|out)[46]$/.test(name);
}

function seenName(side: Side, family: 4 | 6): string {
  return `seen_${side.short}${family}`;
}

/** One set for each family: peer, protocol and port of what would be denied, each forgotten some time after its last packet. */
export function seenSets(side: Side): readonly NftSetObject[] {
  return ([4, 6] as const).map((family) => ({
    set: {
      family: FAMILY,
      name: seenName(side, family),
      table: TABLE,
      type: [family === 4 ? "ipv4_addr" : "ipv6_addr", "inet_proto", "inet_service"],
      size: SEEN_SIZE,
      flags: ["timeout"],
      timeout: SEEN_SECONDS,
    },
  }));
}

/** Rules of their own: on a full set the statement ends its rule, and must not end the one that counts. */
export function seenRules(side: Side): readonly NftRuleObject[] {
  return ([4, 6] as const).map((family) => {
    const peer = { payload: { protocol: family === 4 ? "ip" : "ip6", field: side.peer } };
    const key = { concat: [peer, { meta: { key: "l4proto" } }, { payload: { protocol: "th", field: "dport" } }] };
    const hasPort = { match: { op: "==", left: { meta: { key: "l4proto" } }, right: { set: WITH_PORTS } } };
    return rule(side.hook, hasPort, { set: { op: "update", elem: key, set: `@${seenName(side, family)}` } });
  });
}

/** A connection that enforcing would deny, as its host saw it last. */
export interface SeenConnection {
  readonly direction: Direction;
  /** The other end. */
  readonly address: string;
  readonly protocol: (typeof WITH_PORTS)[number];
  readonly port: number;
  /** Seconds since its last packet that was no reply. */
  readonly ageSeconds: number;
}

/** What a host in observe mode saw. */
export interface Seen {
  /** Directions that observe; of the others nothing is known here. */
  readonly directions: readonly Direction[];
  /** Directions in which there may be more: their set is full. */
  readonly full: readonly Direction[];
  /** Newest first. */
  readonly connections: readonly SeenConnection[];
}

/** Reads the sets out of a listing; undefined where nothing observes. What a host says in another form is left out. */
export function readSeen(listing: readonly unknown[]): Seen | undefined {
  const sets = readTable(listing)?.sets;
  if (sets === undefined) return undefined;
  const found = [INGRESS, EGRESS].flatMap((side) =>
    ([4, 6] as const).flatMap((family) => {
      const set = sets.get(seenName(side, family));
      return set === undefined ? [] : [{ direction: side.direction, elem: set.elem.slice(0, SEEN_SIZE) }];
    }),
  );
  if (found.length === 0) return undefined;
  return {
    directions: [...new Set(found.map(({ direction }) => direction))],
    full: [...new Set(found.filter(({ elem }) => elem.length >= SEEN_SIZE).map(({ direction }) => direction))],
    connections: found
      .flatMap(({ direction, elem }) => elem.flatMap((element) => readConnection(direction, element)))
      .sort((a, b) => a.ageSeconds - b.ageSeconds || (a.address < b.address ? -1 : 1) || a.port - b.port),
  };
}

/** `{"elem": {"val": {"concat": ["10.0.0.1", "tcp", 22]}, "expires": 86398}}`. */
function readConnection(direction: Direction, element: unknown): readonly SeenConnection[] {
  const inner = isRecord(element) && isRecord(element["elem"]) ? element["elem"] : undefined;
  const value = inner?.["val"];
  const parts = isRecord(value) && Array.isArray(value["concat"]) ? value["concat"] : [];
  const [address, name, port] = parts as readonly unknown[]; // whatever they are, each is looked at
  const protocol = WITH_PORTS.find((known) => known === name);
  const expires = inner?.["expires"];
  if (typeof address !== "string" || !/^[0-9a-f.:]{2,45}$/.test(address) || protocol === undefined) return [];
  if (typeof port !== "number" || !Number.isInteger(port) || port < 0 || port > 65_535) return [];
  const left = typeof expires === "number" && expires >= 0 && expires <= SEEN_SECONDS ? expires : SEEN_SECONDS;
  return [{ direction, address, protocol, port, ageSeconds: SEEN_SECONDS - left }];
}
