import pLimit, { type LimitFunction } from "p-limit";
import { FirebreakError } from "../../core/ground/error.ts";
import { WorkerChild, type TaskLimits } from "./child.ts";
import type { Outcome } from "./outcome.ts";
import type { Tasks } from "./serve.ts";

/** A place to work with a process of its own: what waits in one lane delays no other. */
export interface LaneOptions extends TaskLimits {
  /** Of the whole process; a task that needs more ends with it. */
  readonly memoryMb: number;
  /** How many tasks may wait; beyond, nothing more is taken. */
  readonly queue: number;
}

export interface PoolOptions<Lane extends string> {
  /** The worker's module: it calls `serveTasks`. */
  readonly entry: URL;
  readonly lanes: Readonly<Record<Lane, LaneOptions>>;
}

export interface RunOptions<Lane extends string> {
  readonly lane: Lane;
  readonly signal: AbortSignal;
  /** Instead of the lane's. */
  readonly limits?: TaskLimits;
}

/** Kept for the next task this long. */
const IDLE_MS = 60_000;

/**
 * Work whose size somebody else decides, in processes of its own, one per lane, started when it is needed.
 *
 * Processes and not threads: a thread whose Map outgrows its memory limit ends the whole process (measured with Node 24), and buffers are not
 * in a thread's limit at all.
 */
export class WorkerPool<All extends Tasks, Lane extends string> implements AsyncDisposable {
  readonly #options: PoolOptions<Lane>;
  readonly #lanes = new Map<Lane, LaneOfWork>();

  constructor(options: PoolOptions<Lane>) {
    this.#options = options;
  }

  /**
   * Runs a task by its name. The input is copied, in pieces.
   *
   * @throws the reason of the signal, and TARGET_LOCKED when too much waits already; everything else is an outcome
   */
  async run<Name extends keyof All & string>(
    task: Name,
    input: Parameters<All[Name]>[0],
    options: RunOptions<Lane>,
  ): Promise<Outcome<Awaited<ReturnType<All[Name]>>>> {
    // The cast: what the task of this name answers, copied.
    return (await this.#lane(options.lane).run(task, input, options)) as Outcome<Awaited<ReturnType<All[Name]>>>;
  }

  /** Starts a lane's process now, for work that is about to come. */
  warm(name: Lane): void {
    this.#lane(name).warm();
  }

  #lane(name: Lane): LaneOfWork {
    const known = this.#lanes.get(name);
    if (known !== undefined) return known;
    const lane = new LaneOfWork(this.#options.entry, this.#options.lanes[name]);
    this.#lanes.set(name, lane);
    return lane;
  }

  /** Ends every process. What still runs fails. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const lane of this.#lanes.values()) lane.close();
  }
}

class LaneOfWork {
  readonly #entry: URL;
  readonly #options: LaneOptions;
  readonly #limit: LimitFunction = pLimit(1);
  #child: WorkerChild | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(entry: URL, options: LaneOptions) {
    this.#entry = entry;
    this.#options = options;
  }

  async run(task: string, input: unknown, { signal, limits }: Omit<RunOptions<string>, "lane">): Promise<Outcome<unknown>> {
    const { queue } = this.#options;
    if (this.#limit.pendingCount >= queue) throw new FirebreakError("TARGET_LOCKED", `more than ${queue} such tasks wait already`);
    return await this.#limit(async () => {
      clearTimeout(this.#idle);
      try {
        return await this.#started().run(task, input, limits ?? this.#options, signal);
      } finally {
        this.#closeWhenIdle();
      }
    });
  }

  warm(): void {
    this.#started();
    if (this.#limit.activeCount === 0) this.#closeWhenIdle();
  }

  #started(): WorkerChild {
    if (this.#child === undefined || this.#child.isGone)
      this.#child = new WorkerChild({ entry: this.#entry, memoryMb: this.#options.memoryMb });
    return this.#child;
  }

  #closeWhenIdle(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.close(), IDLE_MS).unref();
  }

  close(): void {
    clearTimeout(this.#idle);
    this.#child?.kill();
    this.#child = undefined;
  }
}
