/** How long one thing after the other is done before others have their turn. */
const TURN_MS = 10;

/** As `map`, in turns of the event loop: for many things of which each is little work. */
export async function mapInTurns<T, U>(items: readonly T[], each: (item: T) => U): Promise<readonly U[]> {
  const done: U[] = [];
  let since = performance.now();
  for (const item of items) {
    if (performance.now() - since > TURN_MS) {
      await new Promise(setImmediate);
      since = performance.now();
    }
    done.push(each(item));
  }
  return done;
}

/** Carries out steps to their end, in turns of the event loop. */
export async function inTurns<T>(steps: Generator<unknown, T, void>): Promise<T> {
  let since = performance.now();
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    if (performance.now() - since > TURN_MS) {
      await new Promise(setImmediate);
      since = performance.now();
    }
  }
}
