/** One file of the repository below the configured path, as it is in Git: nothing decoded, nothing followed. */
export interface SourceFile {
  /** Relative to the configured path, `/` between folders; never starts with `/`. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Git's octal file mode, e.g. `100644`; absent when the file did not come from Git. */
  readonly mode?: string;
}
