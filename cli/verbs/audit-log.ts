import { matchesFilter, type EntryFilter } from "../../core/audit/filter.ts";
import type { StoredEntry } from "../../core/audit/entry.ts";
import { ENTRY_TYPES } from "../../core/audit/types.ts";
import { parseDurationMs } from "../../core/ground/duration.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { unknownTarget } from "../../core/model/unknown-name.ts";
import { didYouMean } from "../../core/model/parse/suggest.ts";
import { formatEntries, RevisionEffects } from "../../core/text/entries.ts";
import { auditFolder, readEntries, type FolderOptions } from "../audit-folder.ts";
import { printResult } from "../output.ts";
import type { OutputOptions } from "../tree/common.ts";

/** What `firebreak audit log` takes. */
export interface LogOptions extends FolderOptions, OutputOptions {
  readonly since?: string;
  readonly until?: string;
  readonly type?: string;
  readonly target?: string;
}

/** `firebreak audit log`. */
export async function auditLog(options: LogOptions): Promise<number> {
  const filter = filterOf(options, Date.now());
  const entries: StoredEntry[] = [];
  const targets = new Set<string>();
  const effects = new RevisionEffects();
  for await (const entry of readEntries(await auditFolder(options))) {
    if (entry.type !== "newer" && entry.target !== undefined) targets.add(entry.target.id);
    effects.add(entry);
    if (matchesFilter(entry, filter)) entries.push(entry);
  }
  if (options.target !== undefined && !targets.has(options.target)) throw unknownTarget(options.target, [...targets]);
  await printResult(options.output, entries, () => formatEntries(entries, effects));
  return 0;
}

function filterOf({ since, until, type, target }: LogOptions, now: number): EntryFilter {
  return {
    since: since === undefined ? undefined : moment(since, now),
    until: until === undefined ? undefined : moment(until, now),
    types: type?.split(",").map((name) => knownType(name.trim())),
    target,
  };
}

/** A time or an age, as ISO 8601. @throws FirebreakError USAGE */
function moment(text: string, now: number): string {
  const ageMs = parseDurationMs(text);
  const at = ageMs === undefined ? Date.parse(text) : now - ageMs;
  if (Number.isNaN(at))
    throw new FirebreakError("USAGE", `${JSON.stringify(text)} is neither a time (2026-11-21T08:00:00Z) nor an age (30m, 7d)`);
  return new Date(at).toISOString();
}

function knownType(name: string): string {
  if (Object.hasOwn(ENTRY_TYPES, name)) return name;
  const near = didYouMean(name, Object.keys(ENTRY_TYPES));
  throw new FirebreakError(
    "USAGE",
    `no entry has the type ${JSON.stringify(name)}. ${near ?? `There are ${Object.keys(ENTRY_TYPES).join(", ")}`}`,
  );
}
