/**
 * Puts batches of entries into the log's folder, so that a crash at any point leaves one log, never two.
 *
 *   bundles and tiles ──► fsynced ──► checkpoint signed, written, fsynced, renamed into place ──► its folder fsynced ──► done
 *   └── nobody reads them yet: the checkpoint does not cover them ──┘└── from the rename on, somebody may have seen it ──┘
 *
 * A failure before the checkpoint leaves files nobody reads; they are removed or overwritten. A failure from the signing on leaves it
 * open which of two checkpoints stands. Then nothing is signed until that is settled by looking: a checkpoint that may have been
 * seen is never replaced by one that does not extend it.
 */
import { basename, dirname, join } from "node:path";
import { signCheckpoint } from "../../core/audit/checkpoint.ts";
import type { NoteSigner } from "../../core/audit/key.ts";
import { leafHash } from "../../core/audit/merkle.ts";
import { CHECKPOINT_PATH, encodeBundle, hashesAtLevel, TILE_WIDTH, tilePath } from "../../core/audit/tiles.ts";
import { edgeRoot, encodeTile, growTree, partialTiles, type Tile, type TreeEdge } from "../../core/audit/tree.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import type { Disk } from "./disk.ts";
import { DurableFiles, type NewFile, TEMPORARY } from "./durable.ts";

/** What a log is at one moment: all that appending needs. */
export interface LogState {
  readonly edge: TreeEdge;
  /** The stored bytes of the entries in the unfinished bundle. */
  readonly bundle: readonly Uint8Array[];
  /** The signed checkpoint over it. */
  readonly checkpoint: string;
}

/** Where the writer writes, and what with. */
export interface WriterOptions {
  readonly disk: Disk;
  readonly folder: string;
  readonly signer: NoteSigner;
}

/** Writes batches, one after another: never call a method before the last one has ended. */
export class LogWriter {
  readonly #options: WriterOptions;
  readonly #files: DurableFiles;
  #state: LogState;
  /** The state that may stand instead of `#state`, after a failure that left it open. */
  #unsettled: LogState | undefined;
  #hasLeftovers = false;

  constructor(options: WriterOptions, state: LogState) {
    this.#options = options;
    this.#files = new DurableFiles(options.disk, options.folder);
    this.#state = state;
  }

  /** The newest state known to be durable. */
  get state(): LogState {
    return this.#state;
  }

  /** False after a failure that left it open which entries stand, and while a batch is on its way. */
  get isSettled(): boolean {
    return this.#unsettled === undefined;
  }

  /**
   * Finds out what stands after a failure, and makes it durable; nothing to do otherwise. Call it before relying on `state`.
   * Throws the disk's error (still open), or AUDIT_CORRUPT when a third party's checkpoint lies there.
   */
  async settle(): Promise<void> {
    if (this.#unsettled !== undefined) await this.#settleBetween(this.#state, this.#unsettled);
    if (this.#hasLeftovers) {
      await removeBeyond(this.#options.disk, this.#options.folder, this.#state.edge.size);
      this.#hasLeftovers = false;
    }
  }

  async #settleBetween(before: LogState, after: LogState): Promise<void> {
    const { disk, folder } = this.#options;
    const path = join(folder, CHECKPOINT_PATH);
    const bytes = await disk.readFile(path);
    const text = bytes && Buffer.from(bytes).toString();
    const standing = [before, after].find(({ checkpoint }) => checkpoint === text);
    if (standing === undefined)
      throw new FirebreakError("AUDIT_CORRUPT", "settle the audit log: its checkpoint is not one of ours");
    // Written again, because an fsync that failed once may not be trusted to succeed on the same file later.
    await this.#files.put([{ path, bytes: Buffer.from(standing.checkpoint) }]);
    this.#state = standing;
    this.#unsettled = undefined;
  }

  /** Appends the stored bytes of entries; once it returns they are durable under a signed checkpoint. Throws the disk's error. */
  async write(entries: readonly Uint8Array[]): Promise<void> {
    const { folder, signer } = this.#options;
    await this.settle();
    const before = this.#state;
    const grown = growTree(before.edge, entries.map(leafHash));
    const after = {
      edge: grown.edge,
      bundle: [...before.bundle, ...entries].slice(fullBundles(before, entries.length) * TILE_WIDTH),
    };
    const tiles = [
      ...grown.completed,
      ...partialTiles(grown.edge).filter((tile) => hasGrown(tile, before.edge.size, grown.edge.size)),
    ];

    this.#hasLeftovers = true;
    await this.#files.put(
      [...bundleFiles(before, entries), ...tiles.map(tileFile)].map((file) => ({ ...file, path: join(folder, file.path) })),
    );

    const head = { origin: signer.verifier.name, size: grown.edge.size, root: edgeRoot(grown.edge) };
    const state = { ...after, checkpoint: signCheckpoint(head, signer) };
    this.#unsettled = state;
    await this.#files.put([{ path: join(folder, CHECKPOINT_PATH), bytes: Buffer.from(state.checkpoint) }]);
    this.#state = state;
    this.#unsettled = undefined;
    this.#hasLeftovers = false;
    await this.#removePartials(grown.completed);
  }

