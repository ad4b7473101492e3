import { setTimeout as sleep } from "node:timers/promises";
import { FirebreakError, hasCode } from "../../core/ground/error.ts";
import { openQueue, type QueueLocation, type QueueOptions } from "./open.ts";
import type { Handler, Queue } from "./queue.ts";

const RETRY_MS = 1_000;

/** What is asked of a queue before it is there, in the order of the asking. */
interface Asked {
  isReset: boolean;
  process: { readonly handler: Handler; readonly concurrency: number } | undefined;
}

/**
 * As `openQueue`, and when its server is away at the start the process starts all the same: adding fails until the server is there (the
 * sweep repeats it), and jobs are run from then on.
 *
 * @throws CONFIG_INVALID for a server that is there and must not be used
 */
export async function openQueueEventually(location: QueueLocation, options: QueueOptions): Promise<Queue> {
  try {
    return await openQueue(location, options);
  } catch (error) {
    if (location.kind === "embedded" || !hasCode(error, "QUEUE_UNAVAILABLE") || options.signal.aborted) throw error;
    options.report?.("queue-error", error);
    return comingQueue(location, options);
  }
}

function comingQueue(location: QueueLocation, options: QueueOptions): Queue {
  const closing = new AbortController();
  const asked: Asked = { isReset: false, process: undefined };
  let there: Queue | undefined;
  const coming = open();
  const close = async (): Promise<void> => {
    closing.abort();
    await coming;
    await there?.close();
  };
  return {
    kind: location.kind,
    async enqueue(target) {
      if (there === undefined)
        throw new FirebreakError("QUEUE_UNAVAILABLE", `add a job for ${target}: its server is away since the start`);
      await there.enqueue(target);
    },
    async check() {
      if (there === undefined) throw new FirebreakError("QUEUE_UNAVAILABLE", "the queue's server is away since the start");
      await there.check();
    },
    async reset() {
      asked.isReset = true;
      await there?.reset();
    },
    async process(handler, { concurrency }) {
      asked.process = { handler, concurrency };
      await there?.process(handler, { concurrency });
    },
    close,
    [Symbol.asyncDispose]: close,
  };

  /** Never rejects. */
  async function open(): Promise<void> {
    const signal = AbortSignal.any([options.signal, closing.signal]);
    while (!signal.aborted) {
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined); // aborted: the loop ends
      if (signal.aborted) return;
      try {
        const queue = await openQueue(location, { ...options, signal });
        if (asked.isReset) await queue.reset();
        if (asked.process !== undefined) await queue.process(asked.process.handler, asked.process);
        there = queue;
        return;
      } catch (error) {
        options.report?.("queue-error", error);
      }
    }
  }
}
