/** A real redis-server on a free loopback port. */
import { createConnection } from "node:net";
import type { Daemon } from "./daemon.ts";
import { freePort } from "./ports.ts";
import type { Run } from "./run.ts";
import { waitFor } from "./wait.ts";

export interface RedisOptions {
  readonly run: Run;
  /** `maxmemory-policy`; default noeviction (BullMQ's requirement). */
  readonly evictionPolicy?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface TestRedis extends AsyncDisposable {
  readonly port: number;
  /** redis://127.0.0.1:PORT */
  readonly url: string;
  /** Ends it; what it held is lost (nothing is saved). */
  stop(): Promise<void>;
  /** Starts it again on the same port, empty. */
  start(): Promise<void>;
}

/** Starts Redis without persistence and waits until it answers PING. */
export async function startRedis({ run, evictionPolicy = "noeviction", signal }: RedisOptions): Promise<TestRedis> {
  const port = await freePort();
  const folder = run.makeFolder("redis");
  const limits = ["--save", "", "--appendonly", "no", "--maxmemory-policy", evictionPolicy];
  const argv = ["redis-server", "--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--daemonize", "no", ...limits];
  let daemon: Daemon;
  const start = async (): Promise<void> => {
    daemon = run.start({ label: `redis on ${port}`, argv });
    await waitFor(() => (daemon.check(), answersPing(port)), { what: "Redis answers", timeoutMs: 20_000, signal });
  };
  const stop = (): Promise<void> => daemon.stop();
  await start();
  return { port, url: `redis://127.0.0.1:${port}`, stop, start, [Symbol.asyncDispose]: stop };
}

async function answersPing(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = createConnection({ host: "127.0.0.1", port, timeout: 1_000 });
    const finish = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.write("PING\r\n");
    socket.once("data", (data) => finish(data.toString().startsWith("+PONG")));
    socket.once("error", () => finish(false));
    socket.once("timeout", () => finish(false));
  });
}