  /**
   * The partial files of tiles that are full now: readers fall back to the full one. Failing to remove them harms nothing and is
   * caught up with when the log is opened, so it does not fail a batch that is durable.
   */
  async #removePartials(completed: readonly Tile[]): Promise<void> {
    const { disk, folder } = this.#options;
    const paths = completed.flatMap(({ level, index }) => partialFolders(level, index));
    const removed = await Promise.allSettled(paths.map((path) => disk.remove(join(folder, path))));
    if (removed.some(({ status }) => status === "rejected")) this.#hasLeftovers = true;
  }
}

/**
 * Removes what a log of `size` entries does not have: temporary files, tiles and bundles past its end (a batch reaches at most one
 * past the unfinished one), and the partial files of the tile that was filled last. Returns how many were removed.
 */
export async function removeBeyond(disk: Disk, folder: string, size: number): Promise<number> {
  let removed = await removeIn(disk, folder, (name) => name.startsWith(TEMPORARY));
  const levels = await disk.list(join(folder, "tile"));
  for (const name of levels) {
    const level = name === "entries" ? 0 : Number(name);
    const hashes = hashesAtLevel(level, size);
    const unfinished = Math.floor(hashes / TILE_WIDTH);
    for (const index of [unfinished - 1, unfinished, unfinished + 1].filter((index) => index >= 0)) {
      const width = hashes - index * TILE_WIDTH;
      const full = join(folder, tilePath(name === "entries" ? name : level, index));
      removed += await removeIn(
        disk,
        dirname(full),
        (file) => file === `${TEMPORARY}${basename(full)}` || (width < TILE_WIDTH && file === basename(full)),
      );
      const isDone = width >= TILE_WIDTH;
      removed += await removeIn(disk, `${full}.p`, (file) => isDone || !(Number(file) <= width));
      if (isDone) await disk.remove(`${full}.p`);
    }
  }
  return removed;
}

async function removeIn(disk: Disk, folder: string, isUnwanted: (name: string) => boolean): Promise<number> {
  const names = (await disk.list(folder)).filter(isUnwanted);
  for (const name of names) await disk.remove(join(folder, name));
  return names.length;
}

function fullBundles(before: LogState, added: number): number {
  return Math.floor((before.bundle.length + added) / TILE_WIDTH);
}

/** The bundles that a batch fills or lengthens. */
function bundleFiles(before: LogState, added: readonly Uint8Array[]): readonly NewFile[] {
  const entries = [...before.bundle, ...added];
  const first = Math.floor(before.edge.size / TILE_WIDTH);
  const files: NewFile[] = [];
  for (let start = 0; start < entries.length; start += TILE_WIDTH) {
    const part = entries.slice(start, start + TILE_WIDTH);
    files.push({ path: tilePath("entries", first + start / TILE_WIDTH, part.length), bytes: encodeBundle(part) });
  }
  return files;
}

function tileFile({ level, index, hashes }: Tile): NewFile {
  return { path: tilePath(level, index, hashes.length), bytes: encodeTile(hashes) };
}

function hasGrown({ level }: Tile, before: number, after: number): boolean {
  return hashesAtLevel(level, before) !== hashesAtLevel(level, after);
}

/** Where the partial files of a tile are, and for level 0 those of its bundle. */
function partialFolders(level: number, index: number): readonly string[] {
  const tile = `${tilePath(level, index)}.p`;
  return level === 0 ? [tile, `${tilePath("entries", index)}.p`] : [tile];
}
