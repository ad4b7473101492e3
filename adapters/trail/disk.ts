/**
 * The few file operations the log is made of, so that tests can stop the world after each of them.
 *
 * Writing is durable in four steps: write a new file, fdatasync it, rename it into place, fsync its folder. Until the last step a
 * power cut may undo the rename; before it, nothing of the old state was touched.
 */
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";

/** A place that keeps files. Paths are absolute. All methods throw Node's system errors. */
export interface Disk {
  /** The bytes of a file; undefined when there is none. */
  readonly readFile: (path: string) => Promise<Uint8Array | undefined>;
  /** The names in a folder; none when there is no such folder. */
  readonly list: (folder: string) => Promise<readonly string[]>;
  /** Makes one folder, mode 0700; true when it was not there. */
  readonly makeFolder: (folder: string) => Promise<boolean>;
  /** Creates or truncates a file, writes all of it, and fdatasyncs it. */
  readonly writeFile: (path: string, bytes: Uint8Array, mode: number) => Promise<void>;
  readonly rename: (from: string, to: string) => Promise<void>;
  /** Makes what was created, renamed or removed in a folder durable. */
  readonly syncFolder: (folder: string) => Promise<void>;
  /** Removes a file or a folder with all that is in it; nothing there is fine. */
  readonly remove: (path: string) => Promise<void>;
}

/** The file system of this machine. */
export const realDisk: Disk = {
  readFile: (path) => unlessMissing(readFile(path), undefined),
  list: (folder) => unlessMissing(readdir(folder), []),
  makeFolder: async (folder) => {
    try {
      await mkdir(folder, { mode: 0o700 });
      return true;
    } catch (error) {
      if (isSystemError(error, "EEXIST")) return false;
      throw error;
    }
  },
  writeFile: async (path, bytes, mode) => {
    const file = await open(path, "w", mode);
    try {
      await file.writeFile(bytes);
      await file.datasync();
    } finally {
      await file.close();
    }
  },
  rename,
  syncFolder: async (folder) => {
    const handle = await open(folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  remove: (path) => rm(path, { recursive: true, force: true }),
};

async function unlessMissing<Value, Missing>(reading: Promise<Value>, missing: Missing): Promise<Value | Missing> {
  try {
    return await reading;
  } catch (error) {
    if (isSystemError(error, "ENOENT") || isSystemError(error, "ENOTDIR")) return missing;
    throw error;
  }
}

/** True for a system error with this code. */
export function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
