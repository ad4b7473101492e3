/** Pages that code names: a comment that sends its reader to a page that is not there is worse than none. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const PAGE = /[\w./-]*\w\.md\b/g;

/** What is comment in a line of TypeScript, shell or YAML; a text in quotes is none. */
function commentOf(line: string, file: string): string {
  if (/\.(?:sh|ya?ml)$/.test(file)) return /(?:^|\s)#(.*)$/.exec(line)?.[1] ?? "";
  if (/^\s*(?:\/\*\*?|\*)/.test(line)) return line;
  return /(?:^|[\s;{}(),])\/\/(.*)$/.exec(line)?.[1] ?? "";
}

function sources(): readonly string[] {
  const kinds = ["*.ts", "*.mts", "*.mjs", "*.sh", "*.yml", "*.yaml", "*.go"];
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", ...kinds], { cwd: ROOT });
  const names = listed.toString().split("\n");
  return names.filter((name) => name !== "" && !name.includes("/fixtures/") && !name.includes("golden/"));
}

// Bug: a comment names a page that was never in this repository, or that was renamed.
test("every page that a comment names is there", () => {
  const lost = sources().flatMap((file) =>
    readFileSync(join(ROOT, file), "utf8")
      .split("\n")
      .flatMap((line, index) =>
        (commentOf(line, file).match(PAGE) ?? [])
          .filter((page) => !existsSync(join(ROOT, page)) && !existsSync(join(ROOT, dirname(file), page)))
          .map((page) => `${file}:${index + 1} names ${page}`),
      ),
  );
  expect(lost).toEqual([]);
});

// Bug: a message of the program sends somebody to a page below docs/ or workflows/ that is not there.
test("every page below docs and workflows that code names in a text is there", () => {
  const lost = sources()
    .filter((file) => !file.startsWith("test/"))
    .flatMap((file) =>
      [...readFileSync(join(ROOT, file), "utf8").matchAll(/\b(?:docs|workflows)\/[\w./-]*\w\.md\b/g)]
        .map(([page]) => page)
        .filter((page) => !existsSync(join(ROOT, page)))
        .map((page) => `${file} names ${page}`),
    );
  expect(lost).toEqual([]);
});
