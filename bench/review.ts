/**
 * What a pull request's plan takes once its files are read: `npm run bench -- review`.
 *
 * All of it as the service does it: both revisions' sources by what is meant and by what enforcers can know, the difference, guardrails,
 * limits, which targets are touched, and the comment's text. Over 2,000 segments and 5,000 rules; the first is cold, the others are what a
 * service that has planned before takes. The service has it done by a worker: how long its own thread is held by giving a worker that much is
 * measured apart, with the guardrails of a commit, which take the same.
 */
import { reviewOf } from "../core/review/review.ts";
import { reviewMarkdown } from "../core/text/review.ts";
import { opened, organisation } from "./diff.ts";
import { openWorkers } from "../services/workers/open.ts";
import { longestBlock } from "../test/support/longest-block.ts";
import { formatMs, median, printFigure, printTitle, timed } from "./report.ts";
import { CLUSTER, inventoryOf } from "./synthetic.ts";

const APPS = 2000;
const RULES = 5000;
const RUNS = 3;

/** Prints the section. */
export async function benchReview(): Promise<void> {
  printTitle(`The plan of a pull request: ${APPS} segments, ${RULES} rules, one policy opened`);
  await using workers = openWorkers();
  const { signal } = new AbortController();
  for (const workloads of [10_000, 100_000]) {
    const before = organisation(APPS, RULES);
    const after = opened(before);
    const inventories = new Map([[`cluster/${CLUSTER}` as const, inventoryOf(APPS, workloads)]]);
    const input = { before, after, notes: [], now: 0, operator: { floor: { from: [], ports: [] }, ownPaths: [] } };
    const plan = (isFull: boolean): string => {
      const live = isFull ? { inventories, orphans: [], enforced: new Map() } : undefined;
      return reviewMarkdown({ kind: "reviewed", review: reviewOf({ ...input, live }) });
    };
    const { ms: cold } = await timed(() => plan(true));
    const times: number[] = [];
    for (let run = 0; run < RUNS; run += 1) times.push((await timed(() => plan(true))).ms);
    const { ms: intent } = await timed(() => plan(false));
    printFigure(
      `${workloads} workloads`,
      `cold ${formatMs(cold)} · again ${formatMs(median(times))} · intent only ${formatMs(intent)}`,
    );
    const { operator, now } = input;
    const given = { commit: "0".repeat(40), candidate: after, inForce: before, inventories, orphans: [], now, operator };
    const began = process.threadCpuUsage();
    const held = await longestBlock(async () => await workers.run("guardrails", given, { lane: "branch", signal }));
    const { user, system } = process.threadCpuUsage(began);
    printFigure(
      `${workloads} workloads, to a worker`,
      `thread held at most ${formatMs(held)} at a time · ${formatMs((user + system) / 1_000)} of it in all`,
    );
  }
}
