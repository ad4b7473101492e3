/**
 * Where hashes and entries lie: C2SP tlog-tiles (https://c2sp.org/tlog-tiles).
 *
 * A tile holds up to 256 consecutive hashes of one tile level; level 0 are leaf hashes, one hash of level L+1 is the root of a full
 * tile of level L. A full tile is never written again; while it is filling, each published width has a file of its own (`.p/W`).
 */
import { isTreeSize } from "./merkle.ts";

/** Hashes in a full tile and entries in a full bundle. */
export const TILE_WIDTH = 256;

/** The longest entry a bundle can hold, in bytes: its length is a uint16. */
export const MAX_ENTRY_BYTES = 65_535;

/** The path of the signed tree head. */
export const CHECKPOINT_PATH = "checkpoint";

/** A tile level, or `entries` for bundles, which lie beside level 0. */
export type TileLevel = number | "entries";

/**
 * The path of a tile or bundle; `width` 256 is the full one.
 *
 * @example tilePath("entries", 1_234_067, 8) // "tile/entries/x001/x234/067.p/8"
 */
export function tilePath(level: TileLevel, index: number, width: number = TILE_WIDTH): string {
  if (!isTreeSize(index) || !Number.isInteger(width) || width < 1 || width > TILE_WIDTH) {
    throw new RangeError(`no tile has index ${index} and width ${width}`);
  }
  return `tile/${level}/${indexPath(index)}${width === TILE_WIDTH ? "" : `.p/${width}`}`;
}

/** 1234067 → `x001/x234/067`: groups of three digits, all but the last with an x. */
function indexPath(index: number): string {
  const groups: string[] = [];
  let rest = index;
  do {
    groups.unshift(String(rest % 1000).padStart(3, "0"));
    rest = Math.floor(rest / 1000);
  } while (rest > 0);
  return groups.map((group, position) => (position === groups.length - 1 ? group : `x${group}`)).join("/");
}

/** How many hashes a tile level has in a tree of `size` entries: ⌊size / 256^level⌋. */
export function hashesAtLevel(level: number, size: number): number {
  let hashes = size;
  for (let below = 0; below < level; below++) hashes = Math.floor(hashes / TILE_WIDTH);
  return hashes;
}

/** The width of tile `index` of a level in a tree of `size` entries: 0 when it does not exist yet, 256 when it is full. */
export function tileWidth(level: number, index: number, size: number): number {
  return Math.max(0, Math.min(TILE_WIDTH, hashesAtLevel(level, size) - index * TILE_WIDTH));
}

/** An entry bundle: each entry after its length as a big-endian uint16. Throws RangeError for an entry over 65,535 bytes. */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  const bundle = new Uint8Array(entries.reduce((total, entry) => total + 2 + entry.length, 0));
  const view = new DataView(bundle.buffer);
  let offset = 0;
  for (const entry of entries) {
    if (entry.length > MAX_ENTRY_BYTES) throw new RangeError(`an entry of ${entry.length} bytes does not fit a bundle`);
    view.setUint16(offset, entry.length);
    bundle.set(entry, offset + 2);
    offset += 2 + entry.length;
  }
  return bundle;
}

/**
 * The first `count` entries of a bundle, as views of its bytes; undefined when it is cut short.
 * With `exact`, also undefined when anything follows them: a partial bundle holds its entries and nothing else.
 */
export function decodeBundle(bundle: Uint8Array, count: number, exact = true): readonly Uint8Array[] | undefined {
  const view = new DataView(bundle.buffer, bundle.byteOffset, bundle.byteLength);
  const entries: Uint8Array[] = [];
  let offset = 0;
  while (entries.length < count) {
    if (offset + 2 > bundle.length) return undefined;
    const end = offset + 2 + view.getUint16(offset);
    if (end > bundle.length) return undefined;
    entries.push(bundle.subarray(offset + 2, end));
    offset = end;
  }
  return exact && offset !== bundle.length ? undefined : entries;
}
