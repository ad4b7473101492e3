import type { Queue } from "../adapters/queue/index.ts";
import type { Logger } from "./log.ts";

/**
 * A queue that may be away when something is added: the work is a row in the store already, and the syncer's sweep sees to it. Whoever
 * adds has other things to finish, which a server that is away must not stop.
 */
export function patientQueue(queue: Queue, log: Logger): Queue {
  return {
    ...queue,
    async enqueue(target) {
      try {
        await queue.enqueue(target);
      } catch (error) {
        log.debug({ target, error }, "the queue is away; the sweep sees to it");
      }
    },
  };
}
