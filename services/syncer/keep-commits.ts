import { forgetCommits, keepCommit, listKeptCommits, listTargetRows } from "../../adapters/store/index.ts";
import { hasCode } from "../../core/ground/error.ts";
import type { SyncerContext } from "./context.ts";

/**
 * Keeps in the store a copy of each commit that something is compared with: of the revision in force, of what targets have and are given,
 * and of what orphans had. A drift detector that starts on an empty disk while Git is away compares all the same.
 *
 * @param tooLarge commits that were found too large to be kept, by this function
 */
export async function keepCommits(context: SyncerContext, tooLarge: Set<string>): Promise<void> {
  const { store, repository, accepted, inForce, log, signal } = context;
  const needed = new Set(inForce === undefined ? [] : [inForce.sequence]);
  for (const { appliedSequence, intent, inGit, wantedSequence } of await listTargetRows(store)) {
    for (const sequence of [appliedSequence, intent?.sequence, inGit ? null : wantedSequence])
      if (typeof sequence === "number") needed.add(sequence);
  }
  const commits = new Set([...needed].flatMap((sequence) => accepted.commitOf(sequence) ?? []));
  const kept = await listKeptCommits(store);
  for (const commit of commits) {
    if (kept.has(commit) || tooLarge.has(commit)) continue;
    try {
      await keepCommit(store, commit, await repository.bundle(commit, signal));
    } catch (error) {
      if (!hasCode(error, "LIMIT_EXCEEDED")) throw error;
      tooLarge.add(commit);
      log.warn({ commit, error }, "no copy is kept: a drift detector that has none cannot compare while Git is away");
    }
  }
  await forgetCommits(
    store,
    [...kept].filter((commit) => !commits.has(commit)),
  );
}
