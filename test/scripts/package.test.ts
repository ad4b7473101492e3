/** What `npm pack` puts into the package: its documents lead somewhere for somebody who has nothing but the package. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

interface Packed {
  readonly files: readonly { readonly path: string }[];
}

/** Paths in the package, without what is built (dist). */
function packedFiles(): readonly string[] {
  const npm = ["pack", "--dry-run", "--json", "--ignore-scripts", "--loglevel=error"];
  const [packed] = JSON.parse(execFileSync("npm", npm, { cwd: ROOT }).toString()) as readonly Packed[];
  return (packed?.files ?? []).map(({ path }) => path);
}

// Bug: a link in the README of the package, or in a page that an error message names, to a file that only a clone has.
test("every relative link in a packed page leads to a file of the package", { timeout: 60_000 }, () => {
  const files = packedFiles();
  const there = new Set(files.flatMap((path) => [path, ...foldersAbove(path)]));
  const pages = files.filter((path) => path.endsWith(".md"));
  expect(pages).toEqual(
    expect.arrayContaining(["README.md", "docs/guide/README.md", "docs/reference/settings.md", "docs/reference/errors.md"]),
  );
  const lost = pages.flatMap((page) => {
    const text = readFileSync(join(ROOT, page), "utf8").replaceAll(/^\s*```.*?^\s*```/gms, "");
    const links = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, link = ""]) => link);
    return links
      .filter(
        (link) =>
          !/^(?:https?|mailto):/.test(link) && !there.has(posix.normalize(posix.join(dirname(page), link)).replace(/\/$/, "")),
      )
      .map((link) => `${page} links ${link}`);
  });
  expect(lost).toEqual([]);
});

function foldersAbove(path: string): readonly string[] {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}

// Bug: a page of the package tells of a version that is not the one in it.
test("the changelog begins with this version, and the workflows install it", () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { readonly version: string };
  const versions = [...readFileSync(join(ROOT, "CHANGELOG.md"), "utf8").matchAll(/^## \[(\d[^\]]*)\]/gm)].map(([, name]) => name);
  expect(versions[0]).toBe(version);
  for (const page of ["workflows/README.md", "docs/guide/quick-start.md"]) {
    const named = [...readFileSync(join(ROOT, page), "utf8").matchAll(/firebreak-(\d+\.\d+\.\d+)\.tgz/g)].map(([, name]) => name);
    expect(new Set(named)).toEqual(new Set([version]));
  }
});
