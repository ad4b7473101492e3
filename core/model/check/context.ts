import type { Note, NoteSeverity } from "../note.ts";
import type { Heading, ParsedDefinition } from "../parse/definition.ts";
import type { Path, YamlDocument } from "../parse/document.ts";
import type { Nesting } from "../parse/nesting.ts";
import type { SegmentReference } from "../parse/references.ts";
import type { Kind } from "../schema/index.ts";

/** All definitions of a revision, before they are known to fit together. */
export interface DefinitionSet {
  /** Every document that says its kind, also those that do not fit their schema. */
  readonly headings: readonly Heading[];
  /** Those that fit, in order of file and line. */
  readonly definitions: readonly ParsedDefinition[];
  /** Segment names in rules, tests, members and claims, also in definitions that do not fit. */
  readonly references: readonly SegmentReference[];
  /** How segments nest. */
  readonly nesting: Nesting;
  /** Kinds of which every document fits: only of these can it be said that something is nowhere. */
  readonly wholeKinds: ReadonlySet<Kind>;
}

/** The parsed definitions of one kind. */
export function ofKind<K extends Kind>(set: DefinitionSet, kind: K): readonly Extract<ParsedDefinition, { readonly kind: K }>[] {
  return set.definitions.filter(
    (definition): definition is Extract<ParsedDefinition, { readonly kind: K }> => definition.kind === kind,
  );
}

/** A note at a place in a document. */
export function noteIn(
  document: YamlDocument,
  path: Path,
  severity: NoteSeverity,
  code: string,
  summary: string,
  detail?: string,
): Note {
  return { severity, code, at: document.at(path), summary, ...(detail !== undefined && { detail }) };
}

/** `file:line` of something in a document, for the text of a note about something else. */
export function placeOf(document: YamlDocument, path: Path): string {
  const { file, line } = document.at(path);
  return `${file}:${line}`;
}
