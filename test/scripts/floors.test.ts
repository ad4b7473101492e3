/** The floors of core, over the whole graph of imports: what a rule on single lines cannot see. */
import { globSync, readFileSync } from "node:fs";
import { join, posix, resolve } from "node:path";
import { expect, test } from "vitest";
import { FLOORS } from "../../scripts/lint/areas.mjs";

const root = resolve(import.meta.dirname, "../..");
const files = globSync("core/**/*.ts", { cwd: root });
const folderOf = (file: string): string => file.split("/")[1] ?? "";

/** file → what it imports, types too */
const imports = new Map(
  files.map((file) => {
    const sources = readFileSync(join(root, file), "utf8").matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g);
    return [file, [...sources].map(([, source]) => posix.normalize(posix.join(posix.dirname(file), source ?? "")))];
  }),
);

// Bug: a new folder without a floor, or a floor of a folder that is gone: the rule holds nothing for it.
test("every folder of core has one floor, and ARCHITECTURE.md tells them in that order", () => {
  expect([...FLOORS].toSorted()).toEqual([...new Set(files.map(folderOf))].toSorted());
  const table = readFileSync(join(root, "ARCHITECTURE.md"), "utf8").matchAll(/^\| `core\/(\w+)` \|/gm);
  expect([...table].map(([, folder]) => folder)).toEqual(FLOORS);
});

// Bug: a reader of rules learns from their writer through a third folder; both then agree on the same mistake.
test.each([
  ["intent", ["compile", "render"]],
  ["enforced", ["compile", "render", "plan"]],
  ["verdict", ["compile", "render"]],
])("core/%s does not come to know core/%j through anybody", (folder, others) => {
  const cameFrom = new Map<string, string>();
  const queue = files.filter((file) => folderOf(file) === folder);
  for (const file of queue)
    for (const next of imports.get(file) ?? [])
      if (!cameFrom.has(next)) {
        cameFrom.set(next, file);
        queue.push(next);
      }
  const known = queue.filter((file) => others.includes(folderOf(file))).map((file) => `${file} through ${cameFrom.get(file)}`);
  expect(known).toEqual([]);
  expect(queue.length).toBeGreaterThan(20); // the walk walks
});
