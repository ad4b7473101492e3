import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const PAGE = readFileSync(join(ROOT, "docs/design/security.md"), "utf8");

/** The last cell of every row, with the row's first cell; heads of tables have no test. */
const ROWS = PAGE.split("\n")
  .filter((line) => line.startsWith("| ") && !line.endsWith("| test |"))
  .map((line) => line.slice(2, -2).split(" | "))
  .map((cells) => [cells[0] ?? "", cells.at(-1) ?? ""] as const);

/** Files that a cell names, each with the names of tests or groups that are said to be in it: `FILE › NAME; › NAME; FILE …`. */
function referencesOf(cell: string): readonly (readonly [string, readonly string[]])[] {
  return cell
    .replaceAll("`", "")
    .split(/(?=\btest\/)/)
    .map((part) => {
      const [file = "", ...names] = part.split("›").map((text) => text.replace(/[\s;]+$/, "").trim());
      return [file, names] as const;
    });
}

/** As it stands in the page: without the marks that a source text needs. */
function plain(source: string): string {
  return source.replace(/[`\\]/g, "");
}

describe("the page of the security review", () => {
  // Would catch: a row that rests on a test which was renamed, or never was.
  it.each(ROWS)("names tests that exist: %s", (_, cell) => {
    if (cell.startsWith("none")) return;
    const missing = referencesOf(cell).flatMap(([file, names]) => {
      const path = join(ROOT, file);
      if (!file.startsWith("test/") || !existsSync(path)) return [`no file: ${file}`];
      const source = statSync(path).isFile() ? plain(readFileSync(path, "utf8")) : "";
      return names.filter((name) => !source.includes(name.replace(/…$/, ""))).map((name) => `${file}: ${name}`);
    });
    expect(missing).toEqual([]);
  });

  it("has rows, and each finding once", () => {
    const ids = ROWS.map(([id]) => id).filter((id) => /^[A-Z]\d+$/.test(id));
    expect(ids.length).toBeGreaterThan(30);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
