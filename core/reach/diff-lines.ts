import type { PortSet } from "../address/ports.ts";
import type { Matrix } from "./classes.ts";
import type { ClassEnds } from "./ends.ts";

/** One connection that stands for a group: anybody can try it. */
export interface DiffWitness {
  /** The id of a workload, or an address. */
  readonly from: string;
  readonly to: string;
  /** A type for ICMP; 0 for protocols without ports. */
  readonly port: number;
  /** `tcp`, …, or `other` for protocols that are none of those with names here. */
  readonly protocol: string;
}

/** Connections that opened (or closed) together. */
export interface DiffLine {
  /** `any`, segments, workloads, address ranges; several joined by commas. */
  readonly from: string;
  readonly to: string;
  /** Workloads at each end for which it changed, and at both together; 0 where an end is addresses only. */
  readonly fromWorkloads: number;
  readonly toWorkloads: number;
  readonly workloads: number;
  /** `any port`, `5432/tcp`. */
  readonly ports: string;
  readonly portSet: PortSet;
  /** True where no rule allows it and only `observe` lets it pass: before, for what closed; now, for what opened. */
  readonly isObservedOnly: boolean;
  readonly witness: DiffWitness;
}

/** Connections that were compared and whose answer may be otherwise. */
export interface DiffDoubt {
  readonly text: string;
  /** Ordered pairs it is said of; undefined where only the text is known. */
  readonly pairs: number | undefined;
  readonly witness: Pick<DiffWitness, "from" | "to"> | undefined;
}

/** What changes between two sources of verdicts, in connections. */
export interface Diff {
  readonly kind: "equivalent" | "opens" | "closes" | "both";
  /** The widest first. */
  readonly opened: readonly DiffLine[];
  readonly closed: readonly DiffLine[];
  /**
   * Ordered pairs of workloads, or of a workload and addresses that nobody tells apart, for which something opened, something closed, or
   * nothing changed.
   */
  readonly openedCount: number;
  readonly closedCount: number;
  readonly unchangedCount: number;
  /** Not empty: do not call the change harmless, whatever its kind. */
  readonly uncertain: readonly DiffDoubt[];
  /** Worth knowing, without effect; each a sentence. */
  readonly notes: readonly string[];
}

/** What grouping looks up: the classes, and both sources' answers. */
export interface DiffView {
  readonly matrix: Matrix;
  readonly ends: readonly [ClassEnds, ClassEnds];
}
