import { describe, expect, test } from "vitest";
import { FirebreakError } from "../../../core/ground/error.ts";
import { openCheckpoint } from "../../../core/audit/checkpoint.ts";
import type { EntryInput } from "../../../core/audit/entry.ts";
import { parseVerifierKey } from "../../../core/audit/key.ts";
import { type Hash, leafHash } from "../../../core/audit/merkle.ts";
import type { LogReader } from "../../../core/audit/reader.ts";
import type { Receipt } from "../../../core/audit/trail.ts";
import { EMPTY_EDGE, edgeRoot, growTree } from "../../../core/audit/tree.ts";
import { verifyLog } from "../../../core/audit/verify.ts";
import { folderReader, readBundleEntries } from "../../../adapters/trail/files.ts";
import type { FileTrail } from "../../../adapters/trail/file-trail.ts";
import { openTrail } from "../../../adapters/trail/open.ts";
import { CrashDisk, type Fault } from "./crash-disk.ts";

const entry = (id: string): EntryInput => ({
  type: "finding.opened",
  id,
  finding: { fingerprint: id, kind: "modified", summary: "x" },
});
const entries = (name: string, count: number): EntryInput[] =>
  Array.from({ length: count }, (_, index) => entry(`${name}-${index}`));

/** Opens twice; batches that stay in a bundle, fill one, and cross into the next; the second level of tiles begins. */
const RUNS: readonly (readonly EntryInput[][])[] = [
  [entries("a", 3), entries("b", 249), entries("c", 1), entries("d", 4)],
  [entries("e", 2), entries("f", 5)],
];
const ALL = RUNS.flat(2);

function open(disk: CrashDisk): Promise<FileTrail> {
  return openTrail({
    folder: "/state/audit",
    origin: "firebreak.dev/test",
    privateKeyFile: "/state/keys/audit.key",
    producer: { service: "test", instance: "1" },
    now: () => new Date("2026-11-21T09:00:00Z"),
    disk,
    lock: async () => ({ release: async () => undefined }),
  });
}

/** Runs until the end or the fault, and returns what was acknowledged. */
async function runUntilFault(disk: CrashDisk): Promise<readonly Receipt[]> {
  const acknowledged: Receipt[] = [];
  try {
    for (const run of RUNS) {
      const trail = await open(disk);
      for (const batch of run) acknowledged.push(...(await trail.append(batch)));
      await trail.close();
    }
  } catch (error) {
    if (!(error instanceof FirebreakError) || error.code !== "AUDIT_UNAVAILABLE") throw error;
  }
  return acknowledged;
}

/** The number each id has in the log; throws when one is there twice. */
async function numbers(trail: FileTrail): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const stored of (await trail.read({ limit: 10_000 })).entries) {
    expect(found.has(stored.id), `${stored.id} is there once`).toBe(false);
    found.set(stored.id, stored.seq);
  }
  return found;
}

/** The promises: what was acknowledged is there under its number, appending goes on, and no checkpoint of before is contradicted. */
async function expectIntact(disk: CrashDisk, acknowledged: readonly Receipt[], seen: Iterable<string>): Promise<void> {
  const trail = await open(disk);
  const before = await numbers(trail);
  for (const { id, seq } of acknowledged) expect(before.get(id), id).toBe(seq);
  for (let from = 0; from < ALL.length; from += 256) await trail.append(ALL.slice(from, from + 256));
  const after = await numbers(trail);
  expect(ALL.every(({ id }) => after.has(id))).toBe(true);
  await trail.close();

  const reader = folderReader("/state/audit", disk);
  expect(await verifyLog(reader, { verifier: parseVerifierKey(trail.verifierKey) })).toMatchObject({ verdict: "verified" });
  const verifier = parseVerifierKey(trail.verifierKey);
  const leaves = await readLeaves(reader, trail.size());
  for (const checkpoint of new Set(seen)) {
    const opened = openCheckpoint(Buffer.from(checkpoint), verifier);
    if (opened.verdict === "rejected") return expect.unreachable(opened.why);
    const { size, root } = opened.checkpoint;
    expect(size).toBeLessThanOrEqual(leaves.length);
    expect(edgeRoot(growTree(EMPTY_EDGE, leaves.slice(0, size)).edge)).toEqual(root);
  }
}

