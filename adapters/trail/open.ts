/**
 * Opening the audit log: one owner, one key, one log.
 *
 *   key   log   remembered  
 *   no    no    no            both are made
 *   yes   no    no            a log is made for the key that was put there
 *   yes   yes   any           opened, after checking that it extends what is remembered
 *   yes   no    yes           AUDIT_CORRUPT: the log is gone
 *   no    yes   any           AUDIT_CORRUPT: the key is gone
 *   no    no    yes           AUDIT_CORRUPT: both are gone
 *
 * A log is there when its folder has a checkpoint or tiles. Refused is refused until a person puts the missing part back, or says
 * `startOver`: then what is there is set aside under another name, never deleted, and a new log begins with a new key. A key signs
 * one log, ever: a second log under it would look like a fork of the first.
 */
import { hkdfSync, randomBytes, randomUUID } from "node:crypto";
import { dirname, join } from "node:path";
import { signCheckpoint } from "../../core/audit/checkpoint.ts";
import type { AuditOrigin } from "../../core/audit/fields.ts";
import { isKeyName, type NoteSigner } from "../../core/audit/key.ts";
import { EMPTY_ROOT } from "../../core/audit/merkle.ts";
import { CHECKPOINT_PATH } from "../../core/audit/tiles.ts";
import { EMPTY_EDGE } from "../../core/audit/tree.ts";
import { FirebreakError, hasCode } from "../../core/ground/error.ts";
import { type Disk, realDisk } from "./disk.ts";
import { DurableFiles, makeFolder } from "./durable.ts";
import { FileTrail } from "./file-trail.ts";
import { folderReader } from "./files.ts";
import { createSigner, type KeyFiles, keyFiles, readSigner } from "./keys.ts";
import { loadLog, type LoadedLog } from "./load.ts";
import { type HeldLock, lockFile } from "./lock.ts";
import { EntryMemory } from "./memory.ts";
import { LogWriter, removeBeyond } from "./writer.ts";

/** The verifier key as it lies in the log's folder, so that an export has it. To verify, use one that was kept elsewhere. */
export const VERIFIER_KEY_PATH = "verifier-key";

/** How to open a log. */
export interface OpenTrailOptions {
  /** The log's folder, absolute; beside it lies FOLDER.lock. */
  readonly folder: string;
  /** The log's name: first line of every checkpoint and name of its key; a URL without scheme by custom, no white space, no plus. */
  readonly origin: string;
  /** The signing key, made with mode 0600 when there is none yet; FILE.pub is its verifier key, FILE.head the newest checkpoint. */
  readonly privateKeyFile: string;
  /** Who the entries come from that name nobody else. */
  readonly producer: AuditOrigin;
  readonly now: () => Date;
  /** Set what cannot be opened aside, and begin a new log with a new key. Default false. */
  readonly startOver?: boolean;
  /** For tests. */
  readonly disk?: Disk;
  readonly lock?: (path: string) => Promise<HeldLock>;
}

/**
 * Opens the log, or makes it, and logs `log.started`.
 *
 * Throws STATE_LOCKED when another process has it open, AUDIT_CORRUPT for a log, key or remembered checkpoint that is missing or
 * contradicts the others, CONFIG_INVALID for a key that does not read, AUDIT_UNAVAILABLE when the disk fails.
 */
export async function openTrail(options: OpenTrailOptions): Promise<FileTrail> {
  const { folder, disk = realDisk, lock = lockFile } = options;
  if (!isKeyName(options.origin))
    throw new FirebreakError("CONFIG_INVALID", `open the audit log: ${JSON.stringify(options.origin)} cannot name a log`);
  await onDisk(`make ${dirname(folder)}`, makeFolder(disk, dirname(folder)));
  const held = await lock(`${folder}.lock`);
  try {
    return await onDisk(`open the audit log in ${folder}`, openLocked(options, disk, held));
  } catch (error) {
    await held.release();
    throw error;
  }
}

