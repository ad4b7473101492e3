import type { Note } from "../note.ts";
import { isDefinitionFile, LINK, SUBMODULE, type SourceFile } from "../source.ts";
import { LIMITS } from "./limits.ts";

/** A definition file whose bytes are text. */
export interface SourceText {
  readonly file: string;
  readonly text: string;
}

/**
 * The definition files among `files`, sorted by path, as text.
 *
 * Definitions are `*.yaml` and `*.yml`. Folders named `schema` and folders that begin with a dot (`.github`) are left out, which is
 * noted; the folders that all files share do not count. What could hide definitions from us (a symbolic link, a submodule, an
 * upper-case suffix) is refused rather than left out.
 */
export function readSources(files: readonly SourceFile[]): {
  readonly sources: readonly SourceText[];
  readonly notes: readonly Note[];
} {
  const sources: SourceText[] = [];
  const root = sharedFolders(files);
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  const candidates = sorted.filter((file) => !isLeftOut(file.path, root));
  const notes: Note[] = sorted.filter((file) => isLeftOut(file.path, root) && isDefinitionFile(file.path)).map(leftOutNote);
  const problem = setProblem(candidates.filter((file) => isDefinitionFile(file.path)));
  if (problem !== undefined) return { sources, notes: [problem] };
  let previous: string | undefined;
  for (const file of candidates) {
    const note =
      file.path === previous
        ? fileNote(file, "duplicate-file", "the file is listed twice")
        : (nameProblem(file) ?? fileProblem(file));
    previous = file.path;
    if (note !== undefined) notes.push(note);
    if (note !== undefined || !isDefinitionFile(file.path)) continue;
    const text = decode(file);
    if (typeof text === "string") sources.push({ file: file.path, text });
    else notes.push(text);
  }
  return { sources, notes };
}

/** How many leading folders all paths have in common. */
function sharedFolders(files: readonly SourceFile[]): number {
  const [first = [], ...others] = files.map(({ path }) => path.split("/").slice(0, -1));
  let shared = first.length;
  for (const folders of others) {
    const differs = folders.findIndex((folder, index) => folder !== first[index]);
    shared = Math.min(shared, differs < 0 ? folders.length : differs);
  }
  return shared;
}

function isLeftOut(path: string, root: number): boolean {
  return path
    .split("/")
    .slice(root, -1)
    .some((folder) => folder === "schema" || folder.startsWith("."));
}

function leftOutNote(file: SourceFile): Note {
  const detail = "Folders named schema and folders that begin with a dot hold no definitions";
  return { ...fileNote(file, "left-out", "the file is not read", detail), severity: "info" };
}

function setProblem(definitions: readonly SourceFile[]): Note | undefined {
  if (definitions.length > LIMITS.files) {
    return {
      severity: "error",
      code: "too-many-files",
      summary: `${definitions.length} definition files; at most ${LIMITS.files}`,
      detail: "Put several definitions into one file, with --- between them",
    };
  }
  const bytes = definitions.reduce((sum, file) => sum + file.bytes.length, 0);
  if (bytes <= LIMITS.totalBytes) return undefined;
  return {
    severity: "error",
    code: "too-large",
    summary: `${bytes} bytes of definitions; at most ${LIMITS.totalBytes}`,
    detail: "Split the repository",
  };
}

/** A file name stands in every note about the file; it must not steer the terminal or the page that shows it. */
function nameProblem(file: SourceFile): Note | undefined {
  if (!isDefinitionFile(file.path) || !UNSEEN.test(file.path)) return undefined;
  const path = file.path.replace(UNSEEN_ALL, "\u{fffd}");
  return fileNote({ ...file, path }, "bad-file-name", "a file name with control characters", "Rename the file");
}

const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;
const UNSEEN_ALL = new RegExp(UNSEEN, "g");

function fileProblem(file: SourceFile): Note | undefined {
  if (file.mode === SUBMODULE) {
    return fileNote(file, "submodule", "a Git submodule", "What is in it would not be read; copy the definitions here");
  }
  if (file.mode === LINK) {
    return fileNote(file, "symlink", "a symbolic link", "Links are not followed; put the file itself here");
  }
  if (!isDefinitionFile(file.path)) {
    if (!/\.ya?ml$/i.test(file.path)) return undefined;
    return fileNote(
      file,
      "bad-suffix",
      "a definition file whose suffix is not in lower case",
      "Name it .yaml, or it would not be read",
    );
  }
  if (file.mode === "100755")
    return fileNote(file, "executable", "an executable file", "Remove the mode: git update-index --chmod=-x FILE");
  if (file.mode !== undefined && file.mode !== "100644") {
    return fileNote(file, "bad-mode", `a file of mode ${JSON.stringify(file.mode)}`, "Definitions are ordinary files (100644)");
  }
  if (file.bytes.length <= LIMITS.fileBytes) return undefined;
  return fileNote(
    file,
    "too-large",
    `a file of ${file.bytes.length} bytes; at most ${LIMITS.fileBytes}`,
    "Split it into several files",
  );
}

/** The text of a file, or why it is none. */
function decode(file: SourceFile): string | Note {
  const { bytes } = file;
  const [a, b, c] = bytes;
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff) || (a === 0xef && b === 0xbb && c === 0xbf)) {
    return fileNote(file, "byte-order-mark", "the file begins with a byte order mark", "Save it as UTF-8 without one");
  }
  const zero = bytes.indexOf(0);
  if (zero >= 0) {
    return noteAt(file, new TextDecoder().decode(bytes.subarray(0, zero)), "binary", "a binary file", "Definitions are UTF-8 text");
  }
  const valid = validLength(bytes);
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, valid));
  if (valid < bytes.length) return noteAt(file, text, "invalid-utf-8", "bytes that are not UTF-8", "Save the file as UTF-8");
  const hidden = HIDDEN.exec(text);
  if (hidden === null) return text;
  const code = `U+${hidden[0].codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")}`;
  const detail = "It could show a reviewer something else than is read; remove it";
  return noteAt(file, text.slice(0, hidden.index), "control-character", `the control character ${code}`, detail);
}

/** C0 without tab and line ends, DEL, C1, and what changes the direction or the visibility of text ("Trojan Source"). */
const HIDDEN = /[\u0001-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;

/** How many bytes from the start are valid UTF-8; by halving, since the decoder does not tell. */
function validLength(bytes: Uint8Array): number {
  if (isUtf8(bytes)) return bytes.length;
  let valid = 0;
  let invalid = bytes.length;
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >>> 1;
    if (isUtf8(bytes.subarray(0, middle), true)) valid = middle;
    else invalid = middle;
  }
  return valid;
}

function isUtf8(bytes: Uint8Array, mayEndEarly = false): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: mayEndEarly });
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

function fileNote(file: SourceFile, code: string, summary: string, detail?: string): Note {
  return { severity: "error", code, at: { file: file.path, line: 1, column: 1 }, summary, ...(detail !== undefined && { detail }) };
}

function noteAt(file: SourceFile, before: string, code: string, summary: string, detail: string): Note {
  const lines = before.split("\n");
  const at = { file: file.path, line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
  return { severity: "error", code, at, summary, detail };
}
