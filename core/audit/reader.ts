/** Reading a log through its files, wherever they lie: a folder, an export, a web server, memory. */
import type { Hash } from "./merkle.ts";
import { decodeBundle, TILE_WIDTH, type TileLevel, tilePath, tileWidth } from "./tiles.ts";
import { decodeTile } from "./tree.ts";

/** Gives the bytes of a file of the log, by its tlog-tiles path; undefined when there is none. Failing to read is thrown. */
export interface LogReader {
  readonly readFile: (path: string) => Promise<Uint8Array | undefined>;
}

/** Why a tile or bundle could not be had. */
export type ReadProblem = { readonly problem: "missing" | "malformed"; readonly path: string };

/** The hashes of a tile as a tree of `size` entries has it, or what is wrong with its file. */
export async function readTile(
  reader: LogReader,
  level: number,
  index: number,
  size: number,
): Promise<readonly Hash[] | ReadProblem> {
  return readWide(reader, level, index, tileWidth(level, index, size), decodeTile);
}

/** The entries of a bundle as a tree of `size` entries has it (their stored bytes), or what is wrong with its file. */
export async function readBundle(reader: LogReader, index: number, size: number): Promise<readonly Uint8Array[] | ReadProblem> {
  return readWide(reader, "entries", index, tileWidth(0, index, size), decodeBundle);
}

/** True when reading gave a problem. */
export function isProblem(result: readonly unknown[] | ReadProblem): result is ReadProblem {
  return "problem" in result;
}

/** Partial files may go once the full one is there (tlog-tiles, "Partial Tiles"), so that one stands in, cut to the width. */
async function readWide<Part>(
  reader: LogReader,
  level: TileLevel,
  index: number,
  width: number,
  decode: (bytes: Uint8Array, width: number, exact: boolean) => readonly Part[] | undefined,
): Promise<readonly Part[] | ReadProblem> {
  const path = tilePath(level, index, width);
  const own = await reader.readFile(path);
  if (own !== undefined) return decode(own, width, true) ?? { problem: "malformed", path };
  if (width === TILE_WIDTH) return { problem: "missing", path };
  const full = await reader.readFile(tilePath(level, index));
  if (full === undefined) return { problem: "missing", path };
  return decode(full, width, false) ?? { problem: "malformed", path: tilePath(level, index) };
}
