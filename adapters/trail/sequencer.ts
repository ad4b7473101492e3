/** One batch at a time: what is appended while a batch is being written forms the next one, so that nobody waits for a timer. */

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** What becomes of a batch: one result for each item, in order. A throw fails every item of the batch. */
export type ProcessBatch<Item, Result> = (batch: readonly Item[]) => Promise<readonly Result[]>;

/** Runs items through `process` in the order they came, in batches of at most `maxBatch`. */
export class Sequencer<Item, Result> {
  readonly #process: ProcessBatch<Item, Result>;
  readonly #maxBatch: number;
  #waiting: Waiting<Item, Result>[] = [];
  #running: Promise<void> | undefined;

  constructor(process: ProcessBatch<Item, Result>, maxBatch: number) {
    this.#process = process;
    this.#maxBatch = maxBatch;
  }

  /** Resolves when the batch with this item has been processed. */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when nothing waits and nothing runs. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    // Everything that is added in this turn of the event loop goes into the first batch.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, this.#maxBatch);
      this.#waiting = this.#waiting.slice(this.#maxBatch);
      try {
        const results = await this.#process(batch.map(({ item }) => item));
        batch.forEach(({ resolve }, index) => resolve(results[index] as Result));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#running = undefined;
  }
}
