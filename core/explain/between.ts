import { estatesOf } from "../estate/pair.ts";
import { symbolicInventories } from "../guardrail/symbolic.ts";
import { intentOf } from "../intent/intent.ts";
import type { ClusterInventory } from "../membership/inventory.ts";
import { definitionsAt } from "../model/expiry.ts";
import type { Definitions, Segment, TargetId } from "../model/kinds.ts";
import { sourceDiff, type Diff } from "../reach/diff.ts";
import { unusedName } from "../ground/unused-name.ts";
import { asIfApplied } from "../guardrail/world.ts";

/**
 * What changes in connections from one revision to another, on the same workloads.
 *
 * @param inventories workloads of now; undefined: made up from both revisions, every target as if it were applied
 * @param now ms since the epoch: which policies have expired
 */
export function revisionDiff(
  before: Definitions,
  after: Definitions,
  inventories: ReadonlyMap<TargetId, ClusterInventory> | undefined,
  now: number,
): Diff {
  const at = (definitions: Definitions): Definitions => {
    const then = definitionsAt(definitions, now).definitions;
    return inventories === undefined ? asIfApplied(then).definitions : then;
  };
  const [old, young] = [at(before), at(after)];
  const workloads = inventories ?? symbolicInventories(bothOf(old, young)).inventories;
  const estates = estatesOf([old, young], workloads);
  return sourceDiff(intentOf(old, estates[0], { as: "approved" }), intentOf(young, estates[1], { as: "approved" }));
}

/** Segments and clusters of both, so that there is a workload for each; a segment that changed is there twice. */
function bothOf(before: Definitions, after: Definitions): Definitions {
  const segments = new Map<string, Segment>(after.segments);
  for (const segment of before.segments.values()) {
    const other = after.segments.get(segment.name);
    if (other !== undefined && textOf(other) === textOf(segment)) continue;
    const taken = new Set([...segments.keys(), ...before.segments.keys()]);
    const name = other === undefined ? segment.name : unusedName(`${segment.name}-before`, taken);
    segments.set(name, { ...segment, name });
  }
  return { ...after, segments, clusters: new Map([...before.clusters, ...after.clusters]) };
}

function textOf({ members, not }: Segment): string {
  return JSON.stringify([members, not], (key, value: unknown) => {
    if (key === "at") return undefined;
    return typeof value === "bigint" ? String(value) : value;
  });
}
