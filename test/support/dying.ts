/** A process that ends between two of its writes: what it wrote until then stays, and nothing after it is written, or answered. */
import type { KyselyPlugin, RootOperationNode } from "kysely";
import type { Store } from "../../adapters/store/index.ts";
import type { EntryInput } from "../../core/audit/entry.ts";

/** What of a context writes to store and log. */
interface Writing {
  readonly store: Store;
  readonly trail: { readonly append: (entries: readonly EntryInput[]) => Promise<unknown> };
}

/** A life of a process. */
export interface Life<Context> {
  readonly context: Context;
  /** Anything else that it writes: to a target, to a forge. */
  readonly writes: <T>(write: () => Promise<T>) => Promise<T>;
  readonly hasEnded: () => boolean;
}

/**
 * A copy of `context` whose process ends before its write number `last` + 1: each statement that changes the store, each append to the log, and
 * each of {@link Life.writes} is one. A transaction that it ends in is rolled back. `Infinity`: it lives on.
 */
export function lifeOf<Context extends Writing>(context: Context, last: number): Life<Context> {
  let written = 0;
  const isOver = (): boolean => written > last;
  const write = (): void => {
    written += 1;
    live();
  };
  const live = (): void => {
    if (isOver()) throw new Error("the process ended");
  };
  const plugin: KyselyPlugin = {
    transformQuery({ node }) {
      if (changes(node)) write();
      else live();
      return node;
    },
    transformResult: async ({ result }) => await Promise.resolve(result),
  };
  const db = context.store.db.withPlugin(plugin);
  const store = new Proxy(context.store, { get: (of, key) => (key === "db" ? db : (Reflect.get(of, key, of) as unknown)) });
  const trail = {
    ...context.trail,
    append: async (entries: readonly EntryInput[]) => {
      write();
      return await context.trail.append(entries);
    },
  };
  return {
    context: { ...context, store, trail },
    writes: async (work) => {
      write();
      return await work();
    },
    hasEnded: isOver,
  };
}

/** Statements that are written out as text may change anything. */
function changes({ kind }: RootOperationNode): boolean {
  return kind !== "SelectQueryNode";
}
