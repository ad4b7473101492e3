import { checkAddresses } from "./check/addresses.ts";
import { checkAllow } from "./check/allow.ts";
import type { Allow } from "./check/allow.ts";
import type { DefinitionSet } from "./check/context.ts";
import { checkNames } from "./check/names.ts";
import { checkNesting } from "./check/nesting.ts";
import { checkPolicies } from "./check/policies.ts";
import { checkRedundant } from "./check/redundant.ts";
import { checkReferences } from "./check/references.ts";
import { checkRules } from "./check/rules.ts";
import { checkSegments } from "./check/segments.ts";
import { checkTargets } from "./check/targets.ts";
import { checkUsage } from "./check/usage.ts";
import type { Definitions } from "./kinds.ts";
import { compareNotes, hasErrors } from "./note.ts";
import type { Note } from "./note.ts";
import { readAttributes } from "./parse/attributes.ts";
import { readDefinition } from "./parse/definition.ts";
import type { Reading } from "./parse/definition.ts";
import { readDocuments } from "./parse/document.ts";
import { LIMITS } from "./parse/limits.ts";
import { nestingOf } from "./parse/nesting.ts";
import { normalise } from "./parse/normalise.ts";
import { referencesOf } from "./parse/references.ts";
import { readSources } from "./parse/source.ts";
import type { SourceText } from "./parse/source.ts";
import { SCHEMAS } from "./schema/index.ts";
import type { Kind } from "./schema/index.ts";
import type { SourceFile } from "./source.ts";

export type { Allow } from "./check/allow.ts";
export type { SourceFile } from "./source.ts";

/** What files say: the definitions unless any note is an error, and all notes by place. */
export interface ParsedDefinitions {
  readonly definitions: Definitions | undefined;
  readonly notes: readonly Note[];
}

/**
 * The definitions in the files of a repository.
 *
 * Never throws for what files hold: every problem is a note, all at once, in order of file and place whatever the order of the
 * files. Without `allow` (offline) definitions may name any context, host and user.
 */
export function parseDefinitions(
  files: readonly SourceFile[],
  options: { readonly allow?: Allow | undefined } = {},
): ParsedDefinitions {
  const { sources, notes: sourceNotes } = readSources(files);
  const { attributes, notes: attributeNotes } = readAttributes(files);
  const read = readFiles(sources);
  const readings = read.flatMap(({ readings: some }) => some);
  const set = definitionSet(readings, hasErrors(sourceNotes));
  const notes = [
    ...sourceNotes,
    ...attributeNotes,
    ...read.flatMap((file) => file.notes),
    ...documentLimitNotes(readings),
    ...checkNames(set),
    ...checkReferences(set),
    ...checkNesting(set),
    ...checkUsage(set),
    ...checkRules(set),
    ...checkRedundant(set),
    ...checkSegments(set),
    ...checkPolicies(set),
    ...checkTargets(set),
    ...checkAddresses(set),
    ...(options.allow === undefined ? [] : checkAllow(set, options.allow)),
  ];
  const definitions = hasErrors(notes) ? undefined : normalise(set.definitions, attributes);
  return { definitions, notes: boundNotes(notes) };
}

interface FileReading {
  readonly readings: readonly Reading[];
  readonly notes: readonly Note[];
}

/** Every file, or as many as it takes to pass the limit of definitions. */
function readFiles(sources: readonly SourceText[]): readonly FileReading[] {
  const files: FileReading[] = [];
  let count = 0;
  for (const source of sources) {
    if (count > LIMITS.documents) break;
    const file = readFile(source);
    count += file.readings.length;
    files.push(file);
  }
  return files;
}

function readFile(source: SourceText): FileReading {
  const { documents, notes } = readDocuments(source);
  const readings = documents.map(readDefinition);
  const empty: Note = {
    severity: "info",
    code: "no-definition",
    at: { file: source.file, line: 1, column: 1 },
    summary: "the file holds no definition",
  };
  const isEmpty = documents.length === 0 && notes.length === 0;
  return { readings, notes: isEmpty ? [empty] : [...notes, ...readings.flatMap((reading) => reading.notes)] };
}

function definitionSet(readings: readonly Reading[], isPartial: boolean): DefinitionSet {
  const headings = readings.flatMap(({ heading }) => (heading === undefined ? [] : [heading]));
  const definitions = readings.flatMap(({ definition }) => (definition === undefined ? [] : [definition]));
  const broken = new Set(readings.filter(({ definition }) => definition === undefined).map(({ heading }) => heading?.kind));
  const isWhole = (kind: Kind) => !isPartial && !broken.has(kind) && !broken.has(undefined);
  const wholeKinds = new Set((Object.keys(SCHEMAS) as Kind[]).filter(isWhole)); // the keys of a constant table
  const nesting = nestingOf(definitions.filter((definition) => definition.kind === "Segment"));
  return { headings, definitions, references: headings.flatMap(referencesOf), nesting, wholeKinds };
}

function documentLimitNotes(readings: readonly Reading[]): readonly Note[] {
  if (readings.length <= LIMITS.documents) return [];
  const summary = `more than ${LIMITS.documents} definitions`;
  return [
    {
      severity: "error",
      code: "too-many-definitions",
      summary,
      detail: "Put rules of one owner into one policy, or split the repository",
    },
  ];
}

/** Sorted, and cut where a file or the whole says too much; what is cut is counted, and is an error when any of it was. */
function boundNotes(notes: readonly Note[]): readonly Note[] {
  const sorted = [...notes].sort(compareNotes);
  const perFile = new Map<string, number>();
  const kept: Note[] = [];
  const cut: Note[] = [];
  for (const note of [...sorted.filter(isError), ...sorted.filter((other) => !isError(other))]) {
    if (note.at === undefined) {
      kept.push(note); // few, and about everything
      continue;
    }
    const { file } = note.at;
    const count = perFile.get(file) ?? 0;
    perFile.set(file, count + 1);
    (count < LIMITS.notesPerFile && kept.length < LIMITS.notes ? kept : cut).push(note);
  }
  if (cut.length === 0) return sorted;
  const severity = cut.some(isError) ? "error" : "info";
  const summary = `${cut.length} more notes are not shown`;
  return [...kept.sort(compareNotes), { severity, code: "more-notes", summary, detail: "Correct the ones above first" }];
}

function isError(note: Note): boolean {
  return note.severity === "error";
}