async function openLocked(options: OpenTrailOptions, disk: Disk, lock: HeldLock): Promise<FileTrail> {
  const { folder } = options;
  const files = keyFiles(options.privateKeyFile);
  const opened = await openOrStartOver(options, disk, files);
  const removed = await removeBeyond(disk, folder, opened.state.edge.size);

  // What is seen may not be durable yet (a crash between rename and fsync): written again before anything relies on it.
  const durable = new DurableFiles(disk, folder);
  await durable.put([
    { path: join(folder, CHECKPOINT_PATH), bytes: Buffer.from(opened.state.checkpoint) },
    { path: join(folder, VERIFIER_KEY_PATH), bytes: Buffer.from(`${opened.signer.verifier.text}\n`) },
  ]);

  const writer = new LogWriter({ disk, folder, signer: opened.signer }, opened.state);
  const { memory } = opened;
  const verifierKey = opened.signer.verifier.text;
  const isNew = opened.state.edge.size === 0;
  const sealKey = sealKeyOf(opened.signer);
  const trail = new FileTrail({ ...options, disk, lock, writer, memory, headFile: files.head, verifierKey, sealKey, isNew });
  const detail = {
    size: opened.state.edge.size,
    filesRemoved: removed,
    ...(opened.setAside === undefined ? {} : { setAside: opened.setAside }),
  };
  await trail.append([{ type: "log.started", id: `log.started/${randomUUID()}`, outcome: "ok", detail }]);
  return trail;
}

/** A key that only who holds the log's key can make, the same for ever: Ed25519 signatures are. */
function sealKeyOf(signer: NoteSigner): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", signer.sign(Buffer.from("firebreak marks v1")), "", "firebreak marks v1", 32));
}

interface Opened extends LoadedLog {
  readonly signer: NoteSigner;
  /** Why what was there before could not be opened, when it was set aside. */
  readonly setAside?: string;
}

async function openOrStartOver(options: OpenTrailOptions, disk: Disk, files: KeyFiles): Promise<Opened> {
  try {
    return await openOrMake(options, disk, files);
  } catch (error) {
    if (options.startOver !== true || !hasCode(error, "AUDIT_CORRUPT")) throw error;
    const suffix = `.before-${options.now().toISOString().replaceAll(":", "")}`;
    await setAside(disk, [options.folder, files.secret, files.verifier, files.head], suffix);
    return { ...(await openOrMake(options, disk, files)), setAside: (error as Error).message };
  }
}

async function openOrMake(options: OpenTrailOptions, disk: Disk, files: KeyFiles): Promise<Opened> {
  const { folder, origin } = options;
  const signer = await readSigner(disk, files, origin);
  const head = await disk.readFile(join(folder, CHECKPOINT_PATH));
  const remembered = await disk.readFile(files.head);
  if (head !== undefined && signer === undefined) throw missing(`its key ${files.secret} is gone: put it back`);
  if (head !== undefined && signer !== undefined) {
    return { signer, ...(await loadLog(folderReader(folder, disk), signer.verifier, remembered)) };
  }
  if (remembered !== undefined) throw missing(`the log in ${folder} is gone, and ${files.head} remembers one: put it back`);
  if ((await disk.list(join(folder, "tile"))).length > 0) throw missing(`${folder} has tiles and no checkpoint: put it back`);

  const made = signer ?? (await createSigner(disk, files, origin, randomBytes(32)));
  const checkpoint = signCheckpoint({ origin, size: 0, root: EMPTY_ROOT }, made);
  // The empty log is signed before its first tile, so that tiles without a checkpoint always mean that one was lost.
  await new DurableFiles(disk, folder).put([{ path: join(folder, CHECKPOINT_PATH), bytes: Buffer.from(checkpoint) }]);
  return { signer: made, state: { edge: EMPTY_EDGE, bundle: [], checkpoint }, memory: new EntryMemory() };
}

async function setAside(disk: Disk, paths: readonly string[], suffix: string): Promise<void> {
  for (const path of paths) {
    const names = await disk.list(dirname(path));
    if (!names.includes(path.slice(dirname(path).length + 1))) continue;
    await disk.rename(path, `${path}${suffix}`);
    await disk.syncFolder(dirname(path));
  }
}

function missing(why: string): FirebreakError {
  return new FirebreakError("AUDIT_CORRUPT", `open the audit log: ${why}, or start over`);
}

/** Passes our own errors on, and turns the disk's into AUDIT_UNAVAILABLE. */
export async function onDisk<Value>(doing: string, work: Promise<Value>): Promise<Value> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof FirebreakError) throw cause;
    throw new FirebreakError("AUDIT_UNAVAILABLE", doing, { cause });
  }
}
