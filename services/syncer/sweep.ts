import pLimit from "p-limit";
import { pruneStore, targetsWithOpenWork } from "../../adapters/store/index.ts";
import type { TargetId } from "../../core/model/kinds.ts";
import { runLoop } from "../loop.ts";
import { closeOpenIntents } from "./recover.ts";
import { giveBackLeases } from "./held-lease.ts";
import type { SyncerContext } from "./context.ts";
import { reconcile } from "./reconcile.ts";

const EVERY_MS = 5_000;
/** While the queue is away the sweep is all there is. */
const ALONE_EVERY_MS = 500;
const PRUNE_EVERY_MS = 3_600_000;
/** Closed rows are kept this long for people to look at; what must be kept for good is in the log. */
const KEEP_MS = 7 * 24 * 3_600_000;

/**
 * Puts a job in the queue for every target with open work whose time has come: what a lost queue, a crash between two writes, or
 * a back-off that ran out left behind (docs/design/contracts.md "The queue is not the truth"). Closes intents whose outcome the
 * log did not take, and gives back leases that the store did not take.
 *
 * While the queue's server is away it carries the runs out itself: the lease is what keeps runs of one target apart, with a queue and
 * without.
 */
export async function sweep(context: SyncerContext): Promise<void> {
  const { store, queue, log, signal, now, elapsed } = context;
  const alone = new OwnRuns(context);
  let prunedAt = -PRUNE_EVERY_MS;
  let isAway = false;
  const everyMs = (): number => (isAway ? ALONE_EVERY_MS : EVERY_MS);
  await runLoop({ name: "sweep", log, signal, everyMs }, async () => {
    await giveBackLeases(context);
    const isTheOne = context.only.whyNot() === undefined;
    if (isTheOne) await closeOpenIntents(context);
    isAway = await queue.check().then(
      () => false,
      () => true,
    );
    for (const target of await targetsWithOpenWork(store, now())) {
      if (!isAway) await queue.enqueue(target);
      else if (isTheOne) alone.start(target);
    }
    if (elapsed() - prunedAt < PRUNE_EVERY_MS) return;
    prunedAt = elapsed();
    await pruneStore(store, now() - KEEP_MS);
  });
  await alone.ended();
}

/** Runs without a queue: one at a time for each target, side by side up to the setting. */
class OwnRuns {
  readonly #context: SyncerContext;
  readonly #limit: ReturnType<typeof pLimit>;
  readonly #running = new Map<TargetId, Promise<void>>();

  constructor(context: SyncerContext) {
    this.#context = context;
    this.#limit = pLimit(context.settings.concurrency);
  }

  start(target: TargetId): void {
    if (this.#running.has(target)) return;
    const { signal, log } = this.#context;
    const run = this.#limit(async () => await reconcile(this.#context, target, signal))
      .catch((error: unknown) => log.warn({ target, error }, "run ended without a record"))
      .finally(() => this.#running.delete(target));
    this.#running.set(target, run);
  }

  async ended(): Promise<void> {
    await Promise.all(this.#running.values());
  }
}
