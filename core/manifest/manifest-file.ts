import type { Note, Position } from "../model/note.ts";

/** Keys and list indices from the root of a document. */
export type Path = readonly (string | number)[];

/** One YAML or JSON document of a manifest file. */
export interface ManifestDocument {
  readonly file: string;
  readonly value: unknown;
  /** The place of what is at `path`, or of its nearest parent that exists. */
  readonly at: (path: Path) => Position;
  /** What the author wrote for the number or word at `path`; undefined for everything else. */
  readonly written: (path: Path) => string | undefined;
  /** False where no number can begin with a zero. */
  readonly hasLeadingZeros: boolean;
}

/** What one file holds; with an error among the notes, what the file means is not known. */
export interface ManifestFile {
  readonly documents: readonly ManifestDocument[];
  readonly notes: readonly Note[];
}
