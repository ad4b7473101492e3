/** An older plan never overwrites a newer one, whoever slept or came back. Needs root, nftables, openssh, Redis and PostgreSQL. */
import { Redis } from "ioredis";
import { afterAll, beforeAll, expect, it } from "vitest";
import { command } from "../../testbed/command.ts";
import { waitFor } from "../../testbed/wait.ts";
import { begin, comeRight } from "../faults/begin.ts";
import { allows } from "../faults/definitions.ts";
import { perform, type Doing } from "../faults/perform.ts";
import { openStage, type Stage } from "../faults/stage.ts";
import { watchPackets, type PacketWatch } from "../faults/watchers.ts";

const PATIENCE_MS = 120_000;
/** How often an apply is tried to be caught in its middle. */
const TRIES = 10;

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({ hasCluster: false, hasServers: true });
}, 300_000);

afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
}, 60_000);

/** Targets of which the log tells that an older revision was applied after a newer one. */
function olderAfterNewer({ logWatch }: Doing): readonly string[] {
  const highest = new Map<string, number>();
  return logWatch.entries.flatMap(({ entry }) => {
    if (entry.type !== "apply.outcome" || entry.outcome !== "ok" || entry.revision === undefined) return [];
    const before = highest.get(entry.target.id) ?? 0;
    highest.set(entry.target.id, Math.max(before, entry.revision));
    return entry.revision < before ? [`${entry.target.id}: ${entry.revision} after ${before}`] : [];
  });
}

/** Ways that were open although none of the commits allows it. */
function openWithoutReason({ commits }: Doing, { samples }: PacketWatch): readonly string[] {
  return [...samples].flatMap(([way, seen]) =>
    seen.some(({ isOpen }) => isOpen) && !commits.some(({ choice }) => choice !== undefined && allows(choice, way, false))
      ? [`${way.from} → ${way.to}:${way.port}`]
      : [],
  );
}

/** Stops the syncer between an intent and its outcome. @returns the target that it was writing */
async function stopInTheMiddle(doing: Doing): Promise<string> {
  const { subject, logWatch } = doing;
  for (let time = 0; time < TRIES; time += 1) {
    const from = logWatch.size();
    await perform(doing, { kind: "push", flips: [0, 1] });
    const intent = (): string | undefined =>
      logWatch.entries.flatMap(({ entry }) => (entry.seq >= from && entry.type === "apply.intent" ? [entry.target.id] : []))[0];
    await waitFor(() => intent() !== undefined, { what: "an apply begins", timeoutMs: PATIENCE_MS, everyMs: 10 });
    subject.signal("syncer", "SIGSTOP");
    const target = intent() ?? "";
    const hasEnded = logWatch.entries.some(
      ({ entry }) => entry.seq >= from && entry.type === "apply.outcome" && entry.target.id === target,
    );
    if (!hasEnded) return target;
    subject.signal("syncer", "SIGCONT");
    await comeRight(doing);
  }
  throw new Error(`no apply was caught in its middle in ${TRIES} tries`);
}

// Bug: a process that slept goes on with its plan, after its lease ran out, its timer put back what was there, and a newer commit came.
it("a syncer that is stopped in the middle of an apply, for longer than its lease, goes on with what is newest", async () => {
  await using doing = await begin(stage, "scale-out");
  const { subject } = doing;
  const packets = await watchPackets(stage);
  const host = stage.world.host((await stopInTheMiddle(doing)).split("/").at(-1) ?? "");
  await command([
    "psql",
    subject.database ?? "",
    "--quiet",
    "--command",
    "update firebreak.targets set lease_until = clock_timestamp() - interval '10 minutes' where lease_until is not null",
  ]);
  // The host's own timer, which puts back what was there, goes off meanwhile.
  const timers = async (): Promise<string> =>
    await command(["sh", "-c", `ip netns pids ${host.namespace} | xargs -r ps -o args= -p | grep '^sleep ' || true`]);
  await waitFor(async () => (await timers()) === "", { what: "the timer on the host is over", timeoutMs: PATIENCE_MS });
  await perform(doing, { kind: "push", flips: [2, 3] });
  subject.signal("syncer", "SIGCONT");
  await comeRight(doing);
  await packets.stop();
  expect(olderAfterNewer(doing)).toEqual([]);
  expect(openWithoutReason(doing, packets)).toEqual([]);
}, 600_000);

// Bug: yesterday's jobs run with what they carried, or what is new is taken for what is already in the queue, and waits for ever.
it("a queue that comes back from an old dump brings back no old revision, and holds up no new one", async () => {
  await using doing = await begin(stage, "scale-out");
  const { subject } = doing;
  const redis = new Redis(stage.servers?.redis.url ?? "");
  try {
    subject.signal("syncer", "SIGSTOP");
    await perform(doing, { kind: "tamper host", host: "one", how: "append accept" });
    const hasJob = async (): Promise<boolean> => (await redis.keys("*")).some((key) => /:\d+$/.test(key));
    await waitFor(hasJob, { what: "a repair is in the queue", timeoutMs: PATIENCE_MS });
    const dump = new Map<string, Buffer>();
    for (const key of await redis.keys("*")) {
      const bytes = await redis.dumpBuffer(key);
      if (bytes !== null) dump.set(key, bytes);
    }
    subject.signal("syncer", "SIGCONT");
    await comeRight(doing);
    for (const toggle of [0, 1]) {
      await perform(doing, { kind: "push", flips: [toggle] });
      await comeRight(doing);
    }
    await redis.flushall();
    for (const [key, bytes] of dump) await redis.restore(key, 0, bytes, "REPLACE");
    await perform(doing, { kind: "push", flips: [2] });
    await perform(doing, { kind: "tamper host", host: "two", how: "insert accept" });
    await comeRight(doing);
    expect(olderAfterNewer(doing)).toEqual([]);
  } finally {
    redis.disconnect();
  }
}, 600_000);
