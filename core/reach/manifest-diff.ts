import type { Manifests } from "../manifest/read.ts";
import { connectivityDiff } from "../verdict/effect.ts";
import type { Connection, Effect } from "../verdict/effect-types.ts";
import { livePods } from "../verdict/world.ts";
import type { Profile } from "../verdict/profile.ts";
import type { Diff, DiffDoubt, DiffLine } from "./diff-lines.ts";
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
    uncertain: [
      ...effect.uncertain.map((text) => ({ text, pairs: undefined, witness: undefined })),
      ...doubtsOfV6(before, after, profile, effect),
    ],
    notes: effect.notes,
  };
}

/**
 * What would open or close besides if pods had IPv6 addresses. Manifests say no address of a pod, and where nothing in them uses IPv6 it
 * is compared for IPv4 alone: a rule from 0.0.0.0/0 that becomes one from anywhere is the same for IPv4, and opens IPv6.
 */
function doubtsOfV6(before: Manifests, after: Manifests, profile: Profile, known: Effect): readonly DiffDoubt[] {
  const isUnknown = [before, after].some(({ world }) => livePods(world.pods).some(({ addresses }) => addresses.length === 0));
  if (!isUnknown) return [];
  const both = connectivityDiff(before.world, after.world, profile, undefined, true);
  const more = (verb: "opens" | "closes", lines: readonly Connection[], told: readonly Connection[]): readonly DiffDoubt[] => {
    const texts = new Set(told.map(textOf));
    return lines
      .filter((line) => !texts.has(textOf(line)) && [line.witness.from, line.witness.to].some((end) => end.includes(":")))
      .map(({ from, to, ports }) => ({
        text: `on a cluster with IPv6 this ${verb} ${from} → ${to}: ${ports}, too; the manifests do not say which addresses pods have`,
        pairs: undefined,
        witness: undefined,
      }));
  };
  return [...more("opens", both.opened, known.opened), ...more("closes", both.closed, known.closed)];
}

function textOf({ from, to, ports }: Connection): string {
  return `${from} → ${to}: ${ports}`;
}

function isAny(end: string): boolean {
  return end === "any" || end.startsWith("any but ");
}

function lineOf(connection: Connection): DiffLine {
  return { ...connection, isAnyFrom: isAny(connection.from), isAnyTo: isAny(connection.to), isObservedOnly: false };
}
