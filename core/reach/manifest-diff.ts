import type { Manifests } from "../manifest/read.ts";
import { connectivityDiff } from "../verdict/effect.ts";
import type { Connection } from "../verdict/effect.ts";
import type { Profile } from "../verdict/profile.ts";
import type { Diff, DiffLine } from "./diff-lines.ts";
import { kindOf } from "./diff.ts";
import { enteredPods, entryLines, stayingLines } from "./entry-diff.ts";

/** What changes between two folders of manifests, in the same form as between two sources. */
export function manifestDiff(before: Manifests, after: Manifests, profile: Profile): Diff {
  const effect = connectivityDiff(before.world, after.world, profile);
  const entered = [enteredPods(before, profile), enteredPods(after, profile)] as const;
  const opened = entryLines(entered[0], entered[1]);
  const closed = entryLines(entered[1], entered[0]);
  const stays = stayingLines(entered[0], entered[1]);
  return {
    kind: kindOf(effect.openedCount + opened.pairs > 0, effect.closedCount + closed.pairs > 0),
    opened: [...effect.opened.map(lineOf), ...opened.lines],
    closed: [...effect.closed.map(lineOf), ...closed.lines],
    stays: [...effect.stays.map(lineOf), ...stays],
    openedCount: effect.openedCount + opened.pairs,
    closedCount: effect.closedCount + closed.pairs,
    unchangedCount: effect.unchangedCount,
    uncertain: effect.uncertain.map((text) => ({ text, pairs: undefined, witness: undefined })),
    notes: effect.notes,
  };
}

function isAny(end: string): boolean {
  return end === "any" || end.startsWith("any but ");
}

function lineOf(connection: Connection): DiffLine {
  return { ...connection, isAnyFrom: isAny(connection.from), isAnyTo: isAny(connection.to), isObservedOnly: false };
}
