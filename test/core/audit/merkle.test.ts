import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  EMPTY_ROOT,
  type Hash,
  leafHash,
  nodeHash,
  splitPoint,
  treeRoot,
  verifyConsistency,
  verifyInclusion,
} from "../../../core/audit/merkle.ts";
import { proveConsistency, proveInclusion } from "../../../core/audit/prove.ts";
import type { LogReader } from "../../../core/audit/reader.ts";
import { tilePath } from "../../../core/audit/tiles.ts";
import { EMPTY_EDGE, edgeRoot, encodeTile, growTree, partialTiles, type Tile } from "../../../core/audit/tree.ts";

const hex = (hash: Hash | undefined): string => Buffer.from(hash ?? []).toString("hex");
const bytes = (text: string): Uint8Array => Buffer.from(text, "hex");

// The eight leaves and the roots of each prefix that the reference implementations of RFC 6962 (certificate-transparency,
// trillian, transparency-dev/merkle) test with.
const LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"].map(bytes);
const ROOTS = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

const leavesOf = (size: number): Hash[] => Array.from({ length: size }, (_, index) => leafHash(Buffer.from(`entry ${index}`)));

/** The tiles of a tree in memory. */
function tilesOf(leaves: readonly Hash[]): LogReader {
  const grown = growTree(EMPTY_EDGE, leaves);
  const files = new Map<string, Uint8Array>();
  const add = ({ level, index, hashes }: Tile): void => void files.set(tilePath(level, index, hashes.length), encodeTile(hashes));
  [...grown.completed, ...partialTiles(grown.edge)].forEach(add);
  return { readFile: async (path) => files.get(path) };
}

describe("roots", () => {
  // Catches a swapped prefix, a wrong split or a wrong empty root: nobody else could verify the log.
  test.each(ROOTS.map((root, size) => ({ size, root })))(
    "the tree of $size entries has the root of the reference vectors",
    ({ size, root }) => {
      const leaves = LEAVES.slice(0, size).map(leafHash);
      expect(hex(treeRoot(leaves))).toBe(root);
      expect(hex(edgeRoot(growTree(EMPTY_EDGE, leaves).edge))).toBe(root);
    },
  );

  // Catches a tile that is carried up wrongly where a level fills: 256 and 65,536.
  test("the growing edge has the root of the definition, in whatever batches it grew", () => {
    const leaves = leavesOf(1100);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 5 }), (batches) => {
        let edge = EMPTY_EDGE;
        for (const batch of batches) edge = growTree(edge, leaves.slice(edge.size, edge.size + batch)).edge;
        expect(hex(edgeRoot(edge))).toBe(hex(treeRoot(leaves.slice(0, edge.size))));
      }),
      { numRuns: 40 },
    );
  });

  test("three levels of tiles: 65,793 entries", () => {
    const leaves = leavesOf(65_536 + 257);
    const { edge, completed } = growTree(EMPTY_EDGE, leaves);
    expect(edge.levels.map((hashes) => hashes.length)).toEqual([1, 1, 1]);
    expect(completed.filter(({ level }) => level === 1)).toHaveLength(1);
    expect(completed.at(-1)).toMatchObject({ level: 0, index: 256 });
    expect(hex(edgeRoot(edge))).toBe(hex(treeRoot(leaves)));
  });
});

