import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parseCheckpoint } from "../../core/audit/checkpoint.ts";
import { parseVerifierKey } from "../../core/audit/key.ts";
import { isProblem, type LogReader, readBundle, type ReadProblem, readTile } from "../../core/audit/reader.ts";
import { CHECKPOINT_PATH, encodeBundle, hashesAtLevel, TILE_WIDTH, tilePath, tileWidth } from "../../core/audit/tiles.ts";
import { encodeTile, levelCount } from "../../core/audit/tree.ts";
import { type LogVerdict, verifyLog } from "../../core/audit/verify.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { isSystemError, realDisk } from "./disk.ts";
import { DurableFiles, type NewFile } from "./durable.ts";
import { folderReader } from "./files.ts";
import { onDisk, VERIFIER_KEY_PATH } from "./open.ts";

/** What an export holds. `verdict` is over the copy, with the key that lies in it: whoever relies on it pins a key kept elsewhere. */
export interface Export {
  readonly folder: string;
  readonly size: number;
  readonly checkpoint: string;
  readonly verdict: LogVerdict;
}

/**
 * Copies the log, as far as its checkpoint covers it, to a new folder: `checkpoint`, `tile/…` and `verifier-key`. It may run in any
 * process, while the log is being appended to. The folder appears at once, complete, or not at all.
 *
 * A log that does not verify is exported all the same, as evidence, and the verdict says so. Throws USAGE when `outDir` is there and
 * not empty, NOT_FOUND when there is no log, AUDIT_CORRUPT when files are missing, AUDIT_UNAVAILABLE when a disk fails.
 */
export async function exportTrail(folder: string, outDir: string): Promise<Export> {
  return onDisk(`export the audit log in ${folder} to ${outDir}`, copyLog(folder, outDir));
}

async function copyLog(folder: string, outDir: string): Promise<Export> {
  if (!(await isFree(outDir))) throw new FirebreakError("USAGE", `export the audit log: ${outDir} is not empty`);
  const reader = folderReader(folder);
  const head = await reader.readFile(CHECKPOINT_PATH);
  const key = await reader.readFile(VERIFIER_KEY_PATH);
  if (head === undefined || key === undefined)
    throw new FirebreakError("NOT_FOUND", `export the audit log: there is none in ${folder}`);
  // The checkpoint may be renamed into place and not durable yet; what leaves this machine must survive a power cut here.
  await realDisk.syncFolder(folder);
  const text = Buffer.from(head).toString();
  const size = parseCheckpoint(text.slice(0, text.indexOf("\n\n") + 1))?.size;
  if (size === undefined) throw new FirebreakError("AUDIT_CORRUPT", "export the audit log: its checkpoint does not read");

  const partial = `${outDir}.partial-${process.pid}`;
  await rm(partial, { recursive: true, force: true });
  try {
    await mkdir(partial, { recursive: true });
    const files = new DurableFiles(realDisk, partial);
    for await (const file of logFiles(reader, size)) await files.put([{ path: join(partial, file.path), bytes: file.bytes }]);
    await files.put([
      { path: join(partial, VERIFIER_KEY_PATH), bytes: key },
      { path: join(partial, CHECKPOINT_PATH), bytes: head },
    ]);
    const verdict = await verifyLog(folderReader(partial), { verifier: parseVerifierKey(Buffer.from(key).toString()) });
    await rename(partial, outDir);
    await realDisk.syncFolder(dirname(outDir));
    return { folder: outDir, size, checkpoint: text, verdict };
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** Every bundle and tile of a tree of `size` entries, under its path. */
async function* logFiles(reader: LogReader, size: number): AsyncGenerator<NewFile> {
  for (let index = 0; index * TILE_WIDTH < size; index++) {
    const bundle = whole(await readBundle(reader, index, size));
    yield { path: tilePath("entries", index, tileWidth(0, index, size)), bytes: encodeBundle(bundle) };
  }
  for (let level = 0; level < levelCount(size); level++) {
    for (let index = 0; index * TILE_WIDTH < hashesAtLevel(level, size); index++) {
      const tile = whole(await readTile(reader, level, index, size));
      yield { path: tilePath(level, index, tileWidth(level, index, size)), bytes: encodeTile(tile) };
    }
  }
}

function whole<Part>(read: readonly Part[] | ReadProblem): readonly Part[] {
  if (isProblem(read)) throw new FirebreakError("AUDIT_CORRUPT", `export the audit log: ${read.path} is ${read.problem}`);
  return read;
}

async function isFree(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).length === 0;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return true;
    throw error;
  }
}
