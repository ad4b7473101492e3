/**
 * `npm run nightly`: many schedules of faults, one after another, on the real parts; root.
 *
 *     npm run nightly                                 seeds 1 to 200
 *     npm run nightly -- --seeds 1..40 --minutes 30   as many of them as begin within half an hour
 *     npm run nightly -- --seeds 17                   one again
 *     npm run nightly -- --seeds 17 --only 0,3        only these events of it
 *     --short        shorter schedules without a cluster, as the tests run them
 *     --never TYPE   an entry of that type in the log is a violation: which is the shortest schedule that leads to one?
 *     --no-shrink    a failing schedule is told as it is
 *     --keep FOLDER  where the journal of a failing schedule goes
 *
 * A seed says everything: which form Firebreak runs in, whether there is a cluster, and what is done when.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { checkAll } from "./checks.ts";
import type { Journal, Violation } from "./journal.ts";
import { runSchedule } from "./run-schedule.ts";
import { planOf, sayEvent, scheduleOf, SHORT_MS, type Schedule, type Timed } from "./schedule.ts";
import { shrink } from "./shrink.ts";
import { openStage, type Stage } from "./stage.ts";

const MOST_RETRIES = 12;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1..200" },
    minutes: { type: "string", default: "600" },
    only: { type: "string" },
    short: { type: "boolean", default: false },
    never: { type: "string" },
    "no-shrink": { type: "boolean", default: false },
    keep: { type: "string" },
  },
});

const began = Date.now();
const until = began + Number(values.minutes) * 60_000;
let stage: Stage | undefined;
let ran = 0;
const failed: number[] = [];

try {
  // A world with a cluster is another one: seeds of a kind one after another, so that each is built once.
  const seeds = seedsOf(values.seeds).toSorted(
    (a, b) => Number(planOf(a).hasCluster && !values.short) - Number(planOf(b).hasCluster && !values.short) || a - b,
  );
  for (const seed of seeds) {
    if (Date.now() > until) break;
    ran += 1;
    if (!(await tryOne(seed))) failed.push(seed);
  }
} finally {
  await stage?.[Symbol.asyncDispose]();
}
const minutes = ((Date.now() - began) / 60_000).toFixed(1);
console.log(
  `${ran} schedules in ${minutes} minutes, ${failed.length} with violations${failed.length === 0 ? "" : `: seeds ${failed.join(", ")}`}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;

async function tryOne(seed: number): Promise<boolean> {
  const whole = scheduleFor(seed);
  const schedule = { ...whole, events: chosenOf(whole) };
  const start = Date.now();
  const { violations, journal } = await carryOut(schedule);
  const took = `${Math.round((Date.now() - start) / 1000)} s`;
  const kind = `${schedule.form}, ${schedule.hasCluster ? "hosts and a cluster" : "hosts"}, ${schedule.events.length} events`;
  console.log(`seed ${seed}  ${violations.length === 0 ? "ok" : "VIOLATION"}  ${took}  ${kind}`);
  if (violations.length === 0) return true;
  if (values.keep !== undefined && journal !== undefined) keepJournal(values.keep, journal);
  for (const { rule, what } of violations.slice(0, 10)) console.log(`    ${rule}: ${what}`);
  const shortest = values["no-shrink"] ? schedule.events : await shortestOf(schedule, violations);
  console.log(`  shortest schedule that does it (${shortest.length} of ${schedule.events.length} events):`);
  for (const event of shortest) console.log(`    ${sayEvent(event)}`);
  const only =
    shortest.length === whole.events.length ? "" : ` --only ${shortest.map((event) => whole.events.indexOf(event)).join(",")}`;
  const never = values.never === undefined ? "" : ` --never ${values.never}`;
  console.log(`  again: npm run nightly -- --seeds ${seed}${only}${values.short ? " --short" : ""}${never}`);
  return false;
}

function scheduleFor(seed: number): Schedule {
  const { form, hasCluster } = planOf(seed);
  return scheduleOf(seed, values.short ? { form, hasCluster: false, lengthMs: SHORT_MS } : { form, hasCluster });
}

/** Those of its events that `--only` names. */
function chosenOf({ events }: Schedule): readonly Timed[] {
  if (values.only === undefined) return events;
  const indexes = values.only.split(",").map(Number);
  return events.filter((_, index) => indexes.includes(index));
}

async function shortestOf(schedule: Schedule, violations: readonly Violation[]): Promise<readonly Timed[]> {
  const rules = new Set(violations.map(({ rule }) => rule));
  const fails = async (events: readonly Timed[]): Promise<boolean> => {
    const again = await carryOut({ ...schedule, events });
    return again.violations.some(({ rule }) => rules.has(rule));
  };
  return await shrink(schedule.events, fails, MOST_RETRIES);
}

async function carryOut(
  schedule: Schedule,
): Promise<{ readonly violations: readonly Violation[]; readonly journal: Journal | undefined }> {
  if (stage !== undefined && stage.hasCluster !== schedule.hasCluster) await closeStage();
  try {
    stage ??= await openStage({ hasCluster: schedule.hasCluster, hasServers: true });
    const journal = await runSchedule(stage, schedule);
    const violations = [...checkAll(journal), ...neverSeen(journal)];
    // What went wrong may have left its world in disorder.
    if (violations.length > 0) await closeStage();
    return { violations, journal };
  } catch (error) {
    await closeStage();
    return { violations: [{ rule: "the driver failed", what: String(error).slice(0, 4_000) }], journal: undefined };
  }
}

function neverSeen({ entries }: Journal): readonly Violation[] {
  const seen = entries.find(({ entry }) => entry.type === values.never);
  return seen === undefined ? [] : [{ rule: `never ${values.never}`, what: `entry ${seen.entry.seq}` }];
}

async function closeStage(): Promise<void> {
  const closing = stage;
  stage = undefined;
  await closing?.[Symbol.asyncDispose]();
}

function keepJournal(folder: string, journal: Journal): void {
  mkdirSync(folder, { recursive: true });
  const plain = {
    ...journal,
    samples: [...journal.samples],
    control: [...journal.control],
    outputs: [...journal.outputs],
    exits: [...journal.exits],
  };
  writeFileSync(join(folder, `seed-${journal.schedule.seed}.json`), JSON.stringify(plain));
}

/** "1..200", "3,5,9", "17" */
function seedsOf(text: string): readonly number[] {
  return text.split(",").flatMap((part) => {
    const [first = NaN, last = first] = part.split("..").map(Number);
    if (!(first >= 0 && last >= first)) throw new RangeError(`--seeds ${text}: as in 1..200 or 3,5,9`);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
