import { readObject } from "isomorphic-git";
import fs from "node:fs";
import { FirebreakError } from "../../core/ground/error.ts";

/** A folder with Git objects: a bare repository, or the `.git` of a work tree. Read only through this file. */
export interface ObjectStore {
  readonly gitdir: string;
  /** isomorphic-git's cache of parsed pack indexes; lives as long as one operation, because it holds whole packs. */
  readonly cache: object;
  /** Told of each object that is read. */
  readonly onRead?: (oid: string, type: "commit" | "tree" | "blob", bytes: Uint8Array) => void;
}

/** One entry of a tree; `mode` as Git writes it, six digits. */
export interface TreeEntry {
  readonly mode: string;
  readonly name: string;
  readonly oid: string;
}

/** Objects of a folder, for one operation. */
export function objectsIn(gitdir: string): ObjectStore {
  return { gitdir, cache: {} };
}

/** The bytes of an object, which must be of this type. Missing: isomorphic-git's NotFoundError. */
export async function readRaw(store: ObjectStore, oid: string, type: "commit" | "tree" | "blob"): Promise<Uint8Array> {
  const found = await readObject({ fs, gitdir: store.gitdir, cache: store.cache, oid, format: "content" });
  if (found.type !== type || !(found.object instanceof Uint8Array)) {
    throw new FirebreakError("DEFINITION_INVALID", `Git object ${oid} is a ${found.type}, not a ${type}`);
  }
  store.onRead?.(oid, type, found.object);
  return found.object;
}

/**
 * The entries of a tree. Parsed here, because isomorphic-git normalises modes (100664 becomes 100644), and what is not a plain
 * file must be seen as it is. Format: `MODE SP NAME NUL 20-BYTE-OID`, repeated.
 */
export function parseTree(bytes: Uint8Array): readonly TreeEntry[] {
  const entries: TreeEntry[] = [];
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < buffer.length;) {
    const space = buffer.indexOf(0x20, at);
    const nul = buffer.indexOf(0, space + 1);
    if (space < 0 || nul < 0 || nul + 21 > buffer.length) throw new FirebreakError("DEFINITION_INVALID", "a Git tree is cut off");
    entries.push({
      mode: buffer.toString("latin1", at, space).padStart(6, "0"),
      name: buffer.toString("utf8", space + 1, nul),
      oid: buffer.toString("hex", nul + 1, nul + 21),
    });
    at = nul + 21;
  }
  return entries;
}
