/** The log: whole, verified, every intent with its outcome, revisions only upwards, and nothing of it ever changed. */
import type { StoredEntry } from "../../core/audit/entry.ts";
import type { Journal, Violation } from "./journal.ts";
import { isApi } from "./schedule.ts";
import { findingOf, tamperingsOf, unheard } from "./tamperings.ts";

export function checkLog(journal: Journal): readonly Violation[] {
  return [...checkWhole(journal), ...checkIntents(journal.log), ...checkOrder(journal), ...checkFindings(journal)];
}

function checkWhole({ verdict, log, entries }: Journal): readonly Violation[] {
  const violations: Violation[] = [];
  if (verdict !== "verified") violations.push({ rule: "log not verified", what: verdict });
  const gap = log.findIndex(({ seq }, index) => seq !== index);
  if (gap >= 0) violations.push({ rule: "log has a gap", what: `entry ${gap} is ${log[gap]?.seq}` });
  for (const { entry, isKept } of entries) {
    if (isKept && JSON.stringify(log[entry.seq]) !== JSON.stringify(entry))
      violations.push({ rule: "log was rewritten", what: `entry ${entry.seq} ${entry.type}` });
  }
  return violations;
}

function checkIntents(log: readonly StoredEntry[]): readonly Violation[] {
  const outcomes = log.flatMap((entry) => (entry.type === "apply.outcome" ? [entry.causedBy] : []));
  return log.flatMap((entry): Violation[] => {
    if (entry.type !== "apply.intent") return [];
    const count = outcomes.filter((seq) => seq === entry.seq).length;
    return count === 1
      ? []
      : [{ rule: "intent without its outcome", what: `entry ${entry.seq} for ${entry.target.id} has ${count}` }];
  });
}

/** No older revision after a newer one, in what was accepted, in what was applied to each target, and in what status said. */
function checkOrder({ entries, polls, happened }: Journal): readonly Violation[] {
  const violations: Violation[] = [];
  const highest = new Map<string, number>();
  const rises = (key: string, sequence: number, where: string): void => {
    const before = highest.get(key) ?? 0;
    if (sequence < before) violations.push({ rule: "older after newer", what: `${key}: ${sequence} after ${before}, ${where}` });
    highest.set(key, Math.max(before, sequence));
  };
  for (const { entry, isKept } of entries) {
    // A log that was restored knows less than the targets: its first number may be a second one.
    if (entry.type === "revision.accepted" && isKept) rises("accepted", entry.revision, `entry ${entry.seq}`);
    if (entry.type === "apply.outcome" && entry.outcome === "ok" && entry.revision !== undefined)
      rises(entry.target.id, entry.revision, `entry ${entry.seq}`);
  }
  if (happened.some(({ event }) => event.kind === "restore")) return violations;
  for (const { status } of polls)
    if (typeof status?.revision?.sequence === "number") rises("status", status.revision.sequence, "status");
  return violations;
}

/**
 * Kinds that a fault of the world causes, and not somebody's hand. An API server that has just started refuses everybody until it has read
 * its roles: on a slow machine for long enough to be told.
 */
const AWAY_KINDS = new Set(["unreachable", "late", "forbidden"]);

function checkFindings(journal: Journal): readonly Violation[] {
  const { happened, entries, ready } = journal;
  const violations: Violation[] = unheard(happened, entries).map(({ event, began }) => ({
    rule: "tampering not told",
    what: `${JSON.stringify(event)} at ${seconds(began - ready)}`,
  }));
  const open = new Map<string, string>();
  for (const { at, entry, isKept } of entries) {
    const about = findingOf(entry);
    if (about === undefined) continue;
    const { kind, target, fingerprint } = about;
    const words = `${kind} on ${target}, entry ${entry.seq} at ${seconds(at - ready)}`;
    if (entry.type === "finding.opened" && !isCaused(journal, kind, target, at))
      violations.push({ rule: "finding that nobody caused", what: words });
    if (!isKept) continue;
    if (entry.type === "finding.opened") {
      if (open.has(fingerprint)) violations.push({ rule: "finding opened twice", what: words });
      open.set(fingerprint, words);
    }
    if (entry.type === "finding.resolved" && !open.delete(fingerprint))
      violations.push({ rule: "finding resolved that was not open", what: words });
  }
  violations.push(...[...open.values()].map((what) => ({ rule: "finding never resolved", what })));
  return violations;
}

function isCaused({ happened, polls }: Journal, kind: string, target: string, at: number): boolean {
  // A disk that somebody filled, or one that a busy machine made slow: /readyz must have said so.
  if (kind === "log-away") return polls.some((poll) => poll.at <= at && poll.ready?.text.includes("AUDIT_UNAVAILABLE") === true);
  if (AWAY_KINDS.has(kind)) {
    const name = target.split("/").at(-1) ?? "";
    return happened.some(({ event, began }) => {
      if (began > at) return false;
      if (event.kind === "away") return target.startsWith("cluster/") ? isApi(event.what) : event.what.endsWith(` ${name}`);
      return event.kind === "reboot" && event.host === name;
    });
  }
  return tamperingsOf(happened).some(
    (one) => one.target === target && one.happened.began <= at && one.kinds.some((of) => of === kind),
  );
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
