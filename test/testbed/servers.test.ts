/** Needs redis-server, PostgreSQL and the built forge. */
import pg from "pg";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHostedRepository } from "../../testbed/forge-repository.ts";
import { startForge, type Forge } from "../../testbed/forge.ts";
import { startPostgres } from "../../testbed/postgres.ts";
import { startRedis } from "../../testbed/redis.ts";
import { openRun, type Run } from "../../testbed/run.ts";

let run: Run;

beforeAll(() => {
  run = openRun();
});

afterAll(async () => {
  await run?.close();
});

describe("real servers", () => {
  it("Redis answers, and is empty after a restart on the same port", async () => {
    const redis = await startRedis({ run });
    const client = new Redis(redis.url, { lazyConnect: true });
    client.on("error", () => undefined); // the restart below cuts the connection
    await client.set("a", "1");
    await redis.stop();
    await redis.start();
    expect(await client.get("a")).toBeNull();
    expect(await client.config("GET", "maxmemory-policy")).toEqual(["maxmemory-policy", "noeviction"]);
    client.disconnect();
  });

  it("PostgreSQL keeps what was written over a restart", async () => {
    const postgres = await startPostgres({ run });
    const url = await postgres.createDatabase("other");
    const query = async (text: string): Promise<unknown[]> => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      try {
        return (await client.query(text)).rows as unknown[];
      } finally {
        await client.end();
      }
    };
    await query("create table t (a int); insert into t values (7)");
    await postgres.stop();
    await postgres.start();
    expect(await query("select a from t")).toEqual([{ a: 7 }]);
  });
});

describe("the forge", () => {
  let forge: Forge;

  beforeAll(async () => {
    forge = await startForge({ run });
  });

  it("has a repository that is pushed to, reviewed and merged by accounts of their own (the bug: all are the administrator)", async () => {
    const hosted = await createHostedRepository(run, forge, "network");
    const [author, reviewer] = [await hosted.addAccount("ada"), await hosted.addAccount("rik")];
    await hosted.pushFiles({ "policies/a.yaml": "a: 1\n" }, "first");
    const head = await hosted.pushFiles({ "policies/a.yaml": "a: 2\n" }, "second", { branch: "change", as: author });
    const pull = await hosted.openPull({ title: "Two", branch: "change", as: author });
    expect([pull.user.login, pull.head.sha]).toEqual(["ada", head]);
    await hosted.approve(pull.number, reviewer);
    await hosted.comment(pull.number, "well done", reviewer);
    expect((await hosted.comments(pull.number)).map(({ user }) => user.login)).toEqual(["rik"]);
    const merged = await hosted.merge(pull.number, reviewer);
    expect([await hosted.head(), (await hosted.pulls())[0]?.merged]).toEqual([merged, true]);
  });

  it("takes an issue from its administrator", async () => {
    const repository = await forge.createRepo("policies");
    const issue = await forge.call("POST", `/repos/${repository.owner}/${repository.name}/issues`, { title: "drift" });
    expect(issue).toMatchObject({ number: 1, state: "open" });
    await expect(forge.call("GET", "/repos/nobody/nothing")).rejects.toThrow(/404/);
  });
});
