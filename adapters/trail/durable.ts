import { basename, dirname, join, sep } from "node:path";
import { type Disk, isSystemError } from "./disk.ts";

/** How temporary files begin; what has this name is never part of a log. */
export const TEMPORARY = ".new-";

/** A file to write: absolute path and bytes. */
export interface NewFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Puts files durably into place in one folder and those below it. */
export class DurableFiles {
  readonly #disk: Disk;
  readonly #root: string;
  /** Folders whose place in the folder above was fsynced by us: that one is there may be seen before it is durable. */
  readonly #durable = new Set<string>();

  constructor(disk: Disk, root: string) {
    this.#disk = disk;
    this.#root = root;
  }

  /**
   * Puts files in place: each is written beside it, fdatasynced and renamed, then every folder they are in is fsynced. Missing
   * folders are made. Not atomic as a whole: only each file is. Files get mode 0600, folders 0700. Throws the disk's error.
   */
  async put(files: readonly NewFile[]): Promise<void> {
    const folders = new Set(files.map(({ path }) => dirname(path)));
    for (const folder of folders) await this.#ensure(folder);
    await all(files.map((file) => this.#write(file)));
    await all([...folders].map((folder) => this.#disk.syncFolder(folder)));
  }

  async #write({ path, bytes }: NewFile): Promise<void> {
    const temporary = join(dirname(path), `${TEMPORARY}${basename(path)}`);
    await this.#disk.writeFile(temporary, bytes, 0o600);
    await this.#disk.rename(temporary, path);
  }

  async #ensure(folder: string): Promise<void> {
    if (this.#durable.has(folder)) return;
    if (folder.startsWith(this.#root + sep)) await this.#ensure(dirname(folder));
    await makeFolder(this.#disk, folder);
    this.#durable.add(folder);
  }
}

/** Waits until all have ended, then passes the first error on: no late write meets what the caller does next. */
async function all(work: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === "rejected") throw result.reason;
}

/** Makes a folder, and those above it that are missing, each durable in the one above. */
export async function makeFolder(disk: Disk, folder: string): Promise<void> {
  const parent = dirname(folder);
  try {
    await disk.makeFolder(folder);
  } catch (error) {
    if (!isSystemError(error, "ENOENT") || parent === folder) throw error;
    await makeFolder(disk, parent);
    await disk.makeFolder(folder);
  }
  await disk.syncFolder(parent);
}
