/**
 * How fast the audit log takes entries, beside what the disk can do: `node bench/audit.ts [FOLDER]`.
 *
 * Every append resolves only once a signed, fsynced checkpoint covers it. Medians of five runs; FOLDER decides which disk.
 */
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EntryInput } from "../core/audit/entry.ts";
import { openTrail } from "../adapters/trail/open.ts";
import { verifyTrail } from "../adapters/trail/verify.ts";

const RUNS = 5;
const folder = await mkdtemp(join(process.argv[2] ?? tmpdir(), "firebreak-bench-"));

/** An intent of a common size: about 600 bytes stored. */
function intents(name: string, count: number): EntryInput[] {
  const connection = { from: "order-input", to: "cust-record", ports: ["8443/tcp"], why: "order-flow" };
  return Array.from({ length: count }, (_, index) => ({
    type: "apply.intent",
    id: `${name}-${index}`,
    target: { kind: "cluster", id: "cluster/prod-eu" },
    commit: "3f786850e387550fdab836ed7e6dc881de23001b",
    plan: "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    effect: { opened: [connection], closed: [connection], openedCount: 1, closedCount: 1 },
  }));
}

/** The median of what `measure` gives. */
async function median(measure: (run: number) => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let run = 0; run < RUNS; run++) values.push(await measure(run));
  return values.toSorted((a, b) => a - b)[Math.floor(RUNS / 2)] ?? Number.NaN;
}

/** Milliseconds that the work took. */
async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function print(what: string, value: number, unit: string): void {
  const digits = value < 10 ? 1 : 0;
  console.log(`${what.padEnd(64)} ${value.toFixed(digits).padStart(8)} ${unit}`);
}

async function syncOften(count: number): Promise<void> {
  const file = await open(join(folder, "peer"), "w");
  for (let index = 0; index < count; index++) {
    await file.write("x".repeat(600));
    await file.datasync();
  }
  await file.close();
}

try {
  const options = {
    folder: join(folder, "audit"),
    origin: "firebreak.dev/bench",
    privateKeyFile: join(folder, "keys", "audit.key"),
    producer: { service: "bench", instance: "1" },
    now: () => new Date(),
  };
  const trail = await openTrail(options);
  print("the disk: append 600 bytes + fdatasync", 1000 / ((await median(() => timed(() => syncOften(200)))) / 200), "/s");

  const one = await median(async (run) => {
    const inputs = intents(`one-${run}`, 100);
    return timed(async () => {
      for (const input of inputs) await trail.append([input]);
    });
  });
  print("one after another: time until durable", one / 100, "ms");
  print("one after another", 100_000 / one, "entries/s");

  for (const producers of [16, 256]) {
    const rounds = 8;
    const together = await median(async (run) => {
      const inputs = intents(`p${producers}-${run}`, producers * rounds);
      const produce = async (mine: readonly EntryInput[]): Promise<void> => {
        for (const input of mine) await trail.append([input]);
      };
      const shares = Array.from({ length: producers }, (_, producer) => inputs.slice(producer * rounds, (producer + 1) * rounds));
      return timed(() => Promise.all(shares.map(produce)));
    });
    print(`${producers} producers at once, each one after another`, (1000 * producers * rounds) / together, "entries/s");
  }

  const bulk = await median((run) => timed(() => trail.append(intents(`bulk-${run}`, 256 * 20))));
  print("calls of 5,120, in batches of 256", (1000 * 256 * 20) / bulk, "entries/s");

  const size = trail.size();
  const verifying = await median(() => timed(() => verifyTrail(trail.folder, { verifierKey: trail.verifierKey })));
  print(`verifying all ${size} entries`, (1000 * size) / verifying, "entries/s");
  await trail.close();
  const opening = await median(async () => {
    const start = performance.now();
    const opened = await openTrail(options);
    const took = performance.now() - start;
    await opened.close();
    return took;
  });
  print(`opening a log of ${size} entries`, opening, "ms");
} finally {
  await rm(folder, { recursive: true, force: true });
}
