import { parseVerifierKey } from "../../core/audit/key.ts";
import { type LogVerdict, verifyLog } from "../../core/audit/verify.ts";
import { folderReader } from "./files.ts";
import { onDisk } from "./open.ts";

/** What to verify a folder against. */
export interface VerifyTrailOptions {
  /** The pinned key, `NAME+HASH+base64`: from elsewhere, never the one that lies in the folder. */
  readonly verifierKey: string;
  /** A signed checkpoint seen earlier. */
  readonly olderCheckpoint?: string | undefined;
}

/**
 * Verifies a log's folder, or an export, whole; it may run while the log is being appended to.
 * Throws CONFIG_INVALID for a key that does not read, AUDIT_UNAVAILABLE when the disk fails.
 */
export async function verifyTrail(folder: string, { verifierKey, olderCheckpoint }: VerifyTrailOptions): Promise<LogVerdict> {
  const older = olderCheckpoint === undefined ? undefined : Buffer.from(olderCheckpoint);
  const verifier = parseVerifierKey(verifierKey);
  return onDisk(`verify the audit log in ${folder}`, verifyLog(folderReader(folder), { verifier, olderCheckpoint: older }));
}
