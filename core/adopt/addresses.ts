import { unusedName } from "../ground/unused-name.ts";
import type { Definitions } from "../model/kinds.ts";
import type { SourceFile } from "../model/source.ts";
import type { Said } from "../finding/adoption.ts";
import { newPath } from "./allow.ts";
import { withEdit, type FileEdit } from "./file.ts";

/** Addresses that no segment holds get a segment each, since rules name segments. */
export interface NamedAddresses {
  readonly files: readonly SourceFile[];
  readonly edits: readonly FileEdit[];
  /** The same with names in the place of addresses. */
  readonly rename: (said: Said) => Said;
}

/** Makes a segment, in a file of its own, for every address that stands for itself in what is to be said. */
export function addressSegments({ segments }: Definitions, files: readonly SourceFile[], said: readonly Said[]): NamedAddresses {
  const blocks = [...new Set(said.flatMap(({ from, to }) => [...from, ...to]))].filter((name) => /[.:]/.test(name)).sort();
  const beside = [...segments.values()][0]?.at.file ?? files[0]?.path ?? "policies/segment.yaml";
  const names = new Map<string, string>();
  const edits: FileEdit[] = [];
  let now = files;
  for (const block of blocks) {
    const plain = `adopted-${block.replaceAll(/[.:/]+/g, "-")}`.slice(0, 60).replace(/-+$/, "");
    const name = unusedName(plain, new Set([...segments.keys(), ...names.values()]));
    const after = `apiVersion: firebreak.dev/v1alpha1
kind: Segment
metadata: {name: ${name}}
spec:
  members:
    - addresses: ["${block}"]
`;
    const edit = { path: newPath(now, beside, name), before: "", after, what: `adds the segment ${name} for ${block}` };
    names.set(block, name);
    edits.push(edit);
    now = withEdit(now, edit);
  }
  const named = (list: readonly string[]): readonly string[] => list.map((name) => names.get(name) ?? name);
  return { files: now, edits, rename: ({ from, to, ports }) => ({ from: named(from), to: named(to), ports }) };
}
