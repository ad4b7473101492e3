import type { Cluster, Definitions } from "../core/model/kinds.ts";
import { listGone, readOrphans, type OrphanParts } from "./orphans.ts";

/** The clusters that definitions name, and those of orphans as their last revision said: they stay enforced, so they stay connected. */
export async function clustersInPlay(parts: OrphanParts, definitions: Definitions): Promise<readonly Cluster[]> {
  const orphans = await readOrphans(parts, await listGone(parts));
  return [...definitions.clusters.values(), ...orphans.flatMap((orphan) => (orphan.kind === "cluster" ? [orphan.cluster] : []))];
}
