/**
 * How fast Firebreak comes right: `node test/faults/figures.ts [recovery] [redis] [log] [churn MINUTES]`; root. Prints, and judges nothing.
 */
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openTrail } from "../../adapters/trail/open.ts";
import type { EntryInput } from "../../core/audit/entry.ts";
import { probe } from "../../testbed/probe.ts";
import { waitFor } from "../../testbed/wait.ts";
import { begin } from "./begin.ts";
import { perform } from "./perform.ts";
import { untilRight } from "./run-schedule.ts";
import type { Form } from "./schedule.ts";
import { openStage, type Stage } from "./stage.ts";
import { processorMs, resourcesOf } from "./subject.ts";

const TIMES = 3;
const PATIENCE_MS = 300_000;
const BATCH = 5_120;

const [what = "all", argument = ""] = process.argv.slice(2);
if (what === "all" || what === "log") await million(Number(argument) || 1_000_000);
if (what === "all" || what === "recovery" || what === "redis" || what === "churn") {
  await using stage = await openStage({ hasCluster: what === "churn", hasServers: true });
  if (what === "all" || what === "recovery") for (const form of ["embedded", "scale-out"] as const) await recovery(stage, form);
  if (what === "all" || what === "redis") await redisAway(stage);
  if (what === "churn") await churn(stage, Number(argument) || 10);
}

/** A commit is pushed, everything is killed, and started again: until the commit is applied and read back somewhere. */
async function recovery(stage: Stage, form: Form): Promise<void> {
  await using doing = await begin(stage, form);
  const { subject, logWatch } = doing;
  const took: number[] = [];
  const work: number[] = [];
  for (let time = 0; time < TIMES; time++) {
    for (const part of subject.parts) await subject.kill(part);
    await perform(doing, { kind: "push", flips: [time] });
    const size = logWatch.size();
    const from = performance.now();
    for (const part of subject.parts) subject.start(part);
    const isApplied = (): boolean =>
      logWatch.entries.some(({ entry }) => entry.seq >= size && entry.type === "apply.outcome" && entry.outcome === "ok");
    await waitFor(isApplied, { what: "something is applied", timeoutMs: PATIENCE_MS });
    took.push(performance.now() - from);
    work.push(subject.parts.reduce((sum, part) => sum + processorMs(subject.pidOf(part) ?? 0), 0));
    await untilRight(doing, PATIENCE_MS);
  }
  print(`${form}: killed, started again, first apply read back`, took, "ms");
  print("  processor time of its processes until then, workers that still run left out", work, "ms");
}

async function redisAway(stage: Stage): Promise<void> {
  await using doing = await begin(stage, "scale-out");
  const [from, to] = [stage.place("beta"), stage.place("two")];
  const took: number[] = [];
  for (let time = 0; time < TIMES; time++) {
    await stage.servers?.redis.stop();
    await sleep(2_000); // let it be noticed
    await perform(doing, { kind: "tamper host", host: "two", how: "insert accept" });
    const since = performance.now();
    const isClosed = async (): Promise<boolean> => (await probe(from, to, { port: 8003, timeoutMs: 250 })) === "closed";
    const healed = await waitFor(isClosed, { what: "it is healed", timeoutMs: 60_000, everyMs: 20 }).then(
      () => performance.now() - since,
      () => Number.NaN,
    );
    took.push(healed);
    await stage.servers?.redis.start();
    await untilRight(doing, PATIENCE_MS);
  }
  print("Redis away: a host tampered with until packets are closed again (NaN: not within 60 s)", took, "ms");
}

/** Fills the log while nothing runs, then starts. */
async function million(count: number): Promise<void> {
  await using stage = await openStage({ hasCluster: false, hasServers: false });
  await using doing = await begin(stage, "embedded");
  const { subject } = doing;
  await subject.kill("up");
  const folder = dirname(subject.logFolder);
  mkdirSync(folder, { recursive: true });
  {
    const producer = { service: "figures", instance: "1" };
    await using trail = await openTrail({
      folder: subject.logFolder,
      origin: "firebreak",
      privateKeyFile: join(folder, "audit.key"),
      producer,
      now: () => new Date(),
    });
    for (let made = trail.size(); made < count; made += BATCH) await trail.append(findings(made, BATCH));
  }
  const from = performance.now();
  subject.start("up");
  await waitFor(async () => (await subject.get("up", "/readyz"))?.code === 200, { what: "it is ready", timeoutMs: PATIENCE_MS });
  print(`embedded: started with ${count} entries in the log, ready`, [performance.now() - from], "ms");
  console.log(`  processor time then: ${processorMs(subject.pidOf("up") ?? 0)} ms`);
  console.log(`  resident memory then: ${resourcesOf(subject.pidOf("up") ?? 0)?.rssMb} MB`);
}

function findings(from: number, count: number): EntryInput[] {
  const summary = "shop/fb-cust-record-i-0b7b9e0e was changed (last written by kubectl-edit)";
  return Array.from({ length: count }, (_, index) => {
    const fingerprint = `figure-${from + index}`;
    return {
      type: "finding.updated",
      id: fingerprint,
      finding: { fingerprint, kind: "modified", summary },
      detail: { verdict: "opens", opened: [summary], closed: [] },
    };
  });
}

/** Pods come and go, commits come, and memory is looked at. */
async function churn(stage: Stage, minutes: number): Promise<void> {
  await using doing = await begin(stage, "embedded");
  const until = Date.now() + minutes * 60_000;
  const began = Date.now();
  const seen: number[] = [];
  for (let round = 0; Date.now() < until; round++) {
    await perform(doing, { kind: "churn", pods: round % 3 });
    if (round % 20 === 10) await perform(doing, { kind: "push", flips: [round % 9] });
    await sleep(500);
    if (round % 40 !== 0) continue;
    const { rssMb = 0, descriptors = 0, children = 0 } = resourcesOf(doing.subject.pidOf("up") ?? 0) ?? {};
    seen.push(rssMb);
    console.log(
      `  ${((Date.now() - began) / 60_000).toFixed(1)} min  ${rssMb} MB, ${descriptors} descriptors, ${children} children, ${stage.extraPods.length} pods more`,
    );
  }
  const half = seen.slice(Math.floor(seen.length / 2));
  print(
    `embedded: resident memory over the second half of ${minutes} minutes of churn, least and most`,
    [Math.min(...half), Math.max(...half)],
    "MB",
  );
}

function print(words: string, values: readonly number[], unit: string): void {
  console.log(`${words}: ${values.map((value) => value.toFixed(0)).join(", ")} ${unit}`);
}
