/**
 * The growing edge of the tree: for each tile level the hashes of its last, unfinished tile. That is all a sequencer has to hold in
 * memory (at most 255 × 32 bytes a level), and all it needs to know the root.
 *
 *   size 66,051 = 1·65,536 + 2·256 + 3:   level 2: [h]   level 1: [h h]   level 0: [h h h]
 */
import { EMPTY_ROOT, HASH_BYTES, type Hash, isTreeSize, nodeHash } from "./merkle.ts";
import { hashesAtLevel, TILE_WIDTH } from "./tiles.ts";

/** A tile with the hashes it has; full when it has 256. */
export interface Tile {
  readonly level: number;
  readonly index: number;
  readonly hashes: readonly Hash[];
}

/** The growing edge of a tree. Values never change: appending gives a new edge. */
export interface TreeEdge {
  readonly size: number;
  /** Per tile level, the hashes of its unfinished tile (0 to 255). */
  readonly levels: readonly (readonly Hash[])[];
}

/** The edge of the tree without entries. */
export const EMPTY_EDGE: TreeEdge = { size: 0, levels: [] };

/** What appending gives: the new edge, and every tile that was completed on the way, lowest level first within each append. */
export interface Grown {
  readonly edge: TreeEdge;
  readonly completed: readonly Tile[];
}

/** Appends leaf hashes. */
export function growTree(edge: TreeEdge, leaves: readonly Hash[]): Grown {
  const levels = edge.levels.map((hashes) => [...hashes]);
  const completed: Tile[] = [];
  let size = edge.size;
  for (const leaf of leaves) {
    size += 1;
    completed.push(...pushHash(levels, leaf, size));
  }
  return { edge: { size, levels }, completed };
}

/** Adds one leaf hash to `levels` in place, and returns the tiles that it completed. */
function pushHash(levels: Hash[][], leaf: Hash, size: number): Tile[] {
  const completed: Tile[] = [];
  let carried: Hash | undefined = leaf;
  for (let level = 0; carried !== undefined; level++) {
    const hashes: Hash[] = (levels[level] ??= []);
    hashes.push(carried);
    carried = undefined;
    if (hashes.length === TILE_WIDTH) {
      completed.push({ level, index: hashesAtLevel(level, size) / TILE_WIDTH - 1, hashes });
      carried = perfectRoot(hashes);
      levels[level] = [];
    }
  }
  return completed;
}

/** The unfinished tiles of an edge, those with at least one hash. */
export function partialTiles(edge: TreeEdge): readonly Tile[] {
  return edge.levels
    .map((hashes, level) => ({ level, index: Math.floor(hashesAtLevel(level, edge.size) / TILE_WIDTH), hashes }))
    .filter((tile) => tile.hashes.length > 0);
}

/** The root of the tree: its perfect subtrees, folded from the right. */
export function edgeRoot(edge: TreeEdge): Hash {
  const subtrees = edge.levels.toReversed().flatMap((hashes) => perfectSubtrees(hashes));
  const last = subtrees.at(-1);
  if (last === undefined) return EMPTY_ROOT;
  return subtrees.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), last);
}

/** The roots of the perfect subtrees over up to 255 hashes, largest (leftmost) first: 7 = 4 + 2 + 1. */
function perfectSubtrees(hashes: readonly Hash[]): readonly Hash[] {
  const roots: Hash[] = [];
  let start = 0;
  for (let width = TILE_WIDTH / 2; width >= 1; width /= 2) {
    if (start + width > hashes.length) continue;
    roots.push(perfectRoot(hashes.slice(start, start + width)));
    start += width;
  }
  return roots;
}

/** The root over 2^k hashes. */
export function perfectRoot(hashes: readonly Hash[]): Hash {
  let row = hashes;
  while (row.length > 1) {
    const above: Hash[] = [];
    for (let index = 0; index + 1 < row.length; index += 2) above.push(nodeHash(row[index] as Hash, row[index + 1] as Hash));
    row = above;
  }
  const [root] = row;
  if (root === undefined) throw new RangeError("a perfect subtree has at least one hash");
  return root;
}

/** The bytes of a tile file: its hashes, one after another. */
export function encodeTile(hashes: readonly Hash[]): Uint8Array {
  const bytes = new Uint8Array(hashes.length * HASH_BYTES);
  hashes.forEach((hash, index) => bytes.set(hash, index * HASH_BYTES));
  return bytes;
}

/** The first `width` hashes of a tile file; undefined when its length is not that of a tile this wide (`exact`) or too short. */
export function decodeTile(bytes: Uint8Array, width: number, exact = true): readonly Hash[] | undefined {
  if (exact ? bytes.length !== width * HASH_BYTES : bytes.length < width * HASH_BYTES) return undefined;
  return Array.from({ length: width }, (_, index) => bytes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES));
}

/** How many tile levels a tree of this size has: those with at least one hash. Throws RangeError for a size past 2^53 - 1. */
export function levelCount(size: number): number {
  if (!isTreeSize(size)) throw new RangeError(`no tree has ${size} entries`);
  let levels = 0;
  while (hashesAtLevel(levels, size) > 0) levels += 1;
  return levels;
}
