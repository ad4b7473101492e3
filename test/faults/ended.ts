/** When a fault was over in truth: another event may have ended it before its time. */
import type { Happened } from "./journal.ts";
import type { FaultEvent } from "./schedule.ts";

/**
 * When giving back what a fault took away began, by whoever did it first: of two outages of one server that overlap, the shorter one starts
 * it again; a process that is killed while it is paused runs as soon as it is started again.
 *
 * @returns undefined where nothing is given back
 */
export function endedAt(one: Happened, happened: readonly Happened[]): number | undefined {
  const ends = happened.flatMap((other) => {
    if (other !== one && (other.failed !== undefined || !undoes(other.event, one.event))) return [];
    const at = other.lifting ?? other.over;
    return at !== undefined && at > one.done ? [at] : [];
  });
  return ends.length === 0 ? undefined : Math.min(...ends);
}

function undoes(other: FaultEvent, one: FaultEvent): boolean {
  if (one.kind === "away") return other.kind === "away" && other.what === one.what;
  if (one.kind === "disk") return other.kind === "disk";
  if (one.kind === "pause") return (other.kind === "kill" || other.kind === "pause") && other.part === one.part;
  return false;
}
