import fc from "fast-check";
import { expect, it } from "vitest";
import { noPorts, unionPorts } from "../../../core/address/ports.ts";
import { Partition } from "../../../core/reach/partition.ts";
import { ALL_PORTS, PortTable } from "../../../core/reach/port-table.ts";
import { RowSet } from "../../../core/reach/row-set.ts";

// would catch: two things that something tells apart in one part, or two that nothing does in two: pods that behave differently listed as one
it("things are of one part exactly when every value is the same", () => {
  const rows = fc
    .integer({ min: 1, max: 12 })
    .chain((size) => fc.array(fc.array(fc.nat({ max: 3 }), { minLength: size, maxLength: size }), { minLength: 1, maxLength: 6 }));
  fc.assert(
    fc.property(rows, fc.nat({ max: 2 }), (values, offset) => {
      const size = values[0]?.length ?? 0;
      const partition = new Partition(size);
      for (const row of values) partition.divide(Uint8Array.of(...Array.from({ length: offset }, () => 9), ...row), offset);
      const keys = Array.from({ length: size }, (_, thing) => values.map((row) => row[thing]).join());
      expect([...partition.firsts()]).toEqual(keys.map((key) => keys.indexOf(key)));
    }),
  );
});

// would catch: what was made of two numbers told for two others, once there are more sets of ports than fit into the quick table
it("sets of ports are joined the same, however many there are", () => {
  const table = new PortTable();
  const only = (port: number) => ({ ...noPorts, tcp: [port, port + 1] });
  const ids = Array.from({ length: 300 }, (_, index) => table.id(only(2 * index + 1)));
  for (const [a, b] of [
    [0, 1],
    [1, 0],
    [255, 256],
    [297, 298],
    [298, 297],
    [3, 299],
  ] as const) {
    for (let again = 0; again < 2; again += 1) {
      const joined = table.ports(table.union(ids[a] as number, ids[b] as number));
      expect(joined).toEqual(unionPorts(only(2 * a + 1), only(2 * b + 1)));
      expect(table.intersect(ids[a] as number, ids[b] as number)).toBe(0);
      expect(table.subtract(ids[a] as number, ids[b] as number)).toBe(ids[a]);
    }
  }
});

// would catch: a column of another source told for this one, at the borders of what is turned at once
it("rows are read by column as they were given, in any order of columns", () => {
  const rows = [3, 5, 7].map((factor) => Uint32Array.from({ length: 70 }, (_, column) => factor * 1000 + column));
  const set = new RowSet(70);
  const numbers = [null, ...rows].map((row) => set.number(row));
  expect(numbers.map((_, index) => set.number(index === 0 ? null : (rows[index - 1] ?? null)))).toEqual(numbers);
  for (const column of [0, 31, 32, 69, 64, 1, 63]) {
    const found = set.column(column);
    expect(numbers.map((number) => found[number])).toEqual([ALL_PORTS, 3000 + column, 5000 + column, 7000 + column]);
    expect(found[set.nothing]).toBe(0);
  }
});
