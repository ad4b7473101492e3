import { extname } from "node:path";
import { WorkerPool, type LaneOptions } from "../../adapters/workers/index.ts";
import type { TASKS } from "./tasks.ts";

/**
 * Budgets, by who sizes the work. A stranger gets the least: what an honest change of a few hundred definitions takes, with room. Processes
 * are started when they are needed and end after a minute without work, so the sum is seldom all of them.
 */
const LANES = {
  /** Pull requests by people who may not write to the repository. */
  strangers: { memoryMb: 512, cpuMs: 10_000, deadlineMs: 120_000, queue: 100 },
  /** Pull requests by people who may. */
  writers: { memoryMb: 1_536, cpuMs: 60_000, deadlineMs: 600_000, queue: 100 },
  /** Commits of the branch. */
  branch: { memoryMb: 2_048, cpuMs: 120_000, deadlineMs: 900_000, queue: 100 },
  /** Comparisons of what is live. They have budgets of steps, too: what these do not reach has its finding, and the rest is compared. */
  looks: { memoryMb: 1_536, cpuMs: 60_000, deadlineMs: 300_000, queue: 10_000 },
  /** What plans of targets do: an apply waits for it, so it waits for no look. */
  plans: { memoryMb: 1_024, cpuMs: 20_000, deadlineMs: 120_000, queue: 10_000 },
  /** Questions over the API. */
  questions: { memoryMb: 1_536, cpuMs: 30_000, deadlineMs: 100_000, queue: 16 },
} as const satisfies Readonly<Record<string, LaneOptions>>;

export type Lane = keyof typeof LANES;

/** The workers of a process. */
export type Workers = WorkerPool<typeof TASKS, Lane>;

/** Opens them; no process is started yet. */
export function openWorkers(): Workers {
  // From source and from the bundle alike: there both are in one folder.
  return new WorkerPool({ entry: new URL(`./worker${extname(import.meta.url)}`, import.meta.url), lanes: LANES });
}
