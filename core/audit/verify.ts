/**
 * Verifying a whole log from its files, with a key that was pinned elsewhere.
 *
 * Everything is recomputed from the stored bytes of the entries: leaf hashes, every tile of every level, the root. So an entry, a
 * tile, the size, the root, the signature or the key cannot be changed unseen. Whoever holds the key can rewrite all of it
 * consistently: only a checkpoint kept elsewhere (`olderCheckpoint`) shows that.
 */
import { type Checkpoint, openCheckpoint, type OpenedCheckpoint } from "./checkpoint.ts";
import { type Envelope, readEnvelope } from "./entry.ts";
import type { NoteVerifier } from "./key.ts";
import { EMPTY_ROOT, equalBytes, type Hash, leafHash } from "./merkle.ts";
import { isProblem, type LogReader, readBundle, type ReadProblem, readTile } from "./reader.ts";
import { CHECKPOINT_PATH, TILE_WIDTH } from "./tiles.ts";
import { EMPTY_EDGE, edgeRoot, growTree, partialTiles, type Tile, type TreeEdge } from "./tree.ts";

/** What is wrong with a log; stable codes. */
export type LogFault =
  | Extract<OpenedCheckpoint, { verdict: "rejected" }>["reason"]
  | "checkpoint-missing"
  | "older-checkpoint-rejected"
  | "rolled-back"
  | "forked"
  | "file-missing"
  | "file-malformed"
  | "entry-malformed"
  | "tile-mismatch"
  | "root-mismatch";

/** The verdict over a log. `index` is the first entry, counted from 0, at which it fails, where there is one; `why` is a sentence. */
export type LogVerdict =
  | { readonly verdict: "verified"; readonly checkpoint: Checkpoint; readonly consistentWith?: Checkpoint }
  | { readonly verdict: "rejected"; readonly reason: LogFault; readonly why: string; readonly index?: number };

type Rejection = Extract<LogVerdict, { verdict: "rejected" }>;

/** What to verify a log against. */
export interface VerifyOptions {
  /** The pinned key: never one that lies beside the log. */
  readonly verifier: NoteVerifier;
  /** A signed checkpoint seen earlier, as bytes; the log must contain everything it covered. */
  readonly olderCheckpoint?: Uint8Array | undefined;
  /** Called with each entry once its bytes are what its tile says, in order: for who has to read all of them anyway. */
  readonly onEntry?: ((entry: Envelope) => void) | undefined;
}

/** Verifies all of a log that its checkpoint covers. Only failing to read (not a missing file) is thrown. */
export async function verifyLog(reader: LogReader, { verifier, olderCheckpoint, onEntry }: VerifyOptions): Promise<LogVerdict> {
  const head = await reader.readFile(CHECKPOINT_PATH);
  if (head === undefined) return reject("checkpoint-missing", "the log has no checkpoint");
  const opened = openCheckpoint(head, verifier);
  if (opened.verdict === "rejected") return reject(opened.reason, `the checkpoint is refused: ${opened.why}`);
  const { checkpoint } = opened;

  const older = olderCheckpoint === undefined ? undefined : openCheckpoint(olderCheckpoint, verifier);
  if (older?.verdict === "rejected") return reject("older-checkpoint-rejected", `the older checkpoint is refused: ${older.why}`);
  if (older !== undefined && older.checkpoint.size > checkpoint.size) {
    const sizes = `it had ${older.checkpoint.size} entries and now has ${checkpoint.size}`;
    return reject("rolled-back", `the log was rolled back: ${sizes}`, checkpoint.size);
  }
  return verifyEntries(reader, checkpoint, older?.checkpoint, onEntry ?? (() => undefined));
}

async function verifyEntries(
  reader: LogReader,
  checkpoint: Checkpoint,
  older: Checkpoint | undefined,
  onEntry: (entry: Envelope) => void,
): Promise<LogVerdict> {
  let edge: TreeEdge = EMPTY_EDGE;
  let oldRoot: Hash | undefined = older?.size === 0 ? EMPTY_ROOT : undefined;
  for (let bundle = 0; edge.size < checkpoint.size; bundle++) {
    const entries = await readBundle(reader, bundle, checkpoint.size);
    if (isProblem(entries)) return fileFault(entries, edge.size);
    const leaves = entries.map((entry) => leafHash(entry));
    const read = readEntries(entries, edge.size);
    if ("verdict" in read) return read;
    const fault = await checkTile(reader, { level: 0, index: bundle, hashes: leaves }, checkpoint.size);
    if (fault !== undefined) return fault;
    read.forEach(onEntry);
    if (older !== undefined && older.size > edge.size && older.size <= edge.size + leaves.length) {
      oldRoot = edgeRoot(growTree(edge, leaves.slice(0, older.size - edge.size)).edge);
    }
    const grown = growTree(edge, leaves);
    for (const tile of grown.completed.filter(({ level }) => level > 0)) {
      const upper = await checkTile(reader, tile, checkpoint.size);
      if (upper !== undefined) return upper;
    }
    edge = grown.edge;
  }
  for (const tile of partialTiles(edge).filter(({ level }) => level > 0)) {
    const upper = await checkTile(reader, tile, checkpoint.size);
    if (upper !== undefined) return upper;
  }
  if (!equalBytes(edgeRoot(edge), checkpoint.root)) {
    return reject("root-mismatch", `the ${checkpoint.size} entries do not have the root that was signed`);
  }
  if (older === undefined) return { verdict: "verified", checkpoint };
  if (oldRoot === undefined || !equalBytes(oldRoot, older.root)) {
    return reject("forked", `the first ${older.size} entries are not those of the older checkpoint: the log was rewritten`);
  }
  return { verdict: "verified", checkpoint, consistentWith: older };
}

/** Each entry reads, and carries the number of its place. */
function readEntries(entries: readonly Uint8Array[], first: number): readonly Envelope[] | Rejection {
  const envelopes: Envelope[] = [];
  for (const [offset, bytes] of entries.entries()) {
    const read = readEnvelope(bytes);
    const index = first + offset;
    if (typeof read === "string") return reject("entry-malformed", `entry ${index} does not read: ${read}`, index);
    if (read.seq !== index) return reject("entry-malformed", `entry ${index} carries the number ${read.seq}`, index);
    envelopes.push(read);
  }
  return envelopes;
}

/** The stored tile has the hashes that were recomputed. */
async function checkTile(reader: LogReader, expected: Tile, size: number): Promise<Rejection | undefined> {
  const entriesPerHash = TILE_WIDTH ** expected.level;
  const first = expected.index * TILE_WIDTH * entriesPerHash;
  const stored = await readTile(reader, expected.level, expected.index, size);
  if (isProblem(stored)) return fileFault(stored, first);
  const wrong = expected.hashes.findIndex((hash, index) => !equalBytes(hash, stored[index] ?? new Uint8Array(0)));
  if (wrong < 0) return undefined;
  const index = first + wrong * entriesPerHash;
  const what =
    expected.level === 0
      ? `entry ${index} is not what its leaf hash says`
      : `entries from ${index} on do not have the subtree root stored`;
  return reject("tile-mismatch", `${what} (tile level ${expected.level}, index ${expected.index})`, index);
}

function fileFault({ problem, path }: ReadProblem, index: number): Rejection {
  return reject(problem === "missing" ? "file-missing" : "file-malformed", `${path} is ${problem}`, index);
}

function reject(reason: LogFault, why: string, index?: number): Rejection {
  return { verdict: "rejected", reason, why, ...(index === undefined ? {} : { index }) };
}
