import { asStoreError } from "./session.ts";
import type { HeldLock, NamedLocks, Store } from "./session.ts";

/**
 * Takes a named lock across all processes of this store (the audit log's sequencer, the Git poller), or undefined when another
 * process has it. Ends with the process: a crash gives it back.
 */
export async function tryExclusive(store: Store, name: string): Promise<HeldLock | undefined> {
  try {
    return await store.locks.tryAcquire(name);
  } catch (cause) {
    throw asStoreError(`take the lock ${name}`, cause);
  }
}

/** Locks within one process: the embedded store has no other. */
export function localLocks(): NamedLocks {
  const held = new Set<string>();
  return {
    tryAcquire(name) {
      if (held.has(name)) return Promise.resolve(undefined);
      held.add(name);
      return Promise.resolve({
        lost: new AbortController().signal,
        [Symbol.asyncDispose]() {
          held.delete(name);
          return Promise.resolve();
        },
      });
    },
  };
}
