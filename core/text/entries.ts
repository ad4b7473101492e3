import type { Entry, StoredEntry } from "../audit/entry.ts";
import { formatTable } from "../ground/table.ts";
import { visible } from "../ground/visible.ts";

const SHORT_COMMIT = 10;

/** What applying a revision opened and closed, over all targets. */
export interface RevisionEffect {
  readonly opened: number;
  readonly closed: number;
  /** Targets that it was applied to. */
  readonly targets: number;
}

/** By revision, from the first apply of each on each target: a repair later is no doing of the revision. */
export class RevisionEffects {
  readonly #seen = new Set<string>();
  readonly #effects = new Map<number, RevisionEffect>();

  /** To be called for every entry of the log, in order. */
  add(entry: StoredEntry): void {
    if (entry.type !== "apply.intent" || entry.revision === undefined || entry.effect === undefined) return;
    const key = `${entry.revision} ${entry.target?.id}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    const { opened, closed, targets } = this.of(entry.revision) ?? { opened: 0, closed: 0, targets: 0 };
    const { openedCount, closedCount } = entry.effect;
    this.#effects.set(entry.revision, { opened: opened + openedCount, closed: closed + closedCount, targets: targets + 1 });
  }

  of(revision: number): RevisionEffect | undefined {
    return this.#effects.get(revision);
  }
}

/** Entries of the audit log, one a line: number, time, type, target, and what it says; of a revision also its title, author and effect. */
export function formatEntries(entries: readonly StoredEntry[], effects: RevisionEffects = new RevisionEffects()): string {
  if (entries.length === 0) return "no entries";
  return formatTable(
    ["seq", "time", "type", "target", "what"],
    entries.map((entry) => entryCells(entry, effects)),
  );
}

function entryCells(entry: StoredEntry, effects: RevisionEffects): readonly string[] {
  if (entry.type === "newer") {
    return [String(entry.seq), visible(entry.time), visible(entry.storedType), "", "of a newer version: -o json shows its fields"];
  }
  return [
    String(entry.seq),
    visible(entry.time),
    entry.type,
    visible(entry.target?.id ?? "-"),
    visible(entryWords(entry, effects)),
  ];
}

/** The decision first (outcome, what opens and closes), then what it is about. */
function entryWords(entry: Entry, effects: RevisionEffects): string {
  const { outcome, effect, finding, error, members, revision, commit, actor, causedBy, recovered } = entry;
  const parts = [
    ...(entry.type === "revision.accepted" ? revisionWords(entry, effects) : []),
    outcome === undefined || outcome === "ok" ? undefined : outcome,
    recovered === true ? "recovered" : undefined,
    effect === undefined ? undefined : `opens ${effect.openedCount}, closes ${effect.closedCount}`,
    finding === undefined ? undefined : `${finding.kind}: ${finding.summary}`,
    error === undefined ? undefined : `${error.code}: ${error.messages[0] ?? ""}`,
    members === undefined ? undefined : `${members.added} addresses added, ${members.removed} removed`,
    revision === undefined ? undefined : `revision ${revision}`,
    commit === undefined ? undefined : `commit ${commit.slice(0, SHORT_COMMIT)}`,
    actor === undefined ? undefined : `by ${actor.id}`,
    causedBy === undefined ? undefined : `because of ${causedBy}`,
  ];
  return parts.filter((part) => part !== undefined).join(", ");
}

/** What was accepted, and what it came to. */
function revisionWords({ reason, detail, revision, pullRequest }: Entry, effects: RevisionEffects): readonly string[] {
  const effect = revision === undefined ? undefined : effects.of(revision);
  const author = detail?.["author"];
  return [
    ...(typeof reason === "string" ? [`"${reason}"`] : []),
    ...(typeof author === "string" ? [`written by ${author}`] : []),
    ...(pullRequest === undefined ? [] : [`pull request #${pullRequest.number}`]),
    ...(effect === undefined
      ? []
      : [`opened ${effect.opened}, closed ${effect.closed} on ${effect.targets} target${effect.targets === 1 ? "" : "s"}`]),
  ];
}
