/** The console alone, on a real store: what the others write there, a test writes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { openStore, type Store } from "../../adapters/store/index.ts";
import { API, SESSION_PATH, type SessionAnswer, type SignInAnswer } from "../../core/api/shapes.ts";
import { parseSettings } from "../../core/config/settings.ts";
import { openApp, type ConsoleParts } from "../../services/console/main.ts";
import { freePort } from "../../testbed/ports.ts";

export const FULL = "the full token";
export const READ = "the token that may read";

export interface ConsoleWorld extends AsyncDisposable {
  readonly store: Store;
  readonly url: string;
  /** Every route that was made, as `METHOD path`. */
  readonly routes: readonly string[];
  /** What was denied, as the log was told. */
  readonly denied: readonly unknown[];
  stop(): Promise<void>;
  /** Starts the console again: another process, as far as sessions know. */
  start(): Promise<void>;
  /** The end of a link's address that comes after the service's own. */
  link(view?: boolean): Promise<string>;
  /** Signs in as a browser would. */
  signIn(view?: boolean): Promise<{ readonly cookie: string; readonly session: SessionAnswer }>;
}

export async function openConsoleWorld(): Promise<ConsoleWorld> {
  const folder = mkdtempSync(join(tmpdir(), "fb-console-"));
  const abort = new AbortController();
  const store = await openStore({ kind: "embedded", folder: join(folder, "store") }, { signal: abort.signal });
  const listen = `127.0.0.1:${await freePort()}`;
  const environment = { FULL, READ, HOOK: "hook" };
  const text = `repository: {url: /x, webhookSecret: "env:HOOK"}\napi: {token: "env:FULL", readToken: "env:READ"}\n`;
  const settings = { ...parseSettings(text, environment), stateFolder: folder, listen };
  const denied: unknown[] = [];
  // The cast: nothing else of a process is asked for. Its signal is given: whoever asks the syncer, which is not there, waits for nobody.
  const parts = {
    settings,
    environment,
    store,
    instance: "0123456789abcdef",
    now: Date.now,
    elapsed: () => performance.now(),
    signal: AbortSignal.abort(),
    trail: { append: async (entries: readonly unknown[]) => await Promise.resolve(void denied.push(...entries)) },
    log: { warn: () => undefined, info: () => undefined },
    health: { troubles: () => [] },
    roles: ["syncer", "drift", "console"],
    startedAt: Date.now(),
    services: () => [],
  } as unknown as ConsoleParts;
  const routes = new Set<string>();
  let app: FastifyInstance | undefined;
  const url = `http://${listen}`;
  const post = async (path: string, body: unknown, headers: Readonly<Record<string, string>>): Promise<Response> =>
    await fetch(`${url}${path}`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json", ...headers },
    });
  const world: ConsoleWorld = {
    store,
    url,
    get routes() {
      return [...routes];
    },
    denied,
    async stop() {
      await app?.close();
      app = undefined;
    },
    async start() {
      app = await openApp(parts, ({ method, url: path }) => {
        for (const one of [method].flat()) if (one !== "HEAD") routes.add(`${one} ${path}`);
      });
      const [host = "", port = ""] = listen.split(":");
      await app.listen({ host, port: Number(port) });
    },
    async link(view = false) {
      const answer = (await (await post(API.signIn, { view }, { authorization: `Bearer ${FULL}` })).json()) as SignInAnswer;
      return answer.path;
    },
    async signIn(view = false) {
      const code = (await world.link(view)).split("/").at(-1);
      const response = await post(SESSION_PATH, { code }, { origin: url });
      const cookie = response.headers.get("set-cookie")?.split(";", 1)[0] ?? "";
      return { cookie, session: (await response.json()) as SessionAnswer };
    },
    async [Symbol.asyncDispose]() {
      await world.stop();
      abort.abort();
      await store[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await world.start();
  return world;
}
