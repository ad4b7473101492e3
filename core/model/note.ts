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
