import { mkdir, open, readFile, rename, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { createBrotliDecompress } from "node:zlib";

/**
 * A database as `initdb` leaves it, which would take 1.1 GB of memory for some seconds: PGlite runs it on two copies of all its memory.
 *
 * Brotli of one line of JSON ({@link Contents}), and then the bytes of all files in that order. `node scripts/empty-database.mjs` makes
 * it anew when PGlite changes; test/adapters/store/empty-database.test.ts holds it against a database that `initdb` has just made.
 */
export const EMPTY_DATABASE = new URL("./empty-database.br", import.meta.url);

/** What is in it. */
export interface Contents {
  /** Version of PGlite that made it. */
  readonly pglite: string;
  readonly folders: readonly string[];
  readonly files: readonly (readonly [path: string, size: number])[];
}

/** Makes `path`, which is not there yet, an empty database; whole or not at all, whenever the process is killed. */
export async function makeEmptyDatabase(path: string): Promise<void> {
  const half = `${path}.half`;
  await rm(half, { recursive: true, force: true });
  await mkdir(half, { recursive: true, mode: 0o700 });
  await unpack(half);
  await rename(half, path);
}

async function unpack(into: string): Promise<void> {
  const stream = createBrotliDecompress().end(await readFile(EMPTY_DATABASE)); // as a stream: 40 MB are never in memory at once
  let head = Buffer.alloc(0);
  let writer: FilesWriter | undefined;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (writer !== undefined) {
      await writer.write(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\n");
    if (end === -1) continue;
    // The cast: the file is ours, and a test reads it.
    const { folders, files } = JSON.parse(head.subarray(0, end).toString("utf8")) as Contents;
    for (const folder of folders) await mkdir(join(into, folder), { recursive: true, mode: 0o700 });
    writer = new FilesWriter(into, files);
    await writer.write(head.subarray(end + 1));
  }
  await writer?.end();
}

/** Writes files whose bytes come one after another. */
class FilesWriter {
  readonly #into: string;
  readonly #rest: (readonly [path: string, size: number])[];
  #file: FileHandle | undefined;
  #missing = 0;

  constructor(into: string, files: Contents["files"]) {
    this.#into = into;
    this.#rest = [...files].reverse();
  }

  async write(bytes: Buffer): Promise<void> {
    let at = 0;
    while (at < bytes.length || this.#missing === 0) {
      if (this.#missing === 0 && !(await this.#next())) return;
      const piece = bytes.subarray(at, at + this.#missing);
      if (piece.length === 0) continue; // an empty file, or no bytes left
      await this.#file?.writeFile(piece);
      at += piece.length;
      this.#missing -= piece.length;
    }
  }

  async end(): Promise<void> {
    await this.#file?.close();
    if (this.#missing > 0 || this.#rest.length > 0) throw new Error(`${EMPTY_DATABASE.pathname} is cut`);
  }

  async #next(): Promise<boolean> {
    await this.#file?.close();
    this.#file = undefined;
    const next = this.#rest.pop();
    if (next === undefined) return false;
    const [path, size] = next;
    this.#file = await open(join(this.#into, path), "wx", 0o600);
    this.#missing = size;
    return true;
  }
}