async function readLeaves(reader: LogReader, size: number): Promise<readonly Hash[]> {
  const leaves: Hash[] = [];
  for (let bundle = 0; bundle * 256 < size; bundle++) leaves.push(...(await readBundleEntries(reader, bundle, size)).map(leafHash));
  return leaves;
}

async function stepsOfARun(): Promise<number> {
  const disk = new CrashDisk();
  expect(await runUntilFault(disk)).toHaveLength(ALL.length);
  return disk.steps;
}

async function runWith(fault: Fault): Promise<{ readonly disk: CrashDisk; readonly acknowledged: readonly Receipt[] }> {
  const disk = new CrashDisk();
  disk.fault = fault;
  return { disk, acknowledged: await runUntilFault(disk) };
}

/** A small generator (mulberry32), so that a failing seed can be run again. */
function chances(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const steps = await stepsOfARun();
const everyStep = Array.from({ length: steps }, (_, index) => index + 1);

describe(`a run of ${steps} disk steps`, () => {
  // Catches a fork: a checkpoint that was visible, and a later one that does not extend it.
  test("killed after each step: nothing acknowledged is lost, nothing seen is contradicted", async () => {
    for (const at of everyStep) {
      const { disk, acknowledged } = await runWith({ at, how: "process dies" });
      await expectIntact(disk.afterwards(), acknowledged, [
        ...disk.seenCheckpoints,
        ...acknowledged.map(({ checkpoint }) => checkpoint),
      ]);
    }
  });

  // Catches a missing fsync: something was acknowledged before it was durable.
  test.each([1, 2])("power cut after each step, seed %d: nothing acknowledged is lost", async (seed) => {
    for (const at of everyStep) {
      const { disk, acknowledged } = await runWith({ at, how: "process dies" });
      const after = disk.afterwards({ chance: chances(seed * 10_000 + at) });
      await expectIntact(
        after,
        acknowledged,
        acknowledged.map(({ checkpoint }) => checkpoint),
      );
    }
  });

  // Catches an error that is swallowed, or after which the log and the memory of the process disagree.
  test.each(["fails", "done but reported as failed"] as const)(
    "each step %s once: the call is refused, and the next one works",
    async (how) => {
      for (const at of everyStep) {
        const disk = new CrashDisk();
        disk.fault = { at, how };
        const acknowledged: Receipt[] = [];
        let refused = 0;
        const retrying = async <Value>(work: () => Promise<Value>): Promise<Value | undefined> => {
          try {
            return await work();
          } catch (error) {
            expect(error).toMatchObject({ code: "AUDIT_UNAVAILABLE" });
            refused += 1;
            return undefined;
          }
        };
        for (const run of RUNS) {
          const trail = (await retrying(() => open(disk))) ?? (await open(disk));
          for (const batch of run) {
            const receipts = await retrying(() => trail.append(batch));
            // Something else comes first after a failure: the same batch again would give the same checkpoint, and hide a fork.
            acknowledged.push(...(receipts ?? (await trail.append([entry("between"), ...batch]))));
          }
          await retrying(() => trail.close());
        }
        expect(refused).toBeLessThanOrEqual(1);
        await expectIntact(disk, acknowledged, [...disk.seenCheckpoints, ...acknowledged.map(({ checkpoint }) => checkpoint)]);
      }
    },
  );
});

describe("a disk that stays full", () => {
  // Catches an append that resolves although nothing is durable, and a log that needs a restart once there is space again.
  test("every append is refused while it is, and works afterwards", async () => {
    const disk = new CrashDisk();
    const trail = await open(disk);
    await trail.append(entries("before", 2));
    const size = trail.size();
    for (let attempt = 0; attempt < 30; attempt++) {
      disk.fault = { at: disk.steps + 1, how: "fails" };
      await expect(trail.append([entry("refused")])).rejects.toMatchObject({ code: "AUDIT_UNAVAILABLE" });
      expect(trail.size()).toBe(size);
    }
    expect((await trail.append([entry("refused")]))[0]).toMatchObject({ seq: size, isDuplicate: false });
    await trail.close();
  });
});
