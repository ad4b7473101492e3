import { sql } from "kysely";
import { run } from "./session.ts";
import type { Db, Store } from "./session.ts";

/** What changed in the store. A notification is a hint: whoever needs to be sure reads the table, also without one. */
export type Topic =
  | "work"
  | "revision"
  | "repository"
  /** A pull request may have changed: its number, or "" when it is not known which. */
  | "pulls"
  | "requests"
  | "request-done"
  | "targets"
  | "findings"
  | "memberships"
  | "deliveries"
  | "proposals"
  | "entries"
  | "integrated";

/** Payload of a topic, or undefined when notifications may have been missed (the connection was made anew): read everything. */
export type Subscriber = (payload: string | undefined) => void;

/** The one Postgres channel; topic and payload travel in the payload. */
export const CHANNEL = "firebreak";

/** Postgres refuses payloads of 8,000 bytes; ours are ids. */
const MAX_PAYLOAD_CHARACTERS = 1_900;

/** Hands notifications of the one channel to the subscribers of their topics. */
export interface NotificationHub {
  subscribe(topic: Topic, subscriber: Subscriber): () => void;
  /** A raw payload from the channel. */
  receive(raw: string): void;
  /** Tells everybody that something may have been missed. */
  missed(): void;
}

/** A hub without a connection; the backend feeds it. Subscribers must not throw: one that does is reported to `onError`. */
export function createHub(onError: (error: unknown) => void): NotificationHub {
  const subscribers = new Map<Topic, Set<Subscriber>>();
  const tell = (topic: string, payload: string | undefined): void => {
    for (const subscriber of subscribers.get(topic as Topic) ?? []) {
      try {
        subscriber(payload);
      } catch (error) {
        onError(error);
      }
    }
  };
  return {
    subscribe(topic, subscriber) {
      const set = subscribers.get(topic) ?? new Set();
      subscribers.set(topic, set.add(subscriber));
      return () => void set.delete(subscriber);
    },
    receive(raw) {
      const space = raw.indexOf(" ");
      if (space > 0) tell(raw.slice(0, space), raw.slice(space + 1));
    },
    missed() {
      for (const topic of subscribers.keys()) tell(topic, undefined);
    },
  };
}

/** Calls `subscriber` on notifications of the topic from any process; returns how to stop. Poll as well: hints can be lost. */
export function subscribe(store: Store, topic: Topic, subscriber: Subscriber): () => void {
  return store.hub.subscribe(topic, subscriber);
}

/** Tells every process that uses this store. */
export async function notify(store: Store, topic: Topic, payload = ""): Promise<void> {
  await run(store, `notify ${topic}`, (db) => notifyWithin(db, topic, payload));
}

/** As `notify`, inside a transaction: told when it commits, not told when it does not. */
export async function notifyWithin(db: Db, topic: Topic, payload = ""): Promise<void> {
  await sql`SELECT pg_notify(${CHANNEL}, ${`${topic} ${payload.slice(0, MAX_PAYLOAD_CHARACTERS)}`})`.execute(db);
}
