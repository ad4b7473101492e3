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

const now = Date.UTC(2026, 10, 30);
const row = (id: string, more: object = {}, writer?: string): PendingRow => ({
  rowId: `row-${id}`,
  input: { type: "auth.denied", id, ...more },
  writer,
});

test("rows are integrated in their order, at most the limit at once, and marked with their numbers", async () => {
  const trail = createMemoryTrail();
  const source = pendingTable(["a", "b", "c"].map((id) => row(id)));
  expect(await integratePending({ trail, source, now, limit: 2 })).toBe(2);
  expect(await integratePending({ trail, source, now, limit: 2 })).toBe(1);
  expect(await integratePending({ trail, source, now, limit: 2 })).toBe(0);
  expect([...source.seqs]).toEqual([
    ["row-a", 0],
    ["row-b", 1],
    ["row-c", 2],
  ]);
});

// Catches an entry that is logged twice because the store went away between appending and marking.
test("a row that was appended and not marked keeps its number", async () => {
  const trail = createMemoryTrail();
  const source = pendingTable(["a", "b"].map((id) => row(id)));
  source.isDown = true;
  await expect(integratePending({ trail, source, now })).rejects.toThrow("the store is gone");
  source.isDown = false;
  expect(await integratePending({ trail, source, now })).toBe(2);
  expect(trail.entries.map(({ id }) => id)).toEqual(["a", "b"]);
  expect(source.seqs.get("row-b")).toBe(1);
});

// Catches one bad row that holds up all others for ever, or that is dropped.
test("a row that does not parse is logged as it is, and the others go on", async () => {
  const trail = createMemoryTrail();
  const bad = { rowId: "x".repeat(500), input: { type: "teleport.started", id: "t" }, writer: undefined };
  const source = pendingTable([row("a"), bad, row("b")]);
  expect(await integratePending({ trail, source, now })).toBe(3);
  expect(trail.entries.map(({ type }) => type)).toEqual(["auth.denied", "entry.unreadable", "auth.denied"]);
  expect(trail.entries[1]?.detail).toMatchObject({ rowId: bad.rowId, text: '{"type":"teleport.started","id":"t"}' });
});

test("nothing is marked when the trail refuses", async () => {
  const source = pendingTable([row("a")]);
  const trail = { append: async () => Promise.reject(new Error("disk full")) };
  await expect(integratePending({ trail, source, now })).rejects.toThrow("disk full");
  expect(source.seqs.size).toBe(0);
});

// Would catch: whoever has the database has an acceptance, an approval or an outcome signed, which the next start obeys.
test("what is decided or done is taken over from nobody, nor what speaks for a person or comes from the future", async () => {
  const trail = createMemoryTrail();
  const source = pendingTable([
    row("r", { type: "revision.accepted", commit: "c".repeat(40), revision: 2, origin: { service: "syncer", instance: "i" } }),
    row("p", { actor: { kind: "person", id: "rik" } }),
    row("t", { time: "2026-12-24T00:00:00.000Z" }),
    row("f", { actor: { kind: "system", id: "drift" }, time: "2026-11-29T00:00:00.000Z" }),
  ]);
  expect(await integratePending({ trail, source, now })).toBe(4);
  expect(trail.entries.map(({ type }) => type)).toEqual([
    "entry.unreadable",
    "entry.unreadable",
    "entry.unreadable",
    "auth.denied",
  ]);
  expect(trail.entries[0]?.detail).toMatchObject({ why: expect.stringContaining("revision.accepted") });
  expect(trail.entries[1]?.detail).toMatchObject({ why: expect.stringContaining("rik") });
});

// Would catch: a row that says it was written by the syncer.
test("the origin is the role that the table itself names", async () => {
  const trail = createMemoryTrail();
  const source = pendingTable([row("a", { origin: { service: "syncer", instance: "i" } }, "firebreak_drift")]);
  await integratePending({ trail, source, now });
  expect(trail.entries[0]?.origin).toEqual({ service: "relayed", instance: "firebreak_drift" });
});
