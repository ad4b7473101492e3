import { estatesOf } from "../estate/pair.ts";
import { placed } from "../guardrail/made-up-places.ts";
import { namedIn, symbolicPorts } from "../guardrail/symbolic-ports.ts";
import { symbolicInventories } from "../guardrail/symbolic.ts";
import { intentOf } from "../intent/intent.ts";
import type { ClusterInventory, PodPort } from "../membership/inventory.ts";
import { definitionsAt } from "../model/expiry.ts";
import type { Definitions, Segment, TargetId } from "../model/kinds.ts";
import { sourceDiff, type Diff, type DiffLine } from "../reach/diff.ts";
import { overlapDoubts } from "./overlap-doubts.ts";
import type { Source } from "../reach/source.ts";
import { unusedName } from "../ground/unused-name.ts";
import { asIfAppliedPair } from "../guardrail/world.ts";

/**
 * What changes in connections from one revision to another, on the same workloads.
 *
 * @param inventories workloads of now; undefined: made up from both revisions, every target as if it were applied, but where the second begins to apply it
 * @param now ms since the epoch: which policies have expired
 */
export function revisionDiff(
  before: Definitions,
  after: Definitions,
  inventories: ReadonlyMap<TargetId, ClusterInventory> | undefined,
  now: number,
): Diff {
  const at = (definitions: Definitions): Definitions => definitionsAt(definitions, now).definitions;
  const [old, young] = inventories === undefined ? asIfAppliedPair(at(before), at(after)) : ([at(before), at(after)] as const);
  const both = bothOf(old, young);
  const madeUp = inventories === undefined ? symbolicInventories(both) : undefined;
  const estates = estatesOf([old, young], madeUp === undefined ? (inventories ?? new Map()) : placed(madeUp.inventories));
  const read = (as: "approved" | "enforceable"): readonly [Source, Source] => [
    intentOf(old, estates[0], { as }),
    intentOf(young, estates[1], { as }),
  ];
  const sources = read("approved");
  const meant = sourceDiff(...sources);
  const diff =
    isMasqueraded(old) || isMasqueraded(young)
      ? { ...meant, notes: [...meant.notes, ...knownNotes(meant, sourceDiff(...read("enforceable")))] }
      : meant;
  if (madeUp === undefined) return diff;
  const doubts = overlapDoubts({ before: old, after: young, both, madeUp, sources });
  return withNamedPorts({ ...diff, uncertain: [...diff.uncertain, ...doubts] }, symbolicPorts(both));
}

function isMasqueraded({ clusters }: Definitions): boolean {
  return [...clusters.values()].some(({ podNetwork }) => podNetwork === "masqueraded");
}

/** Lines told of what enforcers can know, each way. */
const MOST_TOLD = 10;

/**
 * What enforcers can make of a difference where that is not the same, each a sentence: pods of a masqueraded cluster have no address outside
 * it (unenforceable here), and come from the addresses of their nodes (widened here).
 */
export function knownNotes(meant: Diff, known: Diff): readonly string[] {
  const textOf =
    (verb: string) =>
    ({ fromFull, toFull, ports }: DiffLine): string =>
      `${verb} ${fromFull} → ${toFull}: ${ports}`;
  const linesOf = ({ opened, closed }: Diff): readonly string[] => [
    ...opened.map(textOf("opens")),
    ...closed.map(textOf("closes")),
  ];
  const [said, done] = [new Set(linesOf(meant)), new Set(linesOf(known))];
  const tell = (lines: readonly string[], before: string): readonly string[] => [
    ...lines.slice(0, MOST_TOLD).map((line) => `${before}${line}`),
    ...(lines.length > MOST_TOLD ? [`${before}${lines.length - MOST_TOLD} more; firebreak plan lists them`] : []),
  ];
  return [
    ...tell(
      [...said].filter((line) => !done.has(line)),
      "enforcers cannot know all whom this means (unenforceable here, or widened here): ",
    ),
    ...tell(
      [...done].filter((line) => !said.has(line)),
      "as enforcers can know it, it ",
    ),
  ];
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
