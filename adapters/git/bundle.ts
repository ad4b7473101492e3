import { writeObject } from "isomorphic-git";
import fs from "node:fs";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { FirebreakError } from "../../core/ground/error.ts";
import { COMMIT_LIMITS as LIMITS } from "../../core/model/source.ts";
import { readFiles } from "./files.ts";
import type { ObjectStore } from "./objects.ts";

/** What of a commit is needed to read its definitions: the commit, the trees down to each file, the files. Without history. */
interface GitObject {
  readonly type: "commit" | "tree" | "blob";
  readonly bytes: Uint8Array;
}

const TYPES = ["commit", "tree", "blob"] as const;
/** Type and length, before the bytes of each object. */
const HEAD_BYTES = 5;
/** A larger one is not kept: it would travel through the database. */
export const MAX_BUNDLE_BYTES = 16 * 1024 * 1024;
/** Inflated: the files of a commit at their limit, and trees for as many. */
const MAX_OBJECT_BYTES = LIMITS.totalBytes + 32 * 1024 * 1024;

/**
 * One commit and everything below `path`, as bytes that can be kept anywhere: every object is named by the hash of what it holds, so
 * whoever reads them back by the commit's id reads this or nothing.
 *
 * @throws FirebreakError LIMIT_EXCEEDED
 */
export async function bundleOf(store: ObjectStore, commit: string, path: string, signal: AbortSignal): Promise<Uint8Array> {
  // What reading the definitions reads is what reading them again will need.
  const objects = new Map<string, GitObject>();
  await readFiles({ ...store, onRead: (oid, type, bytes) => objects.set(oid, { type, bytes }) }, commit, path, signal);
  const bundle = await promisify(gzip)(
    Buffer.concat([...objects.values()].flatMap(({ type, bytes }) => [headOf(type, bytes), bytes])),
  );
  if (bundle.byteLength > MAX_BUNDLE_BYTES) throw tooLarge(commit);
  return bundle;
}

/**
 * Puts what a bundle holds into a folder of objects. Nothing of it is believed: an object that is not what a commit names gets another
 * id, and nobody asks for that.
 *
 * @throws FirebreakError LIMIT_EXCEEDED, DEFINITION_INVALID for bytes that are no bundle
 */
export async function unbundle(gitdir: string, bundle: Uint8Array, signal: AbortSignal): Promise<void> {
  if (bundle.byteLength > MAX_BUNDLE_BYTES) throw tooLarge("a kept commit");
  let bytes: Buffer;
  try {
    bytes = await promisify(gunzip)(bundle, { maxOutputLength: MAX_OBJECT_BYTES });
  } catch (cause) {
    throw new FirebreakError("DEFINITION_INVALID", "the kept copy of a commit cannot be read", { cause });
  }
  for (const { type, bytes: object } of objectsOf(bytes)) {
    signal.throwIfAborted();
    await writeObject({ fs, gitdir, type, object, format: "content" });
  }
}

function headOf(type: GitObject["type"], bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt8(TYPES.indexOf(type), 0);
  head.writeUInt32BE(bytes.byteLength, 1);
  return head;
}

function* objectsOf(bytes: Buffer): Generator<GitObject> {
  for (let at = 0; at < bytes.byteLength;) {
    const type = TYPES[bytes[at] ?? -1];
    const length = at + HEAD_BYTES <= bytes.byteLength ? bytes.readUInt32BE(at + 1) : Infinity;
    const end = at + HEAD_BYTES + length;
    if (type === undefined || end > bytes.byteLength)
      throw new FirebreakError("DEFINITION_INVALID", "the kept copy of a commit is cut off");
    yield { type, bytes: bytes.subarray(at + HEAD_BYTES, end) };
    at = end;
  }
}

function tooLarge(commit: string): FirebreakError {
  return new FirebreakError("LIMIT_EXCEEDED", `${commit} is too large to be kept beside Git`);
}
