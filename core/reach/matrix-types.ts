import type { PortSet } from "../address/ports.ts";

/** What one class may open to another; between two workloads of one class when both ends are the same. */
export interface ReachConnection {
  readonly src: string;
  readonly dst: string;
  /** See `formatConnection`; never empty. */
  readonly conn: string;
}

/** Workloads that behave alike, and the pod classes that their pods are of. */
export interface Group {
  readonly id: string;
  readonly workloads: readonly string[];
  /** Representative pod classes; more than one when the pods of a workload differ. */
  readonly peers: readonly number[];
  /** What Ingress and Route send them. */
  readonly entered: PortSet;
}

/** Between how many workloads more may be open than is listed, and two groups of them. */
export interface Unsure {
  readonly pairs: number;
  readonly from: Group;
  readonly to: Group;
  /** What may be open between these two. */
  readonly possible: string;
}
