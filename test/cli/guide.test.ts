/** The guide: every block of it is run, here or in test/e2e/guide.test.ts, or says why it cannot be. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { ERRORS } from "../../core/ground/error.ts";
import { blocksOf, GUIDE, isAsPrinted, pagesOfGuide, problemOf, STORY, Typist } from "../support/guide-blocks.ts";

const pages = pagesOfGuide();

// Bug: a command that somebody added to a page and that nobody ever ran.
test.each(pages)("every block of %s is marked", (page) => {
  const problems = blocksOf(page).flatMap((block) => {
    const problem = problemOf(block);
    return problem === undefined ? [] : [`${block.at}: ${problem}`];
  });
  expect(problems).toEqual([]);
});

describe("commands that need no service do and print what the page says", () => {
  const alone = pages.filter((page) => !STORY.includes(page)).map((page): [string, readonly string[]] => [page, [page]]);
  const stories: readonly [string, readonly string[]][] = [["the story of the quick start", STORY], ...alone];
  const withCommands = stories.filter(([, names]) => names.flatMap((name) => blocksOf(name)).some(({ kind }) => kind === "run"));

  // Bug: an option is renamed, a message changes, a step needs another before it.
  test.each(withCommands)("%s", { timeout: 300_000 }, async (_name, names) => {
    await using typist = new Typist();
    const problems: string[] = [];
    for (const block of names.flatMap((name) => blocksOf(name)))
      if (block.kind === "run" || block.kind === "file") problems.push(...(await typist.type(block)));
    expect(problems).toEqual([]);
  });
});

// Bug: a code is added and nobody who meets it finds what to do; or the page tells of one that is gone.
test("troubleshooting.md has a line for each error code, and for no other", () => {
  const text = readFileSync(join(GUIDE, "troubleshooting.md"), "utf8");
  const told = [...text.matchAll(/^\| `([A-Z_]+)` \| \S/gm)].map(([, code]) => code);
  expect(told).toEqual(Object.keys(ERRORS).toSorted((a, b) => a.localeCompare(b)));
});

// Bug: a page is moved, and the guide leads nowhere.
test.each(pages)("the links of %s lead somewhere", (page) => {
  const text = readFileSync(join(GUIDE, page), "utf8");
  const links = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, link = ""]) => link);
  const lost = links.filter((link) => !/^https?:/.test(link) && !existsSync(join(GUIDE, dirname(page), link)));
  expect(lost).toEqual([]);
});

// Bug: the comparison takes everything for what the page says.
test("what is printed is compared line by line", () => {
  expect(isAsPrinted(["a", "…", "d"], "a\nb\nc\nd\n")).toBe(true);
  expect(isAsPrinted(["a …", "d"], "a b\nd\n")).toBe(true);
  expect(isAsPrinted(["a", "d"], "a\nb\nd\n")).toBe(false);
  expect(isAsPrinted(["…", "d."], "a\ndx\n")).toBe(false);
});
