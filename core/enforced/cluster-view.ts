import type { Workload } from "../estate/estate.ts";
import type { Direction } from "../model/kinds.ts";
import type { Party } from "../reach/source.ts";
import type { Classes } from "../verdict/classes.ts";
import type { Rows } from "../verdict/rows.ts";
import type { AtomFinder } from "./peers.ts";

/** A class as a peer, and the families (bits) that both ends have. */
export interface MetPeer {
  readonly peer: number;
  readonly families: number;
}

/** A cluster with its policies, divided into classes; what `explainEnd` asks. */
export interface ClusterView {
  readonly classes: Classes;
  readonly rows: Rows;
  readonly atoms: AtomFinder;
  /** Class of a workload of this cluster. Undefined: no pod of the inventory. */
  readonly classOf: (workload: Workload) => number | undefined;
  /** The classes that a peer is here. */
  readonly met: (direction: Direction, peer: Party) => readonly number[];
  /** The same with the families in which they are met. */
  readonly peersOf: (direction: Direction, subject: number, peer: Party) => readonly MetPeer[];
}
