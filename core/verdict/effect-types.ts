import type { PortSet } from "../address/ports.ts";

/** One connection that stands for a group: it opened (or closed), and anybody can try it. */
export interface Witness {
  /** `namespace/pod` or an address. */
  readonly from: string;
  readonly to: string;
  readonly port: number;
  /** `tcp`, …, or `other` for protocols without ports. */
  readonly protocol: string;
}

/** A group of connections that opened (or closed, or stay open) together. */
export interface Connection {
  /** `any`, `shop/order-input`, `every pod of shop`, `10.9.0.0/24`, `any address outside`; several joined by commas. */
  readonly from: string;
  readonly to: string;
  /** The same with up to 1,000 names, where `from` and `to` say a few "and N more". */
  readonly fromFull: string;
  readonly toFull: string;
  /** Workloads at that end; 0 when it is addresses only. */
  readonly fromWorkloads: number;
  readonly toWorkloads: number;
  /** At both ends together. */
  readonly workloads: number;
  /** `any port`, `5432/tcp`. */
  readonly ports: string;
  readonly portSet: PortSet;
  readonly witness: Witness;
}

/** What a change does to connections. */
export interface Effect {
  /** `equivalent` is said only when nothing is uncertain about the pairs compared; see `uncertain`. */
  readonly kind: "equivalent" | "opens" | "closes" | "both";
  /** Grouped, the widest first. */
  readonly opened: readonly Connection[];
  readonly closed: readonly Connection[];
  /** What passes on between those for which something closed. */
  readonly stays: readonly Connection[];
  /** Ordered pairs of workloads for which something opened; all addresses outside that no policy tells apart count as one. */
  readonly openedCount: number;
  readonly closedCount: number;
  /** All other pairs. */
  readonly unchangedCount: number;
  /** What was not understood or not compared; each a sentence. Not empty: do not call the change harmless. */
  readonly uncertain: readonly string[];
  /** Worth knowing, without effect now: a changed policy that selects no pod. */
  readonly notes: readonly string[];
}
