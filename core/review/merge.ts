import type { SourceFile } from "../model/source.ts";

/** The definitions as they would be after a merge; or the files that only a person can merge, sorted. */
export type MergedFiles =
  | { readonly kind: "merged"; readonly files: readonly SourceFile[] }
  | { readonly kind: "conflict"; readonly paths: readonly string[] };

/**
 * A three-way merge by whole files: what only one side changed since their common commit is taken from it.
 *
 * A file that both changed, and not to the same, is a conflict, also where Git would merge its lines: what such a merge says nobody
 * has planned. The author updates the branch, then it can be.
 */
export function mergeFiles(common: readonly SourceFile[], ours: readonly SourceFile[], theirs: readonly SourceFile[]): MergedFiles {
  const [before, left, right] = [byPath(common), byPath(ours), byPath(theirs)];
  const paths = [...new Set([...before.keys(), ...left.keys(), ...right.keys()])].sort();
  const files: SourceFile[] = [];
  const conflicts: string[] = [];
  for (const path of paths) {
    const [was, mine, other] = [before.get(path), left.get(path), right.get(path)];
    const isMineChanged = !isSameFile(was, mine);
    if (isMineChanged && !isSameFile(was, other) && !isSameFile(mine, other)) {
      conflicts.push(path);
      continue;
    }
    const merged = isMineChanged ? mine : other;
    if (merged !== undefined) files.push(merged);
  }
  return conflicts.length > 0 ? { kind: "conflict", paths: conflicts } : { kind: "merged", files };
}

/** True when two sets of files say the same, byte by byte, in the same modes. */
export function isSameFiles(a: readonly SourceFile[], b: readonly SourceFile[]): boolean {
  const others = byPath(b);
  return a.length === b.length && a.every((file) => isSameFile(file, others.get(file.path)));
}

function byPath(files: readonly SourceFile[]): ReadonlyMap<string, SourceFile> {
  return new Map(files.map((file) => [file.path, file]));
}

function isSameFile(a: SourceFile | undefined, b: SourceFile | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.mode === b.mode && a.bytes.length === b.bytes.length && a.bytes.every((byte, index) => byte === b.bytes[index]);
}
