import { estatesOf } from "../estate/pair.ts";
import { namedIn, symbolicPorts } from "../guardrail/symbolic-ports.ts";
import { symbolicInventories } from "../guardrail/symbolic.ts";
import { intentOf } from "../intent/intent.ts";
import type { ClusterInventory, PodPort } from "../membership/inventory.ts";
import { definitionsAt } from "../model/expiry.ts";
import type { Definitions, Segment, TargetId } from "../model/kinds.ts";
import { sourceDiff, type Diff } from "../reach/diff.ts";
import { overlapDoubts } from "./overlap-doubts.ts";
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
  const both = bothOf(old, young);
  const madeUp = inventories === undefined ? symbolicInventories(both) : undefined;
  const estates = estatesOf([old, young], madeUp?.inventories ?? inventories ?? new Map());
  const sources = [intentOf(old, estates[0], { as: "approved" }), intentOf(young, estates[1], { as: "approved" })] as const;
  const diff = sourceDiff(...sources);
  if (madeUp === undefined) return diff;
  const doubts = overlapDoubts({ before: old, after: young, both, madeUp, sources });
  return withNamedPorts({ ...diff, uncertain: [...diff.uncertain, ...doubts] }, symbolicPorts(both));
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
  return {
    ...after,
    segments,
    policies: joinPolicies(before.policies, after.policies),
    clusters: new Map([...before.clusters, ...after.clusters]),
  };
}

/** Rules of both, also of one policy: what they name is made up for either side. */
function joinPolicies(before: Definitions["policies"], after: Definitions["policies"]): Definitions["policies"] {
  const policies = new Map(before);
  for (const [name, policy] of after)
    policies.set(name, { ...policy, rules: [...policy.rules, ...(before.get(name)?.rules ?? [])] });
  return policies;
}

/** A name of which nobody knows the number: what a line says of it holds, and what else the number lets through is not known. */
function withNamedPorts(diff: Diff, ports: readonly PodPort[]): Diff {
  const found = new Set([...diff.opened, ...diff.closed].flatMap((line) => namedIn(line, ports)));
  const doubts = [...found].map(({ name, protocol, port }) => ({
    text: `the number behind the named port ${name}/${protocol} is known only where workloads are seen; here ${port} stands for it`,
    pairs: undefined,
    witness: undefined,
  }));
  return { ...diff, uncertain: [...diff.uncertain, ...doubts] };
}

function textOf({ members, not }: Segment): string {
  return JSON.stringify([members, not], (key, value: unknown) => {
    if (key === "at") return undefined;
    return typeof value === "bigint" ? String(value) : value;
  });
}
