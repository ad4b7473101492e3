import type { ClusterInventory } from "../membership/inventory.ts";
import type { Definitions, TargetId } from "../model/kinds.ts";
import type { Target } from "../model/target.ts";
import { estateOf } from "./build.ts";
import type { Estate } from "./estate.ts";

/**
 * The workloads as two revisions have them: one and the same estate when they say the same of targets and externals, so that comparing
 * them looks only at what differs (`sourceDiff`).
 */
export function estatesOf(
  [before, after]: readonly [Definitions, Definitions],
  inventories: ReadonlyMap<TargetId, ClusterInventory>,
  orphans: readonly Target[] = [],
): readonly [Estate, Estate] {
  const later = estateOf(after, inventories, orphans);
  return [placesOf(before) === placesOf(after) ? later : estateOf(before, inventories, orphans), later];
}

/** All that an estate takes from definitions, as text; where it stands in a file does not count. */
function placesOf({ clusters, fleets, externals }: Definitions): string {
  const lists = [clusters, fleets, externals].map((map) => [...map.values()]);
  return JSON.stringify(lists, (key, value: unknown) => {
    if (key === "at") return undefined;
    return typeof value === "bigint" ? String(value) : value;
  });
}
