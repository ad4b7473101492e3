import { contains, parseAddress, unionAll } from "../address/index.ts";
import type { Address } from "../address/index.ts";
import type { Definitions, Direction } from "../model/kinds.ts";
import type { HostObservation } from "./observation.ts";
import { readSeen } from "../render/nft-seen.ts";
import type { SeenConnection } from "../render/nft-seen.ts";

/** A connection that enforcing would deny, seen on a host that observes. */
export interface Denial {
  /** ingress: the address connected to the host; egress: the host connected to it. */
  readonly direction: Direction;
  readonly address: string;
  readonly protocol: SeenConnection["protocol"];
  readonly port: number;
  /** ISO 8601, by the host's own time-out: of the last packet that was no reply. */
  readonly lastSeenAt: string;
  /** Host or external with that address, as definitions name it; null: nobody that they know. */
  readonly workload: string | null;
}

/** What a host in observe mode would have denied, newest first, and how much of it is known. */
export interface Denials {
  readonly directions: readonly Direction[];
  /** How many are remembered there; `connections` holds the newest of them. */
  readonly total: number;
  /** Directions in which there may be more: the host's memory is full. */
  readonly full: readonly Direction[];
  readonly connections: readonly Denial[];
}

/** Of more, the newest are kept: people read them, and a stranger who scans a host makes them. */
const MOST = 500;

/** Undefined where nothing observes. It is information: no finding, no drift, and no verdict rests on it. */
export function denialsOf({ ruleset, at }: HostObservation, definitions: Definitions | undefined): Denials | undefined {
  const seen = readSeen(ruleset);
  if (seen === undefined) return undefined;
  const nameOf = definitions === undefined ? () => null : workloadNames(definitions);
  const connections = seen.connections.slice(0, MOST).map(({ ageSeconds, ...connection }): Denial => {
    const lastSeenAt = new Date(at - ageSeconds * 1000).toISOString();
    return { ...connection, lastSeenAt, workload: nameOf(connection.address) };
  });
  return { directions: seen.directions, total: seen.connections.length, full: seen.full, connections };
}

/** Names of the definitions that were asked last: a look at a host comes every few seconds, definitions do not. */
const NAMES = new WeakMap<Definitions, (text: string) => string | null>();

/** `directory/ldap-blue-1` of a fleet's host, `mainframe` of an external. */
function workloadNames(definitions: Definitions): (text: string) => string | null {
  const known = NAMES.get(definitions);
  if (known !== undefined) return known;
  const hosts = new Map<string, string>();
  for (const fleet of definitions.fleets.values()) {
    for (const host of fleet.hosts) for (const address of host.addresses) hosts.set(keyOf(address), `${fleet.name}/${host.name}`);
  }
  const externals = [...definitions.externals.values()];
  const anywhere = unionAll(externals.map(({ addresses }) => addresses));
  const nameOf = (text: string): string | null => {
    const host = hosts.get(keyOf(text));
    if (host !== undefined) return host;
    const parsed = parseAddress(text);
    if (!("ok" in parsed) || !contains(anywhere, parsed.ok)) return null;
    return externals.find(({ addresses }) => contains(addresses, parsed.ok))?.name ?? null;
  };
  NAMES.set(definitions, nameOf);
  return nameOf;
}

function keyOf(text: string): string {
  const parsed = parseAddress(text);
  if (!("ok" in parsed)) return text;
  const { family, value }: Address = parsed.ok;
  return `${family} ${value}`;
}
