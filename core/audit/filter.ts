import type { StoredEntry } from "./entry.ts";

/** Which entries are wanted: every condition that is given holds. */
export interface EntryFilter {
  readonly types?: readonly string[] | undefined;
  /** A target's id. */
  readonly target?: string | undefined;
  readonly commit?: string | undefined;
  /** A plan's digest. */
  readonly plan?: string | undefined;
  /** A finding's fingerprint. */
  readonly finding?: string | undefined;
  readonly causedBy?: number | undefined;
  /** Not before this time; before that time (UTC, ISO 8601). */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

/** Whether an entry is wanted. One of a newer version only by its envelope: it matches no condition on a field that is not read here. */
export function matchesFilter(entry: StoredEntry, filter: EntryFilter): boolean {
  const type = entry.type === "newer" ? entry.storedType : entry.type;
  if (filter.types !== undefined && !filter.types.includes(type)) return false;
  if (filter.since !== undefined && Date.parse(entry.time) < Date.parse(filter.since)) return false;
  if (filter.until !== undefined && Date.parse(entry.time) >= Date.parse(filter.until)) return false;
  const { target, commit, plan, finding, causedBy } = filter;
  if (entry.type === "newer") return [target, commit, plan, finding, causedBy].every((wanted) => wanted === undefined);
  return (
    (target === undefined || entry.target?.id === target) &&
    (commit === undefined || entry.commit === commit) &&
    (plan === undefined || entry.plan === plan) &&
    (finding === undefined || entry.finding?.fingerprint === finding) &&
    (causedBy === undefined || entry.causedBy === causedBy)
  );
}
