import { expect, it } from "vitest";
import { formatTable } from "../../../core/ground/table.ts";

// Bug: `reach` of 500 workloads that differ ends in "Maximum call stack size exceeded".
it("a table may have more rows than a call may have arguments", () => {
  const rows = Array.from({ length: 300_000 }, (_, row) => [`c${row}`, "any"]);
  expect(formatTable(["src", "connection"], rows).split("\n").slice(0, 2)).toEqual(["SRC      CONNECTION", "c0       any"]);
});
