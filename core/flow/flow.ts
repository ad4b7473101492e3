import type { FlowProtocol, FlowVerdict } from "./sighting.ts";

/**
 * One end of counted connections. workload: the pods of one controller, a host, or an external, by the name that people know it by ·
 * address: nobody that was known · ambiguous: an address that several had, or that changed hands meanwhile · unknown: a pod that no
 * inventory has · more: what a bound no longer tells apart.
 */
export interface FlowEnd {
  readonly kind: "workload" | "address" | "ambiguous" | "unknown" | "more";
  /** `shop-eu shop/web[Deployment]`, `metal/backup-1`, `mainframe`, `10.0.0.5`; empty for `more`. */
  readonly name: string;
}

/** Connections from one end to one port of another, of one verdict, as one source told them. */
export interface Flow {
  readonly from: FlowEnd;
  readonly to: FlowEnd;
  readonly protocol: FlowProtocol;
  /** Null: more ports than are told apart. */
  readonly port: number | null;
  readonly verdict: FlowVerdict;
  /** ms since the epoch */
  readonly first: number;
  readonly last: number;
  readonly count: number;
  /** Of those, how many surely got no answer: their initiator may be made up. */
  readonly unanswered: number;
  /** Days (UTC) on which it was seen, at most {@link MOST_DAYS} of the newest. */
  readonly days: readonly string[];
  readonly source: string;
}

/** What a source has seen, so that no flow never reads as no traffic. */
export interface Coverage {
  readonly source: string;
  readonly format: string;
  /** The oldest and the newest moment that it tells of; null: it told of no connection. */
  readonly first: number | null;
  readonly last: number | null;
  readonly sightings: number;
  /** Lines that were not understood, and what the source says itself that it lost. */
  readonly broken: number;
  readonly lost: number;
  /** Sightings beyond what is told apart; they are counted under ends and ports called `more`. */
  readonly merged: number;
}

/** Flows and what they were seen by. */
export interface FlowTable {
  readonly flows: readonly Flow[];
  readonly coverage: readonly Coverage[];
}

export const MOST_DAYS = 90;

/** `from → to: 443/tcp`, for people and for order. */
export function flowText({ from, to, protocol, port }: Pick<Flow, "from" | "to" | "protocol" | "port">): string {
  return `${endText(from)} → ${endText(to)}: ${portText(protocol, port)}`;
}

/** `443/tcp`, `icmp/8`, `many ports of tcp`: as a rule writes it where it can. */
export function portText(protocol: FlowProtocol, port: number | null): string {
  if (port === null) return `many ports of ${protocol}`;
  return protocol === "icmp" || protocol === "icmpv6" ? `${protocol}/${port}` : `${port}/${protocol}`;
}

/** An end for people. */
export function endText({ kind, name }: FlowEnd): string {
  switch (kind) {
    case "ambiguous":
      return `${name} (ambiguous)`;
    case "unknown":
      return `${name} (unknown)`;
    case "more":
      return "many others";
    default:
      return name;
  }
}
