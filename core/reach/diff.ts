import type { PortSet } from "../address/ports.ts";
import { matrixOf } from "./classes.ts";
import type { Matrix } from "./classes.ts";
import { compareSources } from "./diff-compare.ts";
import { groupChanges, groupDoubts } from "./diff-group.ts";
import { ClassEnds } from "./ends.ts";
import { PortTable } from "./port-table.ts";
import type { Source } from "./source.ts";

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

/**
 * Which connections open and which close between two sources: two revisions, definitions and what is live, live and rendered.
 *
 * What only observes counts as open. Over one estate, and with sources of one kind, only ends are looked at whose keys differ, so work
 * grows with what a change touches. A workload that one of two estates does not have has all its connections opened or closed.
 */
export function sourceDiff(before: Source, after: Source): Diff {
  return matrixDiff(matrixOf([before, after]));
}

function matrixDiff(matrix: Matrix): Diff {
  const ports = new PortTable();
  const ends = [new ClassEnds(matrix, 0, ports), new ClassEnds(matrix, 1, ports)] as const;
  const { changes, doubts, isCut } = compareSources(matrix, ends);
  const opened = groupChanges({ matrix, ends }, changes, "opened");
  const closed = groupChanges({ matrix, ends }, changes, "closed");
  const count = (isCounted: (change: (typeof changes)[number]) => boolean): number =>
    changes.filter(isCounted).reduce((sum, { from, to }) => sum + pairCount(matrix, from, to), 0);
  const uncertain = groupDoubts(matrix, doubts);
  return {
    kind: kindOf(opened.length > 0, closed.length > 0),
    opened,
    closed,
    openedCount: count((change) => change.opened !== 0),
    closedCount: count((change) => change.closed !== 0),
    unchangedCount: allPairs(matrix) - count(() => true),
    uncertain: isCut ? [...uncertain, { text: TOO_MANY, pairs: undefined, witness: undefined }] : uncertain,
    notes: [],
  };
}

const TOO_MANY = "there are too many pairs to compare them all: the rest was not looked at";

function kindOf(opens: boolean, closes: boolean): Diff["kind"] {
  if (opens && closes) return "both";
  if (opens) return "opens";
  return closes ? "closes" : "equivalent";
}

/** Ordered pairs between two classes, by number; inside one, those of two different workloads. */
export function pairCount({ classes }: Matrix, from: number, to: number): number {
  const size = (number: number): number => Math.max(1, classes[number]?.workloads.length ?? 0);
  return from === to ? size(from) * (size(from) - 1) : size(from) * size(to);
}

/** All ordered pairs but those of addresses with addresses. */
function allPairs({ classes, workloadCount }: Matrix): number {
  const outside = classes.filter(({ kind }) => kind === "addresses").length;
  return workloadCount * (workloadCount - 1) + 2 * workloadCount * outside;
}
