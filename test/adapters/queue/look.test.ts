import { expect, test } from "vitest";
import { Redis } from "ioredis";
import { lookAtRedis } from "../../../adapters/queue/index.ts";
import { startRedis } from "../../support/redis-fixture.ts";

// Bugs: a Redis that drops jobs, or refuses our scripts, is found out when jobs are gone; looking leaves something there.
test("a Redis server says version, policy and what our user may do, and is left as it was", async () => {
  await using server = await startRedis(["--maxmemory-policy", "allkeys-lru"]);
  const look = await lookAtRedis(server.url);
  expect(look).toMatchObject({ isTooOld: false, policy: "allkeys-lru", isReplica: false, refusesScripts: undefined });
  expect(look.version).toMatch(/^\d+\.\d+/);
  const client = new Redis(server.url);
  try {
    expect(await client.dbsize()).toBe(0);
    await client.acl("SETUSER", "reader", "on", ">s3cret", "+@read", "+info");
    const reader = await lookAtRedis(server.url.replace("//", "//reader:s3cret@"));
    expect(reader.refusesScripts).toContain("NOPERM");
    expect(reader.refusesScripts).not.toContain("s3cret");
  } finally {
    client.disconnect();
  }
});

// Bug: a server that is not there is tried for ever, or told as "Connection is closed".
test("a server that is not there is an error that says so", async () => {
  await expect(lookAtRedis("redis://:s3cret@127.0.0.1:1")).rejects.toThrow("ECONNREFUSED");
});
