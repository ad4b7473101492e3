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

/** In the history of the first, of the second, and below a commit that is in both. */
const OF_A = 1;
const OF_B = 2;
const BELOW = 4;

/**
 * The best common ancestors of two commits: those that no other common ancestor has in its history.
 *
 * Newest first, as `git merge-base --all` walks (commit-reach.c, paint_down_to_common). Clocks may lie, so what it finds is held
 * against the histories once more.
 */
export async function commonAncestors(store: ObjectStore, a: string, b: string, signal: AbortSignal): Promise<readonly string[]> {
  const flags = new Map<string, number>();
  const infos = new Map<string, CommitInfo>();
  const waiting = new Set<string>();
  const found = new Set<string>();
  const paint = async (commit: string, flag: number): Promise<void> => {
    const before = flags.get(commit) ?? 0;
    if ((before | flag) === before) return;
    flags.set(commit, before | flag);
    if (!infos.has(commit)) infos.set(commit, await readCommitInfo(store, commit));
    waiting.add(commit);
  };
  await paint(a, OF_A);
  await paint(b, OF_B);
  while ([...waiting].some((commit) => ((flags.get(commit) ?? 0) & BELOW) === 0)) {
    signal.throwIfAborted();
    const commit = newest(waiting, infos);
    if (commit === undefined) break;
    waiting.delete(commit);
    let flag = flags.get(commit) ?? 0;
    if ((flag & (OF_A | OF_B)) === (OF_A | OF_B) && (flag & BELOW) === 0) {
      found.add(commit);
      flag |= BELOW;
    }
    for (const parent of infos.get(commit)?.parents ?? []) await paint(parent, flag);
  }
  return await withoutAncestors(
    store,
    [...found].filter((commit) => ((flags.get(commit) ?? 0) & BELOW) === 0),
    signal,
  );
}

function newest(waiting: ReadonlySet<string>, infos: ReadonlyMap<string, CommitInfo>): string | undefined {
  let best: string | undefined;
  const timeOf = (commit: string): number => infos.get(commit)?.committedAt ?? 0;
  for (const commit of waiting) if (best === undefined || timeOf(commit) > timeOf(best)) best = commit;
  return best;
}

async function withoutAncestors(store: ObjectStore, commits: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
  const best: string[] = [];
  for (const commit of commits) {
    const others = commits.filter((other) => other !== commit);
    const isBelow = await Promise.all(others.map(async (other) => await isInHistory(store, commit, other, signal)));
    if (!isBelow.includes(true)) best.push(commit);
  }
  return best;
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
