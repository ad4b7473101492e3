import { isDeepStrictEqual } from "node:util";
import { errorChain, FirebreakError, hasCode } from "../../core/ground/error.ts";
import type { KubernetesClient, WatchEvent } from "./client.ts";
import { listAll } from "./list.ts";
import { isEndOfInitialEvents, keyOf, versionOf, watchError } from "./objects.ts";
import { Forbidden } from "./refusal.ts";
import { pause, SilenceGuard } from "./silence.ts";

/** How long a reflector waits for what; all in ms. */
export interface ReflectorTiming {
  /** A watch without a line for this long is dead. On quiet resources an API server sends bookmarks 60 to 120 s apart (measured, 1.34). */
  readonly silenceMs: number;
  /** A streaming list without a line for this long is none: the server did not understand the question. Below a minute (bookmarks). */
  readonly listSilenceMs: number;
  /** First pause after a failure; doubled with each one up to the longest. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
}

export const REFLECTOR_TIMING: ReflectorTiming = {
  silenceMs: 180_000,
  listSilenceMs: 30_000,
  firstPauseMs: 200,
  longestPauseMs: 10_000,
};

/** A watch that lived for this long was a good one: the next failure is a first one again. */
const GOOD_MS = 30_000;
/** A server that ends watches at once would have us spin. */
const SHORT_MS = 1_000;
const STREAMING_LIST = { sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan" };

/** What became of the copy. */
export type ReflectorChange<T> =
  | { readonly kind: "upsert"; readonly key: string; readonly item: T }
  | { readonly kind: "remove"; readonly key: string }
  /** A whole list took its place. */
  | { readonly kind: "list" }
  /** It is not current any more, or is again; or it turned out that we may not see it. */
  | { readonly kind: "currency" };

export interface ReflectorOptions<T> {
  readonly client: KubernetesClient;
  /** e.g. `/api/v1/pods` */
  readonly path: string;
  /** Only objects that it selects, as the API server reads it. */
  readonly labelSelector?: string;
  /** Keeps what is needed and drops the rest on arrival; undefined: the object is no part of the picture (a finished pod). */
  readonly trim: (object: unknown) => T | undefined;
  /** Called after each change and when currency is lost or regained; must not throw. */
  readonly onChange: (change: ReflectorChange<T>) => void;
  /** Uniform in [0, 1): restarts are spread. */
  readonly random: () => number;
  /** ms since the epoch */
  readonly now: () => number;
  readonly timing?: Partial<ReflectorTiming> | undefined;
}

/**
 * A local copy of one resource, kept current by list and watch.
 *
 * It starts with a streaming list (`sendInitialEvents`, Kubernetes ≥ 1.32; KEP-3157) and falls back to a paged list where the server
 * refuses or does not understand that. Any error restarts it with jitter; it never gives up by itself. While it is not current
 * `isCurrent` is false and the items are the last known ones: a failed listing is never an empty one.
 */
export class Reflector<T> {
  readonly #options: ReflectorOptions<T>;
  readonly #timing: ReflectorTiming;
  #items = new Map<string, T>();
  /** Where a watch goes on; undefined: only a whole list can tell what there is. */
  #resourceVersion: string | undefined;
  #current = false;
  #everSynced = false;
  #lastConfirmedAt = 0;
  #lastError: string | undefined;
  #isForbidden = false;
  /** never: the server refused it in words · not now: the last try did not come to its end. */
  #streaming: "yes" | "not now" | "never" = "yes";

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#timing = { ...REFLECTOR_TIMING, ...options.timing };
  }

  /** By `namespace/name`, or `name` for what has no namespace. */
  get items(): ReadonlyMap<string, T> {
    return this.#items;
  }

  /** True while a whole list was seen and the watch after it is alive. */
  get isCurrent(): boolean {
    return this.#current;
  }

  /** True once a whole list was seen, whatever happened since. */
  get everSynced(): boolean {
    return this.#everSynced;
  }

  /** When the server last proved this copy current (list, event or bookmark), ms since the epoch; 0: never. */
  get lastConfirmedAt(): number {
    return this.#lastConfirmedAt;
  }

  /** Why it is not current; undefined when it is, or has not been tried yet. */
  get lastError(): string | undefined {
    return this.#lastError;
  }

  /** True when the last try failed because the account may not list or watch this. */
  get isForbidden(): boolean {
    return this.#isForbidden;
  }

  get path(): string {
    return this.#options.path;
  }

  /** Runs until the signal aborts; does not throw. */
  async run(signal: AbortSignal): Promise<void> {
    const { now, random } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      const startedAt = now();
      try {
        await this.#round(signal);
        failures = 0;
        if (now() - startedAt < SHORT_MS) await pause(500 * (0.5 + random()), signal);
      } catch (error) {
        if (signal.aborted) break;
        failures = now() - startedAt >= GOOD_MS ? 1 : failures + 1;
        this.#lose(error);
        const { firstPauseMs, longestPauseMs } = this.#timing;
        await pause(Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures - 1, 16)) * (0.5 + random()), signal);
      }
    }
    this.#setCurrent(false);
  }

  /** One list with its watch, or one watch that goes on where the last one was ended by the server (now and then; that is no error). */
  async #round(signal: AbortSignal): Promise<void> {
    if (this.#resourceVersion !== undefined) return await this.#follow(signal);
    if (this.#streaming === "yes") return await this.#streamList(signal);
    await this.#pagedList(signal);
    await this.#follow(signal);
  }

  /** Streaming list: initial events, then a marked bookmark, then the same connection goes on as the watch. */
  async #streamList(signal: AbortSignal): Promise<void> {
    const { silenceMs, listSilenceMs } = this.#timing;
    using guard = new SilenceGuard(listSilenceMs, signal);
    const next = new Map<string, T>();
    let whole = false;
    try {
      for await (const event of await this.#open(STREAMING_LIST, guard.signal)) {
        guard.heard(whole ? silenceMs : listSilenceMs);
        if (whole) this.#take(event);
        else this.#apply(event, next);
        if (whole || !isEndOfInitialEvents(event)) continue;
        whole = true;
        guard.heard(silenceMs);
        this.#replace(next, versionOf(event.object));
        this.#setCurrent(true);
      }
    } catch (error) {
      if (!whole) this.#streaming = hasCode(error, "API_REFUSED") ? "never" : "not now";
      throw error;
    }
    if (whole) return;
    this.#streaming = "not now";
    throw new FirebreakError("CLUSTER_UNREACHABLE", `list ${this.#options.path}: the stream ended before the list was whole`);
  }

  async #pagedList(signal: AbortSignal): Promise<void> {
    const { client, path, trim, labelSelector } = this.#options;
    const keep = (object: unknown) => [keyOf(object), trim(object)] as const;
    const { items, resourceVersion } = await listAll(client, path, keep, signal, labelSelector);
    const next = new Map<string, T>();
    for (const [key, trimmed] of items) if (trimmed !== undefined) next.set(key, trimmed);
    this.#replace(next, resourceVersion);
    if (this.#streaming === "not now") this.#streaming = "yes";
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { silenceMs } = this.#timing;
    using guard = new SilenceGuard(silenceMs, signal);
    const events = await this.#open({ resourceVersion: this.#resourceVersion ?? "" }, guard.signal);
    this.#setCurrent(true);
    for await (const event of events) {
      guard.heard(silenceMs);
      this.#take(event);
    }
  }

  async #open(query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<AsyncIterable<WatchEvent>> {
    const { client, path, random, labelSelector } = this.#options;
    const timeoutSeconds = String(Math.floor(240 + 120 * random()));
    const selected = labelSelector === undefined ? query : { ...query, labelSelector };
    return await client.watch(path, { ...selected, watch: "1", allowWatchBookmarks: "true", timeoutSeconds }, signal);
  }

  #take(event: WatchEvent): void {
    const change = this.#apply(event, this.#items);
    this.#resourceVersion = versionOf(event.object) ?? this.#resourceVersion;
    this.#confirm();
    if (change !== undefined) this.#options.onChange(change);
  }

  /** @returns undefined when the picture is the same as before: a heartbeat changes nothing that we keep */
  #apply({ type, object }: WatchEvent, into: Map<string, T>): ReflectorChange<T> | undefined {
    if (type === "ERROR") throw watchError(object, this.#options.path);
    if (type === "BOOKMARK") return undefined;
    if (type !== "ADDED" && type !== "MODIFIED" && type !== "DELETED") {
      throw new FirebreakError("CLUSTER_UNREACHABLE", `watch ${this.#options.path}: an event of an unknown type`);
    }
    const key = keyOf(object);
    const trimmed = type === "DELETED" ? undefined : this.#options.trim(object);
    if (trimmed === undefined) return into.delete(key) ? { kind: "remove", key } : undefined;
    if (isDeepStrictEqual(into.get(key), trimmed)) return undefined;
    into.set(key, trimmed);
    return { kind: "upsert", key, item: trimmed };
  }

  #replace(next: Map<string, T>, version: string | undefined): void {
    this.#items = next;
    this.#resourceVersion = version;
    this.#everSynced = true;
    this.#confirm();
    this.#options.onChange({ kind: "list" });
  }

  #confirm(): void {
    this.#lastConfirmedAt = this.#options.now();
    this.#lastError = undefined;
    this.#isForbidden = false;
  }

  #setCurrent(current: boolean): void {
    if (this.#current === current) return;
    this.#current = current;
    this.#options.onChange({ kind: "currency" });
  }

  /** What an error leaves: the items as they are, and nothing to resume from. */
  #lose(error: unknown): void {
    this.#lastError = errorChain(error).join(": ");
    const wasForbidden = this.#isForbidden;
    this.#isForbidden = error instanceof Forbidden;
    if (this.#isForbidden !== wasForbidden) this.#options.onChange({ kind: "currency" }); // who waits for a list need not wait on
    // A watch that resumes cannot tell when it has caught up, and would be called current too early: the next picture is a whole list.
    this.#resourceVersion = undefined;
    this.#setCurrent(false);
  }
}
