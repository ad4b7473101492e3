import { listTargetRows, revision, type Store } from "../adapters/store/index.ts";
import type { Cluster, Definitions } from "../core/model/kinds.ts";
import { findTarget } from "../core/model/target.ts";
import type { DefinitionSource } from "./definitions.ts";

/** The clusters that definitions name, and those of orphans as their last revision said: they stay enforced, so they stay connected. */
export async function clustersInPlay(
  store: Store,
  source: DefinitionSource,
  definitions: Definitions,
  signal: AbortSignal,
): Promise<readonly Cluster[]> {
  const clusters = [...definitions.clusters.values()];
  for (const row of await listTargetRows(store)) {
    if (row.inGit || row.wantedSequence === null || !row.id.startsWith("cluster/")) continue;
    const frozen = await revision(store, row.wantedSequence);
    if (frozen === undefined) continue;
    const target = findTarget(await source.accepted(frozen.commit, signal), row.id);
    if (target?.kind === "cluster") clusters.push(target.cluster);
  }
  return clusters;
}
