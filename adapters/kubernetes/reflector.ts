import { errorChain, FirebreakError, hasCode } from "../../core/model/error.ts";
import type { KubernetesClient, WatchEvent } from "./client.ts";

/** A watch without a byte for this long is dead: the API server sends a bookmark every minute. */
const IDLE_MS = 90_000;
const PAGE_SIZE = "500";

export interface ReflectorOptions<T> {
  readonly client: KubernetesClient;
  /** e.g. `/api/v1/pods` */
  readonly path: string;
  /** Keeps what is needed and drops the rest on arrival; undefined: the object is no part of the picture (a finished pod). */
  readonly trim: (object: unknown) => T | undefined;
  /** Called after each change and when currency is lost or regained; must not throw. */
  readonly onChange: () => void;
  /** Uniform in [0, 1): restarts are spread. */
  readonly random: () => number;
  /** ms since the epoch */
  readonly now: () => number;
}

/**
 * A local copy of one resource, kept current by list and watch.
 *
 * It starts with a streaming list (`sendInitialEvents`, Kubernetes ≥ 1.32; KEP-3157) and falls back to a paged list where the server
 * refuses that. Any error restarts it with jitter; it never gives up by itself. While it is not current `isCurrent` is false
 * and the items are the last known ones: a failed listing is never an empty one.
 */
export class Reflector<T> {
  readonly #options: ReflectorOptions<T>;
  #items = new Map<string, T>();
  #resourceVersion: string | undefined;
  #current = false;
  #everSynced = false;
  #lastConfirmedAt = 0;
  #lastError: string | undefined;
  #watchListRefused = false;

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
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

  get lastError(): string | undefined {
    return this.#lastError;
  }

  /** Runs until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        const startedAt = this.#options.now();
        if (this.#resourceVersion === undefined) await this.#list(signal);
        else await this.#follow(signal);
        failures = 0;
        // A server that ends watches at once would have us spin.
        if (this.#options.now() - startedAt < 1_000) await pause(500 * (0.5 + this.#options.random()), signal);
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        this.#lastError = errorChain(error).join(": ");
        // After any error the next picture is a whole list: a watch that resumes cannot tell when it has caught up, and would be
        // called current too early. The items stay until the new picture is whole.
        this.#resourceVersion = undefined;
        this.#setCurrent(false);
        await pause(Math.min(10_000, 100 * 2 ** Math.min(failures, 7)) * (0.5 + this.#options.random()), signal);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    if (!this.#watchListRefused) {
      try {
        return await this.#watchList(signal);
      } catch (error) {
        if (!hasCode(error, "API_REFUSED")) throw error;
        this.#watchListRefused = true;
      }
    }
    return await this.#pagedList(signal);
  }

  /** Streaming list: initial events, then a marked bookmark, then the same connection goes on as the watch. */
  async #watchList(signal: AbortSignal): Promise<void> {
    const query = { watch: "1", sendInitialEvents: "true", resourceVersionMatch: "NotOlderThan", allowWatchBookmarks: "true" };
    const next = new Map<string, T>();
    let whole = false;
    for await (const event of this.#events(query, signal)) {
      if (whole) {
        this.#take(event, this.#items);
        continue;
      }
      this.#apply(event, next);
      if (isEndOfInitialEvents(event)) {
        whole = true;
        this.#replace(next, versionOf(event.object));
      }
    }
    if (!whole)
      throw new FirebreakError("CLUSTER_UNREACHABLE", `list ${this.#options.path}: the stream ended before the list was whole`);
  }

  async #pagedList(signal: AbortSignal): Promise<void> {
    const next = new Map<string, T>();
    let token: string | undefined;
    let version: string | undefined;
    do {
      const query: Record<string, string> = { limit: PAGE_SIZE };
      if (token !== undefined) query["continue"] = token;
      const page = parseList(await this.#options.client.call("GET", this.#options.path, { query, signal }), this.#options.path);
      for (const object of page.items) this.#apply({ type: "ADDED", object }, next);
      token = page.continue;
      version = page.resourceVersion;
    } while (token !== undefined);
    this.#replace(next, version);
  }

  /** Watches from where we are, which was current. The server ends a watch now and then; that is no error. */
  async #follow(signal: AbortSignal): Promise<void> {
    const query = { watch: "1", resourceVersion: this.#resourceVersion ?? "", allowWatchBookmarks: "true" };
    for await (const event of this.#events(query, signal)) this.#take(event, this.#items);
  }

  async *#events(query: Record<string, string>, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    const timeoutSeconds = String(Math.floor(240 + 120 * this.#options.random()));
    for await (const event of this.#options.client.watch(this.#options.path, { ...query, timeoutSeconds }, IDLE_MS, signal)) {
      if (event.type === "ERROR") throw watchError(event.object, this.#options.path);
      yield event;
    }
  }

  #take(event: WatchEvent, into: Map<string, T>): void {
    const changed = this.#apply(event, into);
    this.#resourceVersion = versionOf(event.object) ?? this.#resourceVersion;
    this.#confirm();
    if (changed) this.#options.onChange();
  }

  #apply(event: WatchEvent, into: Map<string, T>): boolean {
    if (event.type === "BOOKMARK") return false;
    const key = keyOf(event.object);
    const trimmed = event.type === "DELETED" ? undefined : this.#options.trim(event.object);
    if (trimmed === undefined) return into.delete(key);
    into.set(key, trimmed);
    return true;
  }

  #replace(next: Map<string, T>, version: string | undefined): void {
    this.#items = next;
    this.#resourceVersion = version;
    this.#everSynced = true;
    this.#current = true;
    this.#confirm();
    this.#options.onChange();
  }

  #confirm(): void {
    this.#lastConfirmedAt = this.#options.now();
    this.#lastError = undefined;
  }

  #setCurrent(current: boolean): void {
    if (this.#current === current) return;
    this.#current = current;
    this.#options.onChange();
  }
}

interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly resourceVersion?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

function metadataOf(object: unknown): Metadata {
  return (object as { metadata: Metadata }).metadata;
}

function keyOf(object: unknown): string {
  const { namespace, name } = metadataOf(object);
  return namespace === undefined ? name : `${namespace}/${name}`;
}

function versionOf(object: unknown): string | undefined {
  return metadataOf(object).resourceVersion;
}

function isEndOfInitialEvents(event: WatchEvent): boolean {
  return event.type === "BOOKMARK" && metadataOf(event.object).annotations?.["k8s.io/initial-events-end"] === "true";
}

function watchError(status: unknown, path: string): FirebreakError {
  const { code, message } = status as { code?: number; message?: string };
  const cause = new Error(`${code ?? "?"}: ${message ?? "no message"}`);
  if (code === 410 || code === 409) return new FirebreakError("CONFLICT", `watch ${path}`, { cause });
  return new FirebreakError("CLUSTER_UNREACHABLE", `watch ${path}`, { cause });
}

/** A Kubernetes List, checked to be one: anything else is a failed listing, not an empty one. */
export function parseList(
  answer: unknown,
  path: string,
): { readonly items: readonly unknown[]; readonly resourceVersion: string | undefined; readonly continue: string | undefined } {
  const list = answer as { items?: unknown; metadata?: { resourceVersion?: string; continue?: string } } | undefined;
  if (!Array.isArray(list?.items)) throw new FirebreakError("CLUSTER_UNREACHABLE", `list ${path}: the answer is not a list`);
  return { items: list.items, resourceVersion: list.metadata?.resourceVersion, continue: list.metadata?.continue || undefined };
}

/** Waits, or returns early when the signal aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
