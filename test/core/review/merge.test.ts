import { describe, expect, it } from "vitest";
import type { SourceFile } from "../../../core/model/source.ts";
import { isSameFiles, mergeFiles } from "../../../core/review/merge.ts";

/** Files by path; `path!` is executable. */
function files(entries: Readonly<Record<string, string>>): readonly SourceFile[] {
  return Object.entries(entries).map(([path, text]) => ({
    path: path.replace("!", ""),
    bytes: Buffer.from(text),
    mode: path.endsWith("!") ? "100755" : "100644",
  }));
}

type Case = readonly [
  common: Record<string, string>,
  ours: Record<string, string>,
  theirs: Record<string, string>,
  expected: Record<string, string> | readonly string[],
];

/** A list: conflicts. */
const CASES: Readonly<Record<string, Case>> = {
  "nothing changed": [{ a: "1" }, { a: "1" }, { a: "1" }, { a: "1" }],
  "only theirs changed": [{ a: "1" }, { a: "1" }, { a: "2" }, { a: "2" }],
  "only ours changed": [{ a: "1" }, { a: "2" }, { a: "1" }, { a: "2" }],
  "both to the same": [{ a: "1" }, { a: "2" }, { a: "2" }, { a: "2" }],
  "both, otherwise": [{ a: "1" }, { a: "2" }, { a: "3" }, ["a"]],
  "each another file": [
    { a: "1", b: "1" },
    { a: "2", b: "1" },
    { a: "1", b: "2" },
    { a: "2", b: "2" },
  ],
  "added by theirs": [{}, {}, { a: "1" }, { a: "1" }],
  "added by both, otherwise": [{}, { a: "1" }, { a: "2" }, ["a"]],
  "removed by theirs": [{ a: "1" }, { a: "1" }, {}, {}],
  "removed by ours, changed by theirs": [{ a: "1" }, {}, { a: "2" }, ["a"]],
  "removed by both": [{ a: "1" }, {}, {}, {}],
  "a mode that changed counts": [{ a: "1" }, { a: "1" }, { "a!": "1" }, { "a!": "1" }],
  "a mode and a text": [{ a: "1" }, { a: "2" }, { "a!": "1" }, ["a"]],
};

describe("a merge in thought", () => {
  // Would catch: a plan of something that the forge's merge does not make, e.g. changes of the branch lost.
  it.each(Object.entries(CASES))("%s", (_title, [common, ours, theirs, expected]) => {
    const merged = mergeFiles(files(common), files(ours), files(theirs));
    if (Array.isArray(expected)) expect(merged).toEqual({ kind: "conflict", paths: expected });
    else expect(merged).toEqual({ kind: "merged", files: files(expected as Record<string, string>) });
  });

  it("tells sets of files apart by a byte, a mode and a file more", () => {
    const one = files({ a: "1", b: "2" });
    expect(isSameFiles(one, files({ b: "2", a: "1" }))).toBe(true);
    for (const other of [{ a: "1" }, { a: "1", b: "3" }, { a: "1", "b!": "2" }, { a: "1", b: "2", c: "" }])
      expect(isSameFiles(one, files(other as unknown as Record<string, string>))).toBe(false);
  });
});
