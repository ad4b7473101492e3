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

/** What a line says of its connections: they opened, they closed, or they stay open beside what closed between the same two. */
export type DiffSide = "opened" | "closed" | "stays";

/** Which of the two sources has the connections of a line. */
export const SOURCE_OF = { opened: 1, closed: 0, stays: 1 } as const satisfies Record<DiffSide, 0 | 1>;

/** Connections that opened (or closed, or stay open) together: every initiator with every responder, on each of the ports. */
export interface DiffLine {
  /** `any`, `any but web`, segments, workloads, address ranges; several joined by commas, "and N more" after a few. */
  readonly from: string;
  readonly to: string;
  /** The same with up to 1,000 names. */
  readonly fromFull: string;
  readonly toFull: string;
  /** True for `any` and `any but …`. */
  readonly isAnyFrom: boolean;
  readonly isAnyTo: boolean;
  /** Workloads at each end for which it changed, and at both together; 0 where an end is addresses only. */
  readonly fromWorkloads: number;
  readonly toWorkloads: number;
  readonly workloads: number;
  /** `any port`, `5432/tcp`. */
  readonly ports: string;
  readonly portSet: PortSet;
  /** True where no rule allows it and only `observe` lets it pass: before, for what closed; now, for what opened or stays. */
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
  /** What passes on, now, between those for which something closed. */
  readonly stays: readonly DiffLine[];
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
