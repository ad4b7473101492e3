import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeBundle, encodeBundle, hashesAtLevel, tilePath, tileWidth } from "../../../core/audit/tiles.ts";
import { levelCount } from "../../../core/audit/tree.ts";

// The examples of the tlog-tiles specification, and those where the groups of digits change.
test.each([
  ["entries", 1_234_067, 8, "tile/entries/x001/x234/067.p/8"],
  [0, 1_234_067, 256, "tile/0/x001/x234/067"],
  [0, 0, 256, "tile/0/000"],
  [3, 999, 1, "tile/3/999.p/1"],
  [1, 1000, 255, "tile/1/x001/000.p/255"],
  [0, 2 ** 33, 256, "tile/0/x008/x589/x934/592"],
] as const)("level %s, index %d, width %d lies at %s", (level, index, width, path) => {
  expect(tilePath(level, index, width)).toBe(path);
});

// Catches a path for nothing, e.g. `.p/0`, which would be an endless request to a server.
test.each([
  [-1, 1],
  [1.5, 1],
  [0, 0],
  [0, 257],
])("index %d with width %d has no path", (index, width) => {
  expect(() => tilePath(0, index, width)).toThrow(RangeError);
});

test("widths and levels of a tree", () => {
  expect([0, 1, 2, 3].map((level) => hashesAtLevel(level, 66_051))).toEqual([66_051, 258, 1, 0]);
  expect([tileWidth(0, 257, 66_051), tileWidth(0, 258, 66_051), tileWidth(0, 259, 66_051), tileWidth(1, 1, 66_051)]).toEqual([
    256, 3, 0, 2,
  ]);
  expect([0, 1, 255, 256, 65_536, 2 ** 40].map(levelCount)).toEqual([0, 1, 1, 2, 3, 6]);
  expect(() => levelCount(2 ** 53)).toThrow(RangeError);
});

test("a bundle gives back its entries, and only those", () => {
  const entries = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 });
  fc.assert(
    fc.property(entries, (list) => {
      const bundle = encodeBundle(list);
      expect(decodeBundle(bundle, list.length)?.map((entry) => [...entry])).toEqual(list.map((entry) => [...entry]));
      // Catches reading past the end, and something hidden behind the last entry.
      expect(decodeBundle(bundle, list.length + 1)).toBeUndefined();
      expect(decodeBundle(Buffer.concat([bundle, Buffer.from([0])]), list.length)).toBeUndefined();
      if (list.length > 0) expect(decodeBundle(bundle.subarray(0, -1), list.length)).toBeUndefined();
      if (list.length > 0) expect(decodeBundle(bundle, list.length - 1, false)).toHaveLength(list.length - 1);
    }),
  );
});

test("an entry of 65,535 bytes fits, one more does not", () => {
  expect(decodeBundle(encodeBundle([new Uint8Array(65_535)]), 1)?.[0]).toHaveLength(65_535);
  expect(() => encodeBundle([new Uint8Array(65_536)])).toThrow(RangeError);
});