describe("proofs", () => {
  const leaves = leavesOf(600);
  const reader = tilesOf(leaves);
  const rootAt = leaves.map((_, size) => treeRoot(leaves.slice(0, size)));
  const sizes = fc
    .tuple(fc.integer({ min: 0, max: 599 }), fc.integer({ min: 0, max: 599 }))
    .map((pair) => pair.toSorted((a, b) => a - b));

  // Catches a log whose earlier checkpoints can no longer be shown to be part of it.
  test("every prefix is consistent with every longer prefix", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async ([before = 0, after = 0]) => {
        const proof = await proveConsistency(tilesOf(leaves.slice(0, after)), before, after);
        const [oldRoot = EMPTY_ROOT, newRoot = EMPTY_ROOT] = [rootAt[before], rootAt[after]];
        expect(verifyConsistency(before, after, oldRoot, newRoot, proof)).toBe(true);
        if (before > 0 && before < after) {
          expect(verifyConsistency(before, after, leafHash(oldRoot), newRoot, proof)).toBe(false);
          expect(verifyConsistency(before, after, oldRoot, leafHash(newRoot), proof)).toBe(false);
          expect(verifyConsistency(before, after, oldRoot, newRoot, proof.slice(1))).toBe(false);
          expect(verifyConsistency(before, after, oldRoot, newRoot, [...proof, newRoot])).toBe(false);
        }
      }),
      { numRuns: 150 },
    );
  });

  test("all small prefixes", async () => {
    for (let after = 0; after <= 20; after++) {
      for (let before = 0; before <= after; before++) {
        const proof = await proveConsistency(reader20(after), before, after);
        expect(verifyConsistency(before, after, rootAt[before] ?? EMPTY_ROOT, rootAt[after] ?? EMPTY_ROOT, proof)).toBe(true);
      }
    }
    function reader20(size: number): LogReader {
      return tilesOf(leaves.slice(0, size));
    }
  });

  // Catches a proof that is accepted for another entry, another place, or with a part changed.
  test("every entry is in the tree, and nothing else is", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), async ([index = 0, limit = 0], which) => {
        const size = limit + 1;
        const proof = await proveInclusion(tilesOf(leaves.slice(0, size)), index, size);
        const leaf = leaves[index] as Hash;
        const root = treeRoot(leaves.slice(0, size));
        expect(verifyInclusion(index, size, leaf, proof, root)).toBe(true);
        expect(verifyInclusion(index, size, leafHash(leaf), proof, root)).toBe(false);
        expect(verifyInclusion(index, size, leaf, proof, leafHash(root))).toBe(false);
        expect(verifyInclusion(index, size, leaf, [...proof, leaf], root)).toBe(false);
        if (proof.length === 0) return;
        expect(verifyInclusion(index, size, leaf, proof.slice(1), root)).toBe(false);
        const tampered = proof.map((hash, place) => (place === which % proof.length ? leafHash(hash) : hash));
        expect(verifyInclusion(index, size, leaf, tampered, root)).toBe(false);
      }),
      { numRuns: 150 },
    );
  });

  // Catches "anything extends nothing": a forged root that claims size 0.
  test("the empty tree is a prefix only with its own root", () => {
    expect(verifyConsistency(0, 5, EMPTY_ROOT, leafHash(EMPTY_ROOT), [])).toBe(true);
    expect(verifyConsistency(0, 5, leafHash(EMPTY_ROOT), leafHash(EMPTY_ROOT), [])).toBe(false);
    expect(verifyConsistency(0, 5, EMPTY_ROOT, leafHash(EMPTY_ROOT), [EMPTY_ROOT])).toBe(false);
  });

  test("a missing tile is told, not guessed", async () => {
    const nothing: LogReader = { readFile: async () => undefined };
    await expect(proveInclusion(nothing, 3, 600)).rejects.toMatchObject({ code: "AUDIT_CORRUPT" });
    await expect(proveConsistency(nothing, 3, 600)).rejects.toMatchObject({ code: "AUDIT_CORRUPT" });
    await expect(proveInclusion(reader, 600, 600)).rejects.toThrow(RangeError);
    await expect(proveConsistency(reader, 601, 600)).rejects.toThrow(RangeError);
  });
});

// Catches arithmetic in 32 bits: `size >> 1` and `1 << n` are wrong from 2^31 on, Math.log2 near 2^49.
describe("sizes past 2^31", () => {
  test.each([2 ** 31, 2 ** 32, 2 ** 40, 2 ** 49, 2 ** 52])("the split around %d", (power) => {
    expect(splitPoint(power)).toBe(power / 2);
    expect(splitPoint(power + 1)).toBe(power);
    expect(splitPoint(power - 1)).toBe(power / 2);
  });

  // A tree of 2^k + 1 entries in which all leaves are equal: each perfect subtree's root follows from the one below.
  test.each([31, 32, 33, 40, 52])("an inclusion and a consistency proof in a tree of 2^%d + 1 equal entries", (height) => {
    const leaf = leafHash(Buffer.from("same"));
    const perfect = [leaf];
    for (let level = 0; level < height; level++) perfect.push(nodeHash(perfect[level] as Hash, perfect[level] as Hash));
    const whole = perfect[height] as Hash;
    const size = 2 ** height + 1;
    const root = nodeHash(whole, leaf);
    const path = [...perfect.slice(0, height), leaf];
    expect(verifyInclusion(0, size, leaf, path, root)).toBe(true);
    expect(verifyInclusion(size - 2, size, leaf, path, root)).toBe(true);
    expect(verifyInclusion(size - 1, size, leaf, [whole], root)).toBe(true);
    expect(verifyInclusion(size, size, leaf, [whole], root)).toBe(false);
    expect(verifyConsistency(size - 1, size, whole, root, [leaf])).toBe(true);
    expect(verifyConsistency(size - 1, size, leaf, root, [leaf])).toBe(false);
  });

  test("sizes that are no whole numbers below 2^53 prove nothing", () => {
    const leaf = leafHash(Buffer.from("x"));
    for (const size of [2 ** 53, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(verifyInclusion(0, size, leaf, [], leaf)).toBe(false);
      expect(verifyConsistency(size, size, leaf, leaf, [])).toBe(false);
    }
  });
});
