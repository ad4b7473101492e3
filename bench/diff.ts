/**
 * What changes between two revisions, over growing estates: `npm run bench -- diff`.
 *
 * Aim: 100,000 workloads, 2,000 segments, 5,000 rules: the difference of a one-policy change in 200 ms, once both sources are there. The
 * peer is the same difference computed without knowing that the estate is the same: every end is compared. Both in one run; medians of
 * three.
 */
import { estateOf } from "../core/estate/build.ts";
import type { Estate } from "../core/estate/estate.ts";
import { intentOf } from "../core/intent/intent.ts";
import type { Definitions, Policy, Rule, Segment } from "../core/model/kinds.ts";
import { sourceDiff } from "../core/reach/diff.ts";
import { heapInUse } from "./heap.ts";
import { formatBytes, formatMs, formatRatio, median, printFigure, printTitle, timed } from "./report.ts";
import { APPS_PER_NAMESPACE, CLUSTER, definitionFiles, definitionsOf, inventoryOf } from "./synthetic.ts";

const APPS = 2000;
const RULES = 5000;
const RUNS = 3;
/** Without sharing, the work grows with the square of the classes: measured for as many segments as one can wait for. */
const WHOLE_APPS = 500;

/** Prints the section. */
export async function benchDiff(): Promise<void> {
  printTitle(`The difference of two revisions: ${APPS} segments, ${RULES} rules, one policy opened`);
  for (const workloads of [10_000, 30_000, 100_000]) await measure(workloads);
  await compareWhole();
}

async function measure(workloads: number): Promise<void> {
  const before = organisation(APPS, RULES);
  const after = opened(before);
  const { ms: estateMs, result: estate } = await timed(() =>
    estateOf(before, new Map([[`cluster/${CLUSTER}`, inventoryOf(APPS, workloads)]])),
  );
  const { ms: first, result: old } = await timed(() => intentOf(before, estate, { as: "approved" }));
  await timed(() => sourceDiff(old, old)); // what is remembered per estate
  const intents: number[] = [];
  const diffs: number[] = [];
  let counts = "";
  for (let run = 0; run < RUNS; run += 1) {
    const from = intentOf(before, estate, { as: "approved" });
    const { ms, result: to } = await timed(() => intentOf(after, estate, { as: "approved" }));
    const diff = await timed(() => sourceDiff(from, to));
    intents.push(ms);
    diffs.push(diff.ms);
    counts = `${diff.result.openedCount} pairs, ${diff.result.opened.length} lines`;
  }
  printFigure(
    `${workloads} workloads`,
    `estate ${formatMs(estateMs)} · first intent ${formatMs(first)} · next ${formatMs(median(intents))} · difference ${formatMs(median(diffs))} (${counts}) · heap ${formatBytes(heapInUse())}`,
  );
}

async function compareWhole(): Promise<void> {
  const before = organisation(WHOLE_APPS, WHOLE_APPS * 2);
  const after = opened(before);
  const inventories = new Map([[`cluster/${CLUSTER}`, inventoryOf(WHOLE_APPS, 10_000)]]);
  const [estate, twin]: readonly Estate[] = [estateOf(before, inventories), estateOf(before, inventories)];
  if (estate === undefined || twin === undefined) return;
  const from = intentOf(before, estate, { as: "approved" });
  sourceDiff(from, from);
  const shared = await timed(() => sourceDiff(from, intentOf(after, estate, { as: "approved" })));
  const whole = await timed(() => sourceDiff(from, intentOf(after, twin, { as: "approved" })));
  printFigure(
    `10000 workloads, ${WHOLE_APPS} segments: every end compared`,
    `${formatMs(whole.ms)} (${whole.result.openedCount} pairs); ours ${formatMs(shared.ms)} (${shared.result.openedCount} pairs) = ${formatRatio(whole.ms, shared.ms)}`,
  );
}

/** Segments of one application each, and rules between them; each namespace has a policy. */
export function organisation(apps: number, rules: number): Definitions {
  const definitions = definitionsOf(definitionFiles(apps));
  const segments = [...definitions.segments.values()];
  const [first] = segments;
  if (first === undefined) throw new Error("no segment to copy");
  const all = new Map<string, Segment>(definitions.segments);
  const bodies = Array.from({ length: rules }, (_, index): Omit<Rule, "id" | "policy"> => {
    const ends = [index % apps, (index * 7 + 3) % apps].map((app) => `app-${app}`);
    const port = 8000 + (index % 50);
    const ports = [{ kind: "range", protocol: "tcp", from: port, to: port } as const];
    return { from: ends.slice(0, 1), to: ends.slice(1), ports, same: [], at: first.at };
  });
  const policies = new Map<string, Policy>();
  const perPolicy = APPS_PER_NAMESPACE * 2;
  for (let start = 0; start < bodies.length; start += perPolicy) {
    const name = `p${String(start / perPolicy).padStart(4, "0")}`;
    policies.set(name, {
      ...policyBody(name, first),
      rules: bodies.slice(start, start + perPolicy).map((body, at) => ({ ...body, id: `${name}/${at}`, policy: name })),
    });
  }
  return { ...definitions, segments: all, policies };
}

function policyBody(name: string, { at }: Segment): Omit<Policy, "rules"> {
  const nothing = { owner: undefined, reason: undefined, ticket: undefined, expires: undefined };
  return { kind: "Policy", name, labels: {}, at, ...nothing, tests: [] };
}

/** One rule of one policy lets everybody in. */
export function opened(definitions: Definitions): Definitions {
  const [name, policy] = [...definitions.policies][5] ?? [];
  if (name === undefined || policy === undefined) throw new Error("no policy to open");
  const rules = policy.rules.map((rule, at) => (at === 0 ? { ...rule, from: ["any"], ports: "any" as const } : rule));
  return { ...definitions, policies: new Map([...definitions.policies, [name, { ...policy, rules }]]) };
}

if (import.meta.main) await benchDiff();
