import { join } from "node:path";
import { FirebreakError } from "../../core/ground/error.ts";
import { isProblem, type LogReader, readBundle, readTile } from "../../core/audit/reader.ts";
import { hashesAtLevel, TILE_WIDTH } from "../../core/audit/tiles.ts";
import { levelCount, type TreeEdge } from "../../core/audit/tree.ts";
import { type Disk, realDisk } from "./disk.ts";

/** Reads a log that lies in a folder. */
export function folderReader(folder: string, disk: Disk = realDisk): LogReader {
  return { readFile: (path) => disk.readFile(join(folder, path)) };
}

/** The growing edge of a log of `size` entries, from its unfinished tiles. Throws AUDIT_CORRUPT. */
export async function readEdge(reader: LogReader, size: number): Promise<TreeEdge> {
  const levels = [];
  for (let level = 0; level < levelCount(size); level++) {
    const hashes = hashesAtLevel(level, size);
    const index = Math.floor(hashes / TILE_WIDTH);
    if (hashes % TILE_WIDTH === 0) {
      levels.push([]);
      continue;
    }
    const tile = await readTile(reader, level, index, size);
    if (isProblem(tile))
      throw new FirebreakError("AUDIT_CORRUPT", `read the end of the audit log: ${tile.path} is ${tile.problem}`);
    levels.push(tile);
  }
  return { size, levels };
}

/** The stored bytes of the entries of one bundle. Throws AUDIT_CORRUPT. */
export async function readBundleEntries(reader: LogReader, index: number, size: number): Promise<readonly Uint8Array[]> {
  const entries = await readBundle(reader, index, size);
  if (isProblem(entries)) throw new FirebreakError("AUDIT_CORRUPT", `read the audit log: ${entries.path} is ${entries.problem}`);
  return entries;
}
