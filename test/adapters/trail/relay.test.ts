import { expect, test } from "vitest";
import { createMemoryTrail } from "../../../core/audit/memory.ts";
import { integratePending, type PendingRow, type PendingSource } from "../../../adapters/trail/relay.ts";

/** The table in memory. */
function pendingTable(rows: readonly PendingRow[]): PendingSource & { readonly seqs: Map<string, number>; isDown: boolean } {
  const seqs = new Map<string, number>();
  const table = {
    seqs,
    isDown: false,
    takePending: async (limit: number) => rows.filter(({ rowId }) => !seqs.has(rowId)).slice(0, limit),
    markIntegrated: async (marked: readonly { readonly rowId: string; readonly seq: number }[]) => {
      if (table.isDown) throw new Error("the store is gone");
      for (const { rowId, seq } of marked) seqs.set(rowId, seq);
    },
  };
  return table;
}

const row = (id: string): PendingRow => ({ rowId: `row-${id}`, input: { type: "freeze.started", id } });

test("rows are integrated in their order, at most the limit at once, and marked with their numbers", async () => {
  const trail = createMemoryTrail();
  const source = pendingTable(["a", "b", "c"].map(row));
  expect(await integratePending({ trail, source, limit: 2 })).toBe(2);
  expect(await integratePending({ trail, source, limit: 2 })).toBe(1);
  expect(await integratePending({ trail, source, limit: 2 })).toBe(0);
  expect([...source.seqs]).toEqual([
    ["row-a", 0],
    ["row-b", 1],
    ["row-c", 2],
  ]);
});

// Catches an entry that is logged twice because the store went away between appending and marking.
test("a row that was appended and not marked keeps its number", async () => {
  const trail = createMemoryTrail();
  const source = pendingTable(["a", "b"].map(row));
  source.isDown = true;
  await expect(integratePending({ trail, source })).rejects.toThrow("the store is gone");
  source.isDown = false;
  expect(await integratePending({ trail, source })).toBe(2);
  expect(trail.entries.map(({ id }) => id)).toEqual(["a", "b"]);
  expect(source.seqs.get("row-b")).toBe(1);
});

// Catches one bad row that holds up all others for ever, or that is dropped.
test("a row that does not parse is logged as it is, and the others go on", async () => {
  const trail = createMemoryTrail();
  const bad = { rowId: "x".repeat(500), input: { type: "teleport.started", id: "t" } };
  const source = pendingTable([row("a"), bad, row("b")]);
  expect(await integratePending({ trail, source })).toBe(3);
  expect(trail.entries.map(({ type }) => type)).toEqual(["freeze.started", "entry.unreadable", "freeze.started"]);
  expect(trail.entries[1]?.detail).toMatchObject({ rowId: bad.rowId, text: '{"type":"teleport.started","id":"t"}' });
});

test("nothing is marked when the trail refuses", async () => {
  const source = pendingTable([row("a")]);
  const trail = { append: async () => Promise.reject(new Error("disk full")) };
  await expect(integratePending({ trail, source })).rejects.toThrow("disk full");
  expect(source.seqs.size).toBe(0);
});
