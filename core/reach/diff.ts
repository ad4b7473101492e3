import { matrixOf, pairCount } from "./classes.ts";
import type { Matrix } from "./classes.ts";
import { compareSources } from "./diff-compare.ts";
import { groupChanges, groupDoubts } from "./diff-group.ts";
import type { Diff } from "./diff-lines.ts";
import { ClassEnds } from "./ends.ts";

import { PortTable } from "./port-table.ts";
import type { Source } from "./source.ts";

export type { Diff, DiffDoubt, DiffLine, DiffWitness } from "./diff-lines.ts";

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
  const stays = groupChanges({ matrix, ends }, changes, "stays");
  const count = (isCounted: (change: (typeof changes)[number]) => boolean): number =>
    changes.filter(isCounted).reduce((sum, { from, to }) => sum + pairCount(matrix, from, to), 0);
  const uncertain = groupDoubts(matrix, doubts);
  return {
    kind: kindOf(opened.length > 0, closed.length > 0),
    opened,
    closed,
    stays,
    openedCount: count((change) => change.opened !== 0),
    closedCount: count((change) => change.closed !== 0),
    unchangedCount: allPairs(matrix) - count(() => true),
    uncertain: isCut ? [...uncertain, { text: TOO_MANY, pairs: undefined, witness: undefined }] : uncertain,
    notes: [],
  };
}

const TOO_MANY = "there are too many pairs to compare them all: the rest was not looked at";

/** The word for what opens and closes. */
export function kindOf(opens: boolean, closes: boolean): Diff["kind"] {
  if (opens && closes) return "both";
  if (opens) return "opens";
  return closes ? "closes" : "equivalent";
}

/** All ordered pairs but those of addresses with addresses. */
function allPairs({ classes, workloadCount }: Matrix): number {
  const outside = classes.filter(({ kind }) => kind === "addresses").length;
  return workloadCount * (workloadCount - 1) + 2 * workloadCount * outside;
}
