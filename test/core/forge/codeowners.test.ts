import { describe, expect, it } from "vitest";
import { ownersOf, parseCodeowners } from "../../../core/forge/codeowners.ts";

function owners(text: string, ...paths: readonly string[]): readonly string[] {
  return ownersOf(parseCodeowners(text), paths);
}

describe("patterns, as GitHub documents them", () => {
  it.each([
    ["* @all", "any/where.yaml", true],
    ["*.js @a", "deep/in/x.js", true],
    ["*.js @a", "x.jsx", false],
    ["/build/logs/ @a", "build/logs/today/x", true],
    ["/build/logs/ @a", "src/build/logs/x", false],
    ["docs/* @a", "docs/start.md", true],
    ["docs/* @a", "docs/build/start.md", false],
    ["apps/ @a", "any/apps/x", true],
    ["/docs/ @a", "docs/deep/x", true],
    ["/docs/ @a", "other/docs/x", false],
    ["/scripts/ @a", "scripts/x", true],
    ["**/logs @a", "build/logs/x", true],
    ["**/logs @a", "logs/x", true],
    ["/apps/**/web @a", "apps/a/b/web/x", true],
    ["/apps/**/web @a", "apps/web", true],
    ["policies/** @a", "policies/a/b.yaml", true],
    ["policies @a", "policies/a/b.yaml", true],
    ["/policies @a", "policies/a.yaml", true],
    ["a?.yaml @a", "ab.yaml", true],
    ["a?.yaml @a", "a/.yaml", false],
    ["a.yaml @a", "aXyaml", false],
    ["with\\ blank.yaml @a", "with blank.yaml", true],
  ])("%j on %j: %j", (text, path, isOwned) => {
    expect(owners(text, path)).toHaveLength(isOwned ? 1 : 0);
  });
});

describe("rules", () => {
  it("the last one that matches wins, also one without owners (the bug: the first one, or all of them)", () => {
    const text = "* @all\n/policies/ @sec ann@example.org # both\n/policies/free/\n";
    expect(owners(text, "README.md")).toEqual(["@all"]);
    expect(owners(text, "policies/a.yaml")).toEqual(["@sec", "ann@example.org"]);
    expect(owners(text, "policies/free/a.yaml")).toEqual([]);
    expect(owners(text, "policies/a.yaml", "README.md", "policies/b.yaml")).toEqual(["@sec", "ann@example.org", "@all"]);
  });

  it("what GitHub does not support is skipped: negation, character ranges, escaped hash signs; comments and blank lines too", () => {
    expect(parseCodeowners("# x\n\n!a @x\n[ab].md @x\n\\#a @x\n  \n/a @org/team\r\n")).toEqual([
      { line: 7, pattern: "/a", owners: ["@org/team"] },
    ]);
  });

  it("a hostile pattern costs no time (the bug: exponential matching)", () => {
    expect(owners(`${"*a".repeat(12)} @x`, `${"a".repeat(60)}b`)).toEqual([]);
    expect(owners(`${"*".repeat(5_000)}b @x`, "a".repeat(500))).toEqual([]);
  });
});
