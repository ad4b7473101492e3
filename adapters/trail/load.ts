/** Loading a log that is there: believing nothing that its checkpoint does not cover, and refusing what contradicts it. */
import { type Checkpoint, openCheckpoint } from "../../core/audit/checkpoint.ts";
import type { NoteVerifier } from "../../core/audit/key.ts";
import { equalBytes, leafHash, verifyConsistency } from "../../core/audit/merkle.ts";
import { proveConsistency } from "../../core/audit/prove.ts";
import { isProblem, type LogReader, readTile } from "../../core/audit/reader.ts";
import { TILE_WIDTH } from "../../core/audit/tiles.ts";
import { edgeRoot, type TreeEdge } from "../../core/audit/tree.ts";
import { FirebreakError } from "../../core/model/error.ts";
import { readBundleEntries, readEdge } from "./files.ts";
import type { LogState } from "./writer.ts";

/**
 * The state of a log whose checkpoint is `head`, after checking that it is signed by our key, that the end of the log is what it
 * covers, and that it extends the checkpoint we remember. The whole log is what `firebreak audit verify` is for.
 *
 * Throws AUDIT_CORRUPT.
 */
export async function loadLog(
  reader: LogReader,
  head: Uint8Array,
  verifier: NoteVerifier,
  remembered: Uint8Array | undefined,
): Promise<LogState> {
  const checkpoint = openOurs(head, verifier, "the checkpoint of the log");
  const edge = await readEdge(reader, checkpoint.size);
  if (!equalBytes(edgeRoot(edge), checkpoint.root))
    throw corrupt("the last tiles of the log do not have the root of its checkpoint");
  const bundle = await loadEnd(reader, edge);
  if (remembered !== undefined)
    await checkExtends(reader, checkpoint, openOurs(remembered, verifier, "the checkpoint kept beside the key"));
  return { edge, bundle, checkpoint: Buffer.from(head).toString() };
}

/** The entries of the unfinished bundle (none when the last one is full), after comparing the last bundle with its leaf hashes. */
async function loadEnd(reader: LogReader, edge: TreeEdge): Promise<readonly Uint8Array[]> {
  if (edge.size === 0) return [];
  const last = Math.floor((edge.size - 1) / TILE_WIDTH);
  const entries = await readBundleEntries(reader, last, edge.size);
  const hashes = await readTile(reader, 0, last, edge.size);
  if (isProblem(hashes)) throw corrupt(`${hashes.path} is ${hashes.problem}`);
  const wrong = entries.findIndex((entry, index) => !equalBytes(leafHash(entry), hashes[index] ?? new Uint8Array(0)));
  if (wrong >= 0) throw corrupt(`entry ${last * TILE_WIDTH + wrong} is not what its leaf hash says`);
  return entries.length === TILE_WIDTH ? [] : entries;
}

async function checkExtends(reader: LogReader, now: Checkpoint, before: Checkpoint): Promise<void> {
  if (before.size > now.size) throw corrupt(`the log was rolled back: it had ${before.size} entries and now has ${now.size}`);
  const proof = await proveConsistency(reader, before.size, now.size);
  if (!verifyConsistency(before.size, now.size, before.root, now.root, proof)) {
    throw corrupt(`the log was rewritten: its first ${before.size} entries are not those of the checkpoint kept beside the key`);
  }
}

function openOurs(bytes: Uint8Array, verifier: NoteVerifier, what: string): Checkpoint {
  const opened = openCheckpoint(bytes, verifier);
  if (opened.verdict === "rejected") throw corrupt(`${what} is refused: ${opened.why}`);
  return opened.checkpoint;
}

function corrupt(why: string): FirebreakError {
  return new FirebreakError("AUDIT_CORRUPT", `open the audit log: ${why}`);
}
