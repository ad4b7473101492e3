/** A file of the repository as Git has it. */
export interface SourceFile {
  /** Relative to anything, with `/`; positions of notes begin with it. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Git's mode, such as `100644`; absent when the file does not come from Git. */
  readonly mode?: string | undefined;
}
