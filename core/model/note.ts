/** A place in a definition file; lines and columns start at 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** How much a note matters: an error refuses the revision, a warning asks for a look, info only tells. */
export type NoteSeverity = "error" | "warning" | "info";

/**
 * A finding about somebody's input: what is wrong, where, and what to do.
 *
 * Notes are collected and reported all at once; they are values, never thrown.
 */
export interface Note {
  readonly severity: NoteSeverity;
  /** Stable, kebab-case; one per kind of finding, e.g. `unknown-key`. */
  readonly code: string;
  /** Where; absent when the note is about the set of files as a whole. */
  readonly at?: Position;
  /** One line, no trailing full stop, plain words: what is wrong. */
  readonly summary: string;
  /** What to do about it, in a sentence or two. */
  readonly detail?: string;
}

/** True when any of the notes refuses the revision. */
export function hasErrors(notes: readonly Note[]): boolean {
  return notes.some((note) => note.severity === "error");
}

/** `file:line:column`, or just the file or `-` when that is all there is. */
export function formatPosition(at: Position | undefined): string {
  return at === undefined ? "-" : `${at.file}:${at.line}:${at.column}`;
}

const SEVERITY_ORDER = { error: 0, warning: 1, info: 2 } as const satisfies Record<NoteSeverity, number>;

/** Orders by file, line and column; notes about the set of files come last, and at one place errors come first. */
export function compareNotes(a: Note, b: Note): number {
  return (
    compareText(a.at?.file ?? "\uffff", b.at?.file ?? "\uffff") ||
    (a.at?.line ?? 0) - (b.at?.line ?? 0) ||
    (a.at?.column ?? 0) - (b.at?.column ?? 0) ||
    SEVERITY_ORDER[a.severity] - SEVERITY_ORDER[b.severity] ||
    compareText(a.code, b.code) ||
    compareText(a.summary, b.summary)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
