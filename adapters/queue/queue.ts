import { Queue as JobQueue, Worker } from "bullmq";
import type { Job, WorkerOptions } from "bullmq";
import { FirebreakError } from "../../core/ground/error.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import type { Backend, QueueReport } from "./backend.ts";

/** What a job is: the target's id and nothing else. Why it must be reconciled is in the store's work table. */
interface ReconcileJob {
  readonly target: TargetId;
}

/** Reconciles one target; told to stop by the signal. What it throws is reported and forgotten: retries are the store's. */
export type Handler = (target: TargetId, signal: AbortSignal) => Promise<void>;

/**
 * The queue: one active job per target at any time, across all processes; a target added while its job runs is run once more
 * afterwards. It is not the truth: a job that is lost (a Redis emptied) comes back with the caller's next sweep of open work.
 */
export interface Queue extends AsyncDisposable {
  readonly kind: "embedded" | "postgres" | "redis";
  /** @throws QUEUE_UNAVAILABLE; the caller's sweep tries again, so it may be ignored after logging. */
  enqueue(target: TargetId): Promise<void>;
  /** Asks the server whether it answers. @throws QUEUE_UNAVAILABLE */
  check(): Promise<void>;
  /** Removes what an earlier process left, jobs that it was running too. Only for who knows that nobody else runs jobs; open work brings them back. */
  reset(): Promise<void>;
  /** Starts running jobs, different targets side by side up to `concurrency`. Once per queue. */
  process(handler: Handler, options: { readonly concurrency: number }): Promise<void>;
  /** Tells running handlers to stop, waits for them, and closes all connections. Idempotent. */
  close(): Promise<void>;
}

export const QUEUE_NAME = "firebreak";
const JOB_NAME = "reconcile";

/** An enqueue that takes longer is given up; the sweep repeats it. */
const ENQUEUE_TIMEOUT_MS = 5_000;

/** A server that is away must not keep the process from ending. */
const CLOSE_TIMEOUT_MS = 3_000;

/** A worker that died is noticed when its lock runs out; another takes the job over at the next look. */
const LOCKS = { lockDuration: 15_000, stalledInterval: 5_000, maxStalledCount: 10 } as const satisfies Partial<WorkerOptions>;

/** Nothing of a finished job is kept: what happened is in the store. */
const KEEP_NOTHING = { count: 0 } as const;

const SERVERS = { embedded: "the embedded store", postgres: "PostgreSQL", redis: "Redis" } as const;

/** A queue on an opened backend; `openQueue` is the way to get one. */
export async function queueOn(backend: Backend, report: QueueReport): Promise<Queue> {
  const jobs = await backend.createQueue((connection, factory) => {
    const queue = new JobQueue<ReconcileJob>(QUEUE_NAME, { connection, skipVersionCheck: true } as never, factory as never);
    queue.on("error", (error) => report("queue-error", error));
    return queue;
  });
  const stopping = new AbortController();
  const running = new Set<Promise<void>>();
  let worker: Worker<ReconcileJob> | undefined;
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    stopping.abort(new FirebreakError("QUEUE_UNAVAILABLE", "the queue is closing"));
    return (closed ??= closeAll(running, worker, jobs, backend));
  };
  return {
    kind: backend.kind,
    enqueue: (target) => addJob(jobs, target),
    async check() {
      try {
        await backend.check();
      } catch (cause) {
        throw new FirebreakError("QUEUE_UNAVAILABLE", `ask whether the queue's server (${SERVERS[backend.kind]}) answers`, {
          cause,
        });
      }
    },
    async reset() {
      try {
        await jobs.obliterate({ force: true });
      } catch (cause) {
        throw new FirebreakError("QUEUE_UNAVAILABLE", "empty the queue", { cause });
      }
    },
    async process(handler, { concurrency }) {
      if (worker !== undefined) throw new FirebreakError("USAGE", "this queue has a handler already");
      const processor = processorFor(handler, stopping.signal, running, report);
      worker = backend.createWorker((connection, factory) => startWorker(processor, concurrency, connection, factory, report));
      await worker.waitUntilReady();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function addJob(jobs: JobQueue<ReconcileJob>, target: TargetId): Promise<void> {
  const timeout = AbortSignal.timeout(ENQUEUE_TIMEOUT_MS);
  const added = jobs.add(
    JOB_NAME,
    { target },
    { deduplication: { id: target, keepLastIfActive: true }, removeOnComplete: true, removeOnFail: true },
  );
  try {
    await Promise.race([added, rejectOn(timeout)]);
  } catch (cause) {
    added.catch(() => undefined); // reported here already
    throw new FirebreakError("QUEUE_UNAVAILABLE", `add a job for ${target}`, { cause });
  }
}

type JobProcessor = (job: Job<ReconcileJob>, token?: string, lost?: AbortSignal) => Promise<void>;

function processorFor(handler: Handler, stopping: AbortSignal, running: Set<Promise<void>>, report: QueueReport): JobProcessor {
  return async (job, _token, lost) => {
    // A job that is taken while closing is dropped: its work is still open in the store.
    if (stopping.aborted) return;
    const { target } = job.data;
    const run = runHandler(handler, target, lost === undefined ? stopping : AbortSignal.any([stopping, lost]), report);
    running.add(run);
    await run.finally(() => running.delete(run));
  };
}

/** Never rejects: the job completes all the same. A failed run is recorded in the store, which says when to try again. */
async function runHandler(handler: Handler, target: TargetId, signal: AbortSignal, report: QueueReport): Promise<void> {
  try {
    await handler(target, signal);
  } catch (error) {
    report("handler-failed", { target, error });
  }
}

function startWorker(
  processor: JobProcessor,
  concurrency: number,
  connection: unknown,
  factory: unknown,
  report: QueueReport,
): Worker<ReconcileJob> {
  const options = {
    connection,
    concurrency,
    ...LOCKS,
    removeOnComplete: KEEP_NOTHING,
    removeOnFail: KEEP_NOTHING,
    skipVersionCheck: true,
  };
  // The casts: BullMQ types its options by backend, which is chosen at run time here.
  const worker = new Worker<ReconcileJob>(QUEUE_NAME, processor, options as never, factory as never);
  worker.on("error", (error) => report("queue-error", error));
  worker.on("stalled", (job) => report("job-taken-over", { job }));
  return worker;
}

/** Handlers first, for as long as they need; then the connections, which must not hold the process when the server is away. */
async function closeAll(
  running: ReadonlySet<Promise<void>>,
  worker: Worker<ReconcileJob> | undefined,
  jobs: JobQueue<ReconcileJob>,
  backend: Backend,
): Promise<void> {
  while (running.size > 0) await Promise.all(running);
  try {
    if (worker !== undefined && !(await inTime(worker.close()))) await inTime(worker.close(true));
    await inTime(jobs.close());
  } finally {
    await backend.close();
  }
}

/** False when it takes longer than a close may take. */
async function inTime(closing: Promise<void>): Promise<boolean> {
  const late = AbortSignal.timeout(CLOSE_TIMEOUT_MS);
  return Promise.race([closing.then(() => true), rejectOn(late)]).catch((error: unknown) => {
    closing.catch(() => undefined); // it was too late
    if (late.aborted) return false;
    throw error;
  });
}

function rejectOn(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
