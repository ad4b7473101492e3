/** What the test bed and its agents say to each other: one JSON object a line, requests on stdin, replies on stdout. */
import type { Records } from "./dns.ts";

export type Protocol = "tcp" | "udp";

/** A port a process listens on. */
export interface Port {
  readonly port: number;
  readonly protocol: Protocol;
}

/** Something an agent can be asked for. */
export type Ask =
  | { readonly kind: "listen"; readonly ports: readonly Port[] }
  | {
      readonly kind: "probe";
      readonly address: string;
      readonly port: number;
      readonly protocol: Protocol;
      readonly timeoutMs: number;
    }
  /** Probes all the time, until "stop watch"; "attempts" gives what was tried since it was last asked for. */
  | {
      readonly kind: "watch";
      readonly ways: readonly { readonly address: string; readonly port: number }[];
      readonly everyMs: number;
      readonly timeoutMs: number;
    }
  | { readonly kind: "attempts" }
  | { readonly kind: "stop watch" }
  | { readonly kind: "serve dns"; readonly records: Records }
  | {
      readonly kind: "resolve";
      readonly server: string;
      readonly name: string;
      readonly protocol: Protocol;
      readonly timeoutMs: number;
    };

/** `value` is the result of the ask; `error` the reason there is none. */
export type Reply = { readonly id: number; readonly value: unknown } | { readonly id: number; readonly error: string };

/** Result of a probe: `open` only if the other side answered. */
export interface ProbeResult {
  readonly verdict: "open" | "closed";
  readonly why: "answered" | "timeout" | "refused" | "unreachable";
}

/** One probe of a watch. */
export interface Attempt {
  /** Index in the `ways` of the watch. */
  readonly way: number;
  /** When its first packet went out, ms since the epoch. */
  readonly at: number;
  readonly tookMs: number;
  readonly isOpen: boolean;
}

/** "8443/tcp", "53/udp" */
export function parsePort(text: string): Port {
  const [, port, protocol] = /^(\d{1,5})\/(tcp|udp)$/.exec(text) ?? [];
  if (port === undefined || Number(port) < 1 || Number(port) > 65_535)
    throw new RangeError(`port "${text}": as in 8443/tcp or 53/udp`);
  return { port: Number(port), protocol: protocol === "udp" ? "udp" : "tcp" };
}
