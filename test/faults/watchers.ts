/** Watches packets, the log, and what Firebreak says of itself, all the time. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { folderReader, readBundleEntries } from "../../adapters/trail/files.ts";
import { parseCheckpoint } from "../../core/audit/checkpoint.ts";
import { readEntry } from "../../core/audit/entry.ts";
import { TILE_WIDTH } from "../../core/audit/tiles.ts";
import type { StatusAnswer } from "../../core/api/shapes.ts";
import { API } from "../../core/api/shapes.ts";
import type { Attempt } from "../../testbed/agent/protocol.ts";
import { CONTROL_PORT, waysOf, type Way } from "./definitions.ts";
import type { Asked, Poll, Sample, SeenEntry } from "./journal.ts";
import type { Stage } from "./stage.ts";
import type { Subject } from "./subject.ts";

const PROBE_EVERY_MS = 300;
/** Less than a second: the kernel sends a lost first packet again after one, and a way that was closed at first must not look open. */
const PROBE_TIMEOUT_MS = 900;
const POLL_EVERY_MS = 250;
const LOG_EVERY_MS = 60;
/** A command line is half a second of processor time. */
const ASK_EVERY_MS = 3_000;

export interface PacketWatch {
  readonly samples: ReadonlyMap<Way, Sample[]>;
  readonly control: ReadonlyMap<string, Sample[]>;
  /** Fetches what was tried since the last call. */
  collect(): Promise<void>;
  stop(): Promise<void>;
}

/** Probes every way and, from every place, one that is always open. */
export async function watchPackets(stage: Stage): Promise<PacketWatch> {
  const ways = waysOf(stage.hasCluster);
  const samples = new Map(ways.map((way): [Way, Sample[]] => [way, []]));
  const control = new Map<string, Sample[]>();
  const byPlace = Map.groupBy(ways, ({ from }) => from);
  for (const [from, mine] of byPlace) {
    control.set(from, []);
    const ends = [...mine.map(({ to, port }) => ({ to, port })), { to: controlOf(from), port: CONTROL_PORT }];
    const agent = await stage.place(from).agent();
    const targets = ends.map(({ to, port }) => ({ address: stage.place(to).address, port }));
    await agent.ask({ kind: "watch", ways: targets, everyMs: PROBE_EVERY_MS, timeoutMs: PROBE_TIMEOUT_MS });
  }
  const collect = async (): Promise<void> => {
    for (const [from, mine] of byPlace) {
      const agent = await stage.place(from).agent();
      const attempts = (await agent.ask({ kind: "attempts" })) as readonly Attempt[]; // what agent/watch.ts keeps
      for (const { way, at, tookMs, isOpen } of attempts) {
        const found = mine[way];
        const list = found === undefined ? control.get(from) : samples.get(found);
        list?.push({ at, tookMs, isOpen });
      }
    }
    // Attempts overlap, and are told when they end: silence ends late.
    for (const list of [...samples.values(), ...control.values()]) list.sort((a, b) => a.at - b.at);
  };
  return {
    samples,
    control,
    collect,
    async stop() {
      for (const from of byPlace.keys()) await (await stage.place(from).agent()).ask({ kind: "stop watch" });
      await sleep(PROBE_TIMEOUT_MS + 100); // attempts under way
      await collect();
    },
  };
}

/** Externals probe each other, and so do the pods that nothing isolates. */
function controlOf(from: string): string {
  if (from === "alpha") return "beta";
  if (from === "beta") return "alpha";
  return from === "web" ? "job" : "web";
}

export interface LogWatch {
  /** Entries that the newest checkpoint covers. */
  size(): number;
  readonly entries: SeenEntry[];
  /** The log on the disk is an older one now. */
  restored(): Promise<void>;
  stop(): Promise<void>;
}

/** Follows the log on the disk. */
export function watchLog(folder: string): LogWatch {
  let entries: SeenEntry[] = [];
  let size = 0;
  let stopped = false;
  const reader = folderReader(folder);
  const look = async (): Promise<void> => {
    const now = sizeOf(folder) ?? size;
    if (now <= size) return;
    for (let bundle = Math.floor(size / TILE_WIDTH); bundle * TILE_WIDTH < now; bundle++) {
      for (const bytes of await readBundleEntries(reader, bundle, now)) {
        const read = readEntry(bytes);
        if (read.kind === "malformed" || read.entry.seq < size) continue;
        entries.push({ at: Date.now(), entry: read.entry, isKept: true });
      }
    }
    size = now;
  };
  const done = (async () => {
    while (!stopped) {
      await look().catch(() => undefined); // a partial file that is replaced while it is read
      await sleep(LOG_EVERY_MS);
    }
  })();
  return {
    size: () => size,
    get entries() {
      return entries;
    },
    async restored() {
      size = sizeOf(folder) ?? 0;
      entries = entries.map((seen) => ({ ...seen, isKept: seen.isKept && seen.entry.seq < size }));
    },
    async stop() {
      stopped = true;
      await done;
      await look();
    },
  };
}

function sizeOf(folder: string): number | undefined {
  try {
    const text = readFileSync(join(folder, "checkpoint"), "utf8");
    return parseCheckpoint(text.slice(0, text.indexOf("\n\n") + 1))?.size;
  } catch {
    return undefined;
  }
}

export interface StatusWatch {
  readonly polls: Poll[];
  stop(): Promise<void>;
}

/** Asks every process whether it is ready, and the front for its status. */
export function watchStatus(subject: Subject): StatusWatch {
  const polls: Poll[] = [];
  let stopped = false;
  const loops = subject.parts.map(async (part) => {
    while (!stopped) {
      const at = Date.now();
      const ready = await subject.get(part, "/readyz");
      const answer = part === subject.front ? await subject.get(part, API.status) : undefined;
      const status = answer?.code === 200 ? (JSON.parse(answer.text) as StatusAnswer) : undefined;
      polls.push({ part, at, tookMs: Date.now() - at, ready, status });
      await sleep(POLL_EVERY_MS);
    }
  });
  return {
    polls,
    async stop() {
      stopped = true;
      await Promise.all(loops);
    },
  };
}

export interface ExitWatch {
  readonly asked: Asked[];
  stop(): Promise<void>;
}

/** Asks as a script would, one command after another, and keeps what each ended with. */
export function watchExits(subject: Subject): ExitWatch {
  const asked: Asked[] = [];
  const stopping = new AbortController();
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const at = Date.now();
      const { code, stdout, stderr } = await subject.ask(["status", "--detailed-exitcode", "-o", "json"]);
      asked.push({ at, tookMs: Date.now() - at, code, answer: answerIn(stdout), words: stderr.slice(0, 500) });
      await sleep(ASK_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => undefined); // stopped: the loop ends
    }
  };
  const done = loop();
  return {
    asked,
    async stop() {
      stopping.abort();
      await done;
    },
  };
}

function answerIn(text: string): StatusAnswer | undefined {
  try {
    return JSON.parse(text) as StatusAnswer;
  } catch {
    return undefined; // it could not ask
  }
}
