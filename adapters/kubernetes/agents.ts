import { Agent } from "undici";
import type { TlsOptions } from "./credentials.ts";

/** Connections per cluster: five watches hold one each, the rest is for calls. */
const CONNECTIONS = 16;
const KEEP_ALIVE_MS = 60_000;
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * One keep-alive connection pool per cluster (undici's default is a TLS connection per request, docs/design/contracts.md
 * "Clusters"). When a client
 * certificate or authority changes, new calls get a new pool; the old one ends when its last watch has.
 *
 * HTTP/1.1: over HTTP/2 all watches and calls share one connection, and one that died without an end is used for ever, since giving up
 * on one stream does not close it.
 */
export class Agents implements AsyncDisposable {
  readonly #all = new Set<Agent>();
  #newest: { readonly agent: Agent; readonly key: string } | undefined;

  /** The pool for these TLS options. */
  for(tls: TlsOptions): Agent {
    const key = keyOf(tls);
    if (this.#newest?.key === key) return this.#newest.agent;
    if (this.#newest !== undefined) this.#retire(this.#newest.agent);
    const agent = new Agent({
      connections: CONNECTIONS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      allowH2: false,
      connect: { timeout: CONNECT_TIMEOUT_MS, ...withoutUndefined(tls) },
    });
    this.#all.add(agent);
    this.#newest = { agent, key };
    return agent;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#newest = undefined;
    await Promise.all([...this.#all].map(async (agent) => await agent.destroy()));
    this.#all.clear();
  }

  /** `close` waits for what is under way; a pool that cannot close in order is destroyed with the others. */
  #retire(agent: Agent): void {
    agent.close().then(
      () => this.#all.delete(agent),
      () => undefined,
    );
  }
}

function keyOf({ ca, cert, key, servername, rejectUnauthorized }: TlsOptions): string {
  return JSON.stringify([ca?.toString(), cert?.toString(), key?.toString(), servername, rejectUnauthorized]);
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // The cast: fromEntries forgets the keys that the filter keeps.
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
