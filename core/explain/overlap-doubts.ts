import { differencePairs, type PairDifference } from "../adopt/pairs.ts";
import { formatPorts, isEmptyPorts, noPorts, subtractPorts, unionPorts, type PortSet } from "../address/ports.ts";
import { estatesOf } from "../estate/pair.ts";
import { placed } from "../guardrail/made-up-places.ts";
import { overlapInventories } from "../guardrail/overlaps.ts";
import type { Symbolic } from "../guardrail/symbolic.ts";
import { intentOf } from "../intent/intent.ts";
import type { Definitions, Rule, Segment } from "../model/kinds.ts";
import type { DiffDoubt } from "../reach/diff-lines.ts";
import type { Source } from "../reach/source.ts";

/** More doubts than this are counted. */
const MOST = 5;

/** Two revisions on made-up workloads. */
export interface MadeUpChange {
  readonly before: Definitions;
  readonly after: Definitions;
  /** What the workloads were made up from: segments of both. */
  readonly both: Definitions;
  readonly madeUp: Symbolic;
  readonly sources: readonly [Source, Source];
}

/**
 * What a change opens or closes for a workload that stands in several segments at once, and for none of those that stand in one: a rule to
 * a segment that nobody isolates opens what another segment isolates, where a workload is in both. Whether there is such a workload is known
 * only where workloads are seen, so it is a doubt. Only segments that the change touches are put together with others.
 */
export function overlapDoubts({ before, after, both, madeUp, sources }: MadeUpChange): readonly DiffDoubt[] {
  const touched = touchedSegments(before, after, both);
  if (touched.size === 0) return [];
  const { inventories, gaps, made } = overlapInventories(both, madeUp, touched);
  if (made.size === 0) return [];
  const [old, young] = estatesOf([before, after], placed(inventories));
  const wide = [intentOf(before, old, { as: "approved" }), intentOf(after, young, { as: "approved" })] as const;
  const known = differencePairs(sources[0], sources[1], sources[1]);
  const found = differencePairs(wide[0], wide[1], wide[1]);
  const doubts = new Map<string, DiffDoubt>();
  for (const side of ["opened", "closed"] as const) {
    for (const change of found.changes) {
      const ports = change[side];
      if (isEmptyPorts(ports) || ![change.from, change.to].some(({ workloads }) => workloads.some(({ id }) => made.has(id))))
        continue;
      const names = { from: segmentsOf(found, change.from), to: segmentsOf(found, change.to) };
      const more = subtractPorts(ports, expected(known, names, side));
      if (isEmptyPorts(more)) continue;
      const verb = side === "opened" ? "opens" : "closes";
      const text = `it ${verb} ${wordsOf(names.from)} → ${wordsOf(names.to)}: ${formatPorts(more)}, if there is such a workload; ask with --inventory, or the running service`;
      doubts.set(text, { text, pairs: undefined, witness: undefined });
    }
  }
  const told = [...doubts.values()];
  const rest = told.length - MOST;
  return [
    ...told.slice(0, MOST),
    ...(rest > 0 ? [plain(`${rest} more such connections of workloads in several segments`)] : []),
    ...gaps.map(plain),
  ];
}

function plain(text: string): DiffDoubt {
  return { text, pairs: undefined, witness: undefined };
}

/** Segments that the change defines otherwise, and ends of rules that only one side has. */
function touchedSegments(before: Definitions, after: Definitions, both: Definitions): ReadonlySet<string> {
  const changed = [...both.segments.keys()].filter((name) => {
    const [was, is] = [before.segments.get(name), after.segments.get(name)];
    return was === undefined || is === undefined || textOf(was) !== textOf(is);
  });
  const rules = [before, after].map(
    ({ policies }) =>
      new Map([...policies.values()].flatMap((policy) => policy.rules.map((rule) => [textOf(rule), rule] as const))),
  );
  const [was, is] = rules as [Map<string, Rule>, Map<string, Rule>]; // two definitions, two maps
  const parted = [...was, ...is].filter(([text]) => was.has(text) !== is.has(text)).map(([, rule]) => rule);
  return new Set([...changed, ...parted.flatMap(({ from, to }) => [...from, ...to])].filter((name) => both.segments.has(name)));
}

/** Without places and names of rules: what it says. */
function textOf(value: Segment | Rule): string {
  return JSON.stringify(value, (key, inner: unknown) => {
    if (key === "at" || key === "id") return undefined;
    return typeof inner === "bigint" ? String(inner) : inner;
  });
}

interface Ends {
  readonly from: readonly string[];
  readonly to: readonly string[];
}

/** What changed for made-up workloads of one segment each between the same segments. */
function expected({ changes, ...difference }: PairDifference, { from, to }: Ends, side: "opened" | "closed"): PortSet {
  const meets = (names: readonly string[], others: readonly string[]): boolean =>
    names.length === 0 ? others.length === 0 : names.some((name) => others.includes(name));
  return changes.reduce((ports, change) => {
    if (isEmptyPorts(change[side])) return ports;
    const isSame = meets(from, segmentsOf(difference, change.from)) && meets(to, segmentsOf(difference, change.to));
    return isSame ? unionPorts(ports, change[side]) : ports;
  }, noPorts);
}

function segmentsOf({ namesOf }: Pick<PairDifference, "namesOf">, one: PairDifference["classes"][number]): readonly string[] {
  return namesOf(one).filter((name) => name !== "any");
}

/** `db and sneaky`: a workload that is in both. */
function wordsOf(names: readonly string[]): string {
  if (names.length === 0) return "any";
  return names.length === 1 ? (names[0] ?? "") : `a workload in ${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
