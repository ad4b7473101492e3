/** What became of a connection: it passed, it was refused, or it passed and would be refused once the segment is enforced. */
export type FlowVerdict = "allowed" | "denied" | "would be denied";

/** Protocols that are counted; others are told as not understood. */
export type FlowProtocol = "tcp" | "udp" | "sctp" | "icmp" | "icmpv6";

/** One end as a source names it: by an address, by the pod that had it, or by both. */
export interface SightedEnd {
  readonly address: string | undefined;
  readonly pod: { readonly namespace: string; readonly name: string } | undefined;
  /** As people name a workload: `shop-eu/shop/web`, `metal/backup-1`, `mainframe`. Our own format only. */
  readonly name: string | undefined;
}

/** Connections from one end to one port of another, as a source told them. The initiator is `from`, always. */
export interface Sighting {
  readonly from: SightedEnd;
  readonly to: SightedEnd;
  readonly protocol: FlowProtocol;
  /** On which the responder listens; of ICMP the type. */
  readonly port: number;
  readonly verdict: FlowVerdict;
  /** ms since the epoch */
  readonly first: number;
  readonly last: number;
  readonly count: number;
  /** false: nothing came back, so the initiator's address may be made up. Undefined: the source does not say. */
  readonly answered: boolean | undefined;
}

/** What one line of a source is. */
export type LineRead =
  | { readonly kind: "sighting"; readonly sighting: Sighting }
  /** Nothing about a connection, or the way back of one: left out without a word. */
  | { readonly kind: "other" }
  /** The source itself says that it lost this many. */
  | { readonly kind: "lost"; readonly count: number }
  | { readonly kind: "broken"; readonly why: string };

/** A way to write flows down: one line each. */
export interface FlowFormat {
  readonly name: string;
  /** Is a line surely written so? */
  readonly isLike: (line: string) => boolean;
  readonly read: (line: string) => LineRead;
}

/** The fields of a line of JSON that is an object; undefined for anything else. */
export function objectOf(line: string): Readonly<Record<string, unknown>> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return fieldsOf(value);
}

/** The same of a value inside one. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  // The cast: every object without an order has fields, and each is looked at before it is used.
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

/** A text of at most 512 characters; longer ones are nobody's name or address. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= 512 ? value : undefined;
}

/** A port, of a number or its text; undefined for anything else. */
export function portOf(value: unknown): number | undefined {
  const port = typeof value === "string" && /^[0-9]{1,5}$/.test(value) ? Number(value) : value;
  return typeof port === "number" && Number.isInteger(port) && port >= 0 && port <= 65_535 ? port : undefined;
}

/** How many: of a number or its text; 1 for anything that is no number of things. */
export function countOf(value: unknown): number {
  const count = typeof value === "string" && /^[0-9]{1,15}$/.test(value) ? Number(value) : value;
  return typeof count === "number" && Number.isSafeInteger(count) && count >= 1 ? count : 1;
}

/** A moment, in ISO 8601. */
export function momentOf(value: unknown): number | undefined {
  const text = textOf(value);
  const ms = text === undefined || !/^[0-9]{4}-[0-9]{2}-[0-9]{2}T/.test(text) ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

/** A protocol by its name in any case. */
export function protocolOf(value: unknown): FlowProtocol | undefined {
  const text = textOf(value)?.toLowerCase();
  return PROTOCOLS.find((protocol) => protocol === text);
}

const PROTOCOLS: readonly FlowProtocol[] = ["tcp", "udp", "sctp", "icmp", "icmpv6"];

/** An end of which only an address is known. */
export function addressEnd(address: string | undefined): SightedEnd {
  return { address, pod: undefined, name: undefined };
}
