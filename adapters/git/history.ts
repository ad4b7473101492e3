import { parseCommit } from "./commit.ts";
import type { CommitInfo } from "./commit.ts";
import { isNotFound } from "./errors.ts";
import { readRaw } from "./objects.ts";
import type { ObjectStore } from "./objects.ts";

/** One commit. Missing: isomorphic-git's NotFoundError. */
export async function readCommitInfo(store: ObjectStore, commit: string): Promise<CommitInfo> {
  return parseCommit(commit, await readRaw(store, commit, "commit"));
}

/**
 * True when `ancestor` is `commit` or in its history. The history here is always whole (no shallow fetches), so what is not
 * found in it is not there, also when `ancestor` itself is unknown.
 */
export async function isInHistory(store: ObjectStore, ancestor: string, commit: string, signal: AbortSignal): Promise<boolean> {
  const seen = new Set([commit]);
  // Breadth first: the revision in force is nearly always a few commits back.
  let level: readonly string[] = [commit];
  while (level.length > 0) {
    if (level.includes(ancestor)) return true;
    const next: string[] = [];
    for (const oid of level) {
      signal.throwIfAborted();
      for (const parent of (await readCommitInfo(store, oid)).parents) {
        if (seen.has(parent)) continue;
        seen.add(parent);
        next.push(parent);
      }
    }
    level = next;
  }
  return false;
}

/** The branch's own line (first parents) from `to` back to `from`, without `from`, newest first, at most `limit`. */
export async function firstParents(
  store: ObjectStore,
  from: string | undefined,
  to: string,
  limit: number,
  signal: AbortSignal,
): Promise<readonly CommitInfo[]> {
  const line: CommitInfo[] = [];
  let next: string | undefined = to;
  while (next !== undefined && next !== from && line.length < limit) {
    signal.throwIfAborted();
    const info: CommitInfo = await readCommitInfo(store, next);
    line.push(info);
    next = info.parents[0];
  }
  return line;
}

/** True when the commit is in the object store. */
export async function hasCommit(store: ObjectStore, commit: string): Promise<boolean> {
  try {
    await readRaw(store, commit, "commit");
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
