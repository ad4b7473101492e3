/** What `resync-process.ts` prints, and the installation whose objects it looks for. */

/** Instance id in the marks of the objects that the benchmark applies. */
export const INSTANCE_OF_BENCH = "bench";

/** Times in ms since the process began. */
export interface ResyncReport {
  /** Policies in the cluster. */
  readonly objects: number;
  /** Subjects of the findings. */
  readonly found: readonly string[];
  /** Start of Node and imports. */
  readonly started: number;
  /** Definitions read, parsed, checked. */
  readonly parsed: number;
  /** The library that logs in to clusters is loaded. */
  readonly loaded: number;
  /** Policies, namespaces, pods, nodes and services are there. */
  readonly listed: number;
  readonly compiled: number;
  readonly compared: number;
  readonly heapBytes: number;
  readonly rssBytes: number;
}
