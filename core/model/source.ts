/** A file of the repository as Git has it. */
export interface SourceFile {
  /** Relative to anything, with `/`; positions of notes begin with it. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Git's mode, such as `100644`; absent when the file does not come from Git. */
  readonly mode?: string | undefined;
}

/** How much the files of one commit, or of one folder, may ask of us: for everybody who reads definitions the same. */
export const COMMIT_LIMITS = {
  files: 5_000,
  folders: 5_000,
  fileBytes: 1024 * 1024,
  totalBytes: 64 * 1024 * 1024,
  depth: 32,
} as const;

/** Git's mode of a symbolic link. */
export const LINK = "120000";

/** Git's mode of a submodule: a commit of another repository. */
export const SUBMODULE = "160000";

/** True for the name of a file that holds definitions, wherever it stands. */
export function isDefinitionFile(path: string): boolean {
  return /\.ya?ml$/.test(path);
}

/** True for a file that decides what Git shows people of other files: in a work tree, in a diff, on a forge. What Git stores it leaves alone. */
export function isAttributesFile(path: string): boolean {
  return path === ".gitattributes" || path.endsWith("/.gitattributes");
}
