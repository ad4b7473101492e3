import type { Selectable } from "kysely";
import { sql } from "kysely";
import { setTimeout as sleep } from "node:timers/promises";
import { FirebreakError } from "../../core/ground/error.ts";
import { toJson, toText } from "./json.ts";
import { notifyWithin, subscribe } from "./notify.ts";
import { run, transact } from "./session.ts";
import type { Store } from "./session.ts";
import type { RequestKind, RequestTable, StoredError } from "./tables.ts";

/** What the console asks of the syncer, across processes. */
export type RequestRow = Readonly<Selectable<RequestTable>>;

/** Hints can be lost: waiting looks at the table this often anyway. */
const POLL_MS = 1_000;

/** Asks. `mac` proves that the API was asked; `id` is the caller's, unique; the same id again changes nothing. */
export function submitRequest(
  store: Store,
  request: Pick<RequestRow, "id" | "kind" | "args" | "actor" | "createdAt" | "mac">,
): Promise<void> {
  return transact(store, `submit ${request.kind} request`, async (tx) => {
    await tx
      .insertInto("firebreak.requests")
      .values({ ...request, args: toJson(request.args), actor: toText(request.actor) })
      .onConflict((conflict) => conflict.column("id").doNothing())
      .execute();
    await notifyWithin(tx, "requests", request.kind);
  });
}

/** How many requests of these kinds, made since then, wait for an answer or are worked at. */
export function countRequests(store: Store, kinds: readonly RequestKind[], since: number): Promise<number> {
  return run(store, "count requests", async (db) => {
    const { count } = await db
      .selectFrom("firebreak.requests")
      .select(sql<string>`count(*)`.as("count"))
      .where("doneAt", "is", null)
      .where("kind", "in", [...kinds])
      .where("createdAt", ">=", since)
      .executeTakeFirstOrThrow();
    return Number(count);
  });
}

/**
 * Takes the oldest open request of these kinds for `holdMs`; undefined when there is none. One that was taken and not finished
 * in that time (its taker died) is taken again, so answering must be idempotent.
 */
export function takeRequest(
  store: Store,
  kinds: readonly RequestKind[],
  holdMs: number,
  now: number,
): Promise<RequestRow | undefined> {
  return transact(store, "take a request", async (tx) => {
    const free = await tx
      .selectFrom("firebreak.requests")
      .select("id")
      .where("doneAt", "is", null)
      .where("kind", "in", [...kinds])
      .where(sql<boolean>`(taken_until IS NULL OR taken_until <= clock_timestamp())`)
      .orderBy("createdAt")
      .orderBy("id")
      .limit(1)
      .forUpdate()
      .skipLocked()
      .executeTakeFirst();
    if (free === undefined) return undefined;
    return tx
      .updateTable("firebreak.requests")
      .set({ takenAt: now, takenUntil: sql<Date>`clock_timestamp() + ${holdMs}::float8 * interval '1 millisecond'` })
      .where("id", "=", free.id)
      .returningAll()
      .executeTakeFirst();
  });
}

/**
 * Gives back what a process that has ended took and did not answer: it can be taken at once, and not only when the time of that process is up.
 * For whoever knows that nobody else answers. @returns how many
 */
export function giveBackRequests(store: Store): Promise<number> {
  return run(store, "give back requests that were taken", async (db) => {
    const changed = await db
      .updateTable("firebreak.requests")
      .set({ takenAt: null, takenUntil: null })
      .where("doneAt", "is", null)
      .where("takenUntil", "is not", null)
      .executeTakeFirst();
    return Number(changed.numUpdatedRows);
  });
}

/** Answers a request; the first answer stands. */
export function finishRequest(
  store: Store,
  id: string,
  answer: { readonly result: unknown } | { readonly error: StoredError },
  now: number,
): Promise<void> {
  return transact(store, `finish request ${id}`, async (tx) => {
    await tx
      .updateTable("firebreak.requests")
      .set("error" in answer ? { doneAt: now, error: toJson(answer.error) } : { doneAt: now, result: toJson(answer.result) })
      .where("id", "=", id)
      .where("doneAt", "is", null)
      .execute();
    await notifyWithin(tx, "request-done", id);
  });
}

/** One request, or undefined. */
export function requestRow(store: Store, id: string): Promise<RequestRow | undefined> {
  return run(store, `read request ${id}`, (db) =>
    db.selectFrom("firebreak.requests").selectAll().where("id", "=", id).executeTakeFirst(),
  );
}

/**
 * Waits for the answer; give a signal with a deadline.
 *
 * @throws NOT_FOUND when nobody asked; the signal's reason when it is aborted first.
 */
export async function waitForRequest(store: Store, id: string, signal: AbortSignal): Promise<RequestRow> {
  for (;;) {
    const hint = new AbortController();
    const stop = subscribe(store, "request-done", (payload) => {
      if (payload === undefined || payload === id) hint.abort();
    });
    try {
      const row = await requestRow(store, id);
      if (row === undefined) throw new FirebreakError("NOT_FOUND", `request ${id}`);
      if (row.doneAt !== null) return row;
      await pause(POLL_MS, AbortSignal.any([signal, hint.signal]));
    } finally {
      stop();
    }
    signal.throwIfAborted();
  }
}

/** Waits that long, or until the signal is aborted, whichever is first; never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}
