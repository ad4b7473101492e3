import type { Note } from "../note.ts";
import { isAttributesFile, LINK, SUBMODULE, type SourceFile } from "../source.ts";

/** What `.gitattributes` among the definitions say, by path, without comments and empty lines; and that they are there. */
export function readAttributes(files: readonly SourceFile[]): {
  readonly attributes: ReadonlyMap<string, string>;
  readonly notes: readonly Note[];
} {
  const found = files.filter(({ path, mode }) => isAttributesFile(path) && mode !== LINK && mode !== SUBMODULE);
  return { attributes: new Map(found.map((file) => [file.path, linesOf(file)])), notes: found.map(note) };
}

function linesOf({ bytes }: SourceFile): string {
  return new TextDecoder()
    .decode(bytes)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .join("\n");
}

function note({ path }: SourceFile): Note {
  return {
    severity: "info",
    code: "git-attributes",
    at: { file: path, line: 1, column: 1 },
    summary: "it decides what people see of the files here, in a work tree and in a diff, and not what is read",
    detail: "Definitions are read as Git stores them. Check a commit with --at",
  };
}
