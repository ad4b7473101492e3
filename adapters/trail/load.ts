/** Loading a log that is there: every entry is verified before any is obeyed. */
import type { NoteVerifier } from "../../core/audit/key.ts";
import type { LogReader } from "../../core/audit/reader.ts";
import { CHECKPOINT_PATH, TILE_WIDTH } from "../../core/audit/tiles.ts";
import { verifyLog } from "../../core/audit/verify.ts";
import { FirebreakError } from "../../core/ground/error.ts";
import { readBundleEntries, readEdge } from "./files.ts";
import { EntryMemory } from "./memory.ts";
import type { LogState } from "./writer.ts";

/** A log that was verified: where it goes on, and what is remembered of its entries. */
export interface LoadedLog {
  readonly state: LogState;
  readonly memory: EntryMemory;
}

/**
 * Loads a log after verifying all of it as `firebreak audit verify` does: every entry is what its leaf hash says, the tree has the root
 * that our key signed, and it extends the checkpoint that we remember. Its entries are read once for both.
 *
 * Throws AUDIT_CORRUPT.
 */
export async function loadLog(reader: LogReader, verifier: NoteVerifier, remembered: Uint8Array | undefined): Promise<LoadedLog> {
  const memory = new EntryMemory();
  const verdict = await verifyLog(reader, {
    verifier,
    olderCheckpoint: remembered,
    onEntry: (entry) => memory.add(entry),
  });
  if (verdict.verdict === "rejected") {
    const where = verdict.index === undefined ? "" : `, first at entry ${verdict.index}`;
    throw new FirebreakError("AUDIT_CORRUPT", `open the audit log: REJECTED ${verdict.reason}: ${verdict.why}${where}`);
  }
  const head = await reader.readFile(CHECKPOINT_PATH);
  const { size } = verdict.checkpoint;
  const edge = await readEdge(reader, size);
  const bundle = size % TILE_WIDTH === 0 ? [] : await readBundleEntries(reader, Math.floor(size / TILE_WIDTH), size);
  return { state: { edge, bundle, checkpoint: Buffer.from(head ?? []).toString() }, memory };
}
