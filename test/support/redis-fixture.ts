import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { freePort } from "./postgres-fixture.ts";
import { until } from "./until.ts";

/** A real Redis server of its own, on a free port of loopback. */
export interface RedisFixture extends AsyncDisposable {
  readonly url: string;
  flushAll(): Promise<void>;
}

/** Starts Debian's Redis in a temporary folder; nothing is persisted. */
export async function startRedis(settings: readonly string[] = [], fixedPort?: number): Promise<RedisFixture> {
  const folder = mkdtempSync(join(tmpdir(), "fb-redis-"));
  const port = fixedPort ?? (await freePort());
  const flags = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder, ...settings];
  const server = spawn("redis-server", flags, { stdio: "ignore" });
  server.on("error", () => undefined); // the wait below fails
  const url = `redis://127.0.0.1:${port}`;
  const command = async (name: string): Promise<void> => {
    const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
    client.on("error", () => undefined);
    try {
      await client.connect();
      await client.call(name);
    } finally {
      client.disconnect();
    }
  };
  const stop = async (): Promise<void> => {
    if (server.exitCode === null && server.signalCode === null && server.pid !== undefined) {
      server.kill("SIGKILL");
      await once(server, "exit");
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await until(() =>
      command("PING").then(
        () => true,
        () => false,
      ),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, flushAll: () => command("FLUSHALL"), [Symbol.asyncDispose]: stop };
}
