import { connectOnce, serverOf, type RedisServer } from "./on-redis.ts";

/** What a Redis server says of itself and of us. Nothing is written to learn it. */
export interface RedisLook extends RedisServer {
  /** Why it runs no script, as the queue's are; undefined when it does. */
  readonly refusesScripts: string | undefined;
}

/** Asks the server of a URL. @throws Error of the driver, which names no password */
export async function lookAtRedis(url: string): Promise<RedisLook> {
  const client = await connectOnce(url);
  try {
    const server = await serverOf(client);
    const refusesScripts = await client.eval("return 1", 0).then(
      () => undefined,
      (error: unknown) => String(error).slice(0, 200),
    );
    return { ...server, refusesScripts };
  } finally {
    client.disconnect();
  }
}
