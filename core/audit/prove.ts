/** Making proofs from the tiles of a log (RFC 6962 §2.1.1, §2.1.2). They are checked in `merkle.ts`. */
import { FirebreakError } from "../ground/error.ts";
import { type Hash, isTreeSize, nodeHash, splitPoint } from "./merkle.ts";
import { isProblem, type LogReader, readTile } from "./reader.ts";
import { TILE_WIDTH } from "./tiles.ts";
import { perfectRoot } from "./tree.ts";

/** Entries from `start` up to, not including, `end`. */
interface Range {
  readonly start: number;
  readonly end: number;
}

/** The hashes which show that entry `index` is in the tree of the first `size` entries. Throws AUDIT_CORRUPT for a tile that is missing. */
export async function proveInclusion(reader: LogReader, index: number, size: number): Promise<readonly Hash[]> {
  if (!isTreeSize(size) || !isTreeSize(index) || index >= size) throw new RangeError(`entry ${index} is not in a tree of ${size}`);
  return rangeRoots(reader, inclusionRanges(index, { start: 0, end: size }), size);
}

/** The hashes which show that the first `newSize` entries begin with the first `oldSize`. Throws AUDIT_CORRUPT for a tile that is missing. */
export async function proveConsistency(reader: LogReader, oldSize: number, newSize: number): Promise<readonly Hash[]> {
  if (!isTreeSize(oldSize) || !isTreeSize(newSize) || oldSize > newSize) {
    throw new RangeError(`a tree of ${newSize} entries does not extend one of ${oldSize}`);
  }
  if (oldSize === 0) return [];
  return rangeRoots(reader, consistencyRanges(oldSize, { start: 0, end: newSize }, true), newSize);
}

/** The subtrees beside the path from an entry to the root, lowest first. */
function inclusionRanges(index: number, tree: Range): readonly Range[] {
  if (tree.end - tree.start === 1) return [];
  const middle = tree.start + splitPoint(tree.end - tree.start);
  const left = { start: tree.start, end: middle };
  const right = { start: middle, end: tree.end };
  return index < middle ? [...inclusionRanges(index, left), right] : [...inclusionRanges(index, right), left];
}

/** SUBPROOF of the RFC; `end` is where the old tree ends, `isWhole` is true while the subtree is the old tree itself. */
function consistencyRanges(end: number, tree: Range, isWhole: boolean): readonly Range[] {
  if (end === tree.end) return isWhole ? [] : [tree];
  const middle = tree.start + splitPoint(tree.end - tree.start);
  const left = { start: tree.start, end: middle };
  const right = { start: middle, end: tree.end };
  return end <= middle ? [...consistencyRanges(end, left, isWhole), right] : [...consistencyRanges(end, right, false), left];
}

async function rangeRoots(reader: LogReader, ranges: readonly Range[], size: number): Promise<readonly Hash[]> {
  const roots: Hash[] = [];
  for (const range of ranges) roots.push(await rangeRoot(reader, range, size));
  return roots;
}

/** The root over a range that starts where a subtree of at least its width starts: its perfect subtrees, folded from the right. */
async function rangeRoot(reader: LogReader, range: Range, size: number): Promise<Hash> {
  const width = range.end - range.start;
  const perfect = width === 1 ? 1 : splitPoint(width + 1);
  const left = await perfectRangeRoot(reader, range.start, perfect, size);
  if (perfect === width) return left;
  return nodeHash(left, await rangeRoot(reader, { start: range.start + perfect, end: range.end }, size));
}

/** The root over `width` = 2^k entries from a multiple of it on: at most 128 neighbouring hashes of one tile, or one of the level above. */
async function perfectRangeRoot(reader: LogReader, start: number, width: number, size: number): Promise<Hash> {
  let level = 0;
  let entriesPerHash = 1;
  while (entriesPerHash * TILE_WIDTH <= width) {
    entriesPerHash *= TILE_WIDTH;
    level += 1;
  }
  const first = start / entriesPerHash;
  const index = Math.floor(first / TILE_WIDTH);
  const hashes = await readTile(reader, level, index, size);
  if (isProblem(hashes)) throw new FirebreakError("AUDIT_CORRUPT", `make a proof: ${hashes.path} is ${hashes.problem}`);
  const offset = first - index * TILE_WIDTH;
  return perfectRoot(hashes.slice(offset, offset + width / entriesPerHash));
}
