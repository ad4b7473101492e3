import type { Manifests } from "../manifest/read.ts";
import { connectivityDiff } from "../verdict/effect.ts";
import type { Connection } from "../verdict/effect.ts";
import type { Profile } from "../verdict/profile.ts";
import { livePods } from "../verdict/world.ts";
import type { Diff, DiffLine } from "./diff-lines.ts";
import { kindOf } from "./diff.ts";
import { enteredPods, entryLines } from "./entry-diff.ts";

/** What changes between two folders of manifests, in the same form as between two sources. */
export function manifestDiff(before: Manifests, after: Manifests, profile: Profile): Diff {
  const effect = connectivityDiff(before.world, after.world, profile);
  const ids = new Set(
    [before, after].flatMap(({ world }) => livePods(world.pods).map(({ namespace, name }) => `${namespace}/${name}`)),
  );
  const entered = [enteredPods(before, profile), enteredPods(after, profile)] as const;
  const opened = entryLines(entered[0], entered[1]);
  const closed = entryLines(entered[1], entered[0]);
  return {
    kind: kindOf(effect.openedCount + opened.pairs > 0, effect.closedCount + closed.pairs > 0),
    opened: [...effect.opened.map(lineOf), ...opened.lines],
    closed: [...effect.closed.map(lineOf), ...closed.lines],
    stays: [],
    openedCount: effect.openedCount + opened.pairs,
    closedCount: effect.closedCount + closed.pairs,
    // Addresses count as one more; a pair that both opens and closes is counted in both, so this is at least so many.
    unchangedCount: Math.max(0, ids.size * (ids.size + 1) - effect.openedCount - effect.closedCount),
    uncertain: effect.uncertain.map((text) => ({ text, pairs: undefined, witness: undefined })),
    notes: effect.notes,
  };
}

function lineOf(connection: Connection): DiffLine {
  const { from, to, fromWorkloads, toWorkloads } = connection;
  const workloads = from === to ? Math.max(fromWorkloads, toWorkloads) : fromWorkloads + toWorkloads;
  const isAny = { isAnyFrom: from === "any", isAnyTo: to === "any" };
  return { ...connection, ...isAny, fromFull: from, toFull: to, workloads, isObservedOnly: false };
}
