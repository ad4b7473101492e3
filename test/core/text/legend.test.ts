import { expect, it } from "vitest";
import type { Diff, DiffLine } from "../../../core/reach/diff-lines.ts";
import { noPorts } from "../../../core/address/ports.ts";
import { formatDiffTable } from "../../../core/text/diff.ts";
import { formatAnnotations } from "../../../core/text/annotations.ts";
import { legendOf } from "../../../core/text/legend.ts";

function diffWith(isObservedOnly: boolean, from: string): Diff {
  const line: DiffLine = {
    from,
    to: "db",
    fromFull: from,
    toFull: "db",
    isAnyFrom: false,
    isAnyTo: false,
    fromWorkloads: 1,
    toWorkloads: 1,
    workloads: 2,
    ports: "5432/tcp",
    portSet: noPorts,
    isObservedOnly,
    witness: { from, to: "db", port: 5432, protocol: "tcp" },
  };
  const counts = { openedCount: 1, closedCount: 0, unchangedCount: 0 };
  return { kind: "opens", opened: [line], closed: [], stays: [], ...counts, uncertain: [], notes: [] };
}

// Bug: "opens (observed)" is printed, and nothing on the way says what that means.
it("explains a mark once, where it is printed, and none that is not", () => {
  const table = formatDiffTable(diffWith(true, "web"));
  expect(table.match(/\(observed\): no rule allows it/g)).toHaveLength(1);
  expect(formatDiffTable(diffWith(false, "web"))).not.toContain("(observed)");
  expect(formatDiffTable(diffWith(false, "eu shop/web[Segment]"))).toContain("NAME[Segment]: made up");
  expect(legendOf("closes (was observed only) `web → db`")).toHaveLength(1);
  expect(legendOf("eu shop/web[Deployment]")).toEqual([]);
});

// Bug: one note twice at one line of a pull request.
it("an annotation stands there once", () => {
  const note = { severity: "warning", code: "c", summary: "s", at: { file: "a.yaml", line: 1, column: 1 } } as const;
  expect(formatAnnotations([note, { ...note }, { ...note, summary: "t" }]).split("\n")).toHaveLength(2);
});
