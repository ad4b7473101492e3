import type { Entry, StoredEntry } from "../audit/entry.ts";
import { formatTable } from "./table.ts";
import { visible } from "./visible.ts";

const SHORT_COMMIT = 10;

/** Entries of the audit log, one a line: number, time, type, target, and what it says. */
export function formatEntries(entries: readonly StoredEntry[]): string {
  if (entries.length === 0) return "no entries";
  return formatTable(["seq", "time", "type", "target", "what"], entries.map(entryCells));
}

function entryCells(entry: StoredEntry): readonly string[] {
  if (entry.type === "newer") {
    return [String(entry.seq), visible(entry.time), visible(entry.storedType), "", "of a newer version: -o json shows its fields"];
  }
  return [String(entry.seq), visible(entry.time), entry.type, visible(entry.target?.id ?? "-"), visible(entryWords(entry))];
}

/** The decision first (outcome, what opens and closes), then what it is about. */
function entryWords(entry: Entry): string {
  const { outcome, effect, finding, error, members, revision, commit, actor, causedBy, recovered } = entry;
  const parts = [
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
