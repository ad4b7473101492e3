/** What `firebreak doctor` makes of what a Postgres and a Redis server say. That they say it: test/adapters/store and queue, look.test.ts. */
import { expect, test } from "vitest";
import type { PostgresLook } from "../../adapters/store/look.ts";
import type { Check } from "../../cli/doctor/check.ts";
import { postgresChecks, redisChecks } from "../../cli/doctor/servers.ts";

const OWNER: PostgresLook = {
  version: "15.14",
  isReadOnly: false,
  schema: 9,
  wanted: 9,
  mayMake: true,
  unreadable: [],
  role: "syncer",
  secondsAhead: 0,
};

function bad(checks: readonly Check[]): readonly string[] {
  return checks.flatMap(({ name, state, found }) => (state === "ok" ? [] : [`${state} ${name}: ${found}`]));
}

// Bug: a database that cannot be used is fine until the first start, or a fine one is not.
test.each<[string, Partial<PostgresLook>, readonly RegExp[]]>([
  ["the owner's", {}, []],
  ["an empty one that we may fill", { schema: 0 }, []],
  ["one of an older version that we may change", { schema: 7 }, []],
  ["drift's", { mayMake: false, unreadable: ["approvals", "requests"] }, []],
  ["an empty one that we may not fill", { schema: 0, mayMake: false }, [/fail schema: is not there, and syncer may not make it/]],
  ["a newer Firebreak's", { schema: 12 }, [/fail schema: version 12, this Firebreak has 9/]],
  ["an older one of somebody else", { schema: 7, mayMake: false }, [/fail schema: version 7/]],
  [
    "one without grants",
    { schema: 0, mayMake: false, unreadable: ["instance", "migrations", "targets"] },
    [/fail schema: syncer may not look/],
  ],
  [
    "one with half of them",
    { mayMake: false, unreadable: ["targets", "findings"] },
    [/fail rights: syncer may not read targets, findings/],
  ],
  ["a standby", { isReadOnly: true }, [/fail writes: it takes none/]],
  ["one with another clock", { secondsAhead: -90 }, [/fail clock: 90 s behind ours/]],
])("postgres: %s", (_what, change, expected) => {
  const found = bad(postgresChecks({ ...OWNER, ...change }));
  expect(found).toHaveLength(expected.length);
  for (const [index, pattern] of expected.entries()) expect(found[index]).toMatch(pattern);
});

// Bug: a Redis that drops jobs when memory is short is fine.
test("redis: only 7 or newer, a primary, without eviction, with scripts", () => {
  const good = { version: "7.0.15", isTooOld: false, policy: "noeviction", isReplica: false, refusesScripts: undefined };
  expect(bad(redisChecks(good))).toEqual([]);
  expect(bad(redisChecks({ ...good, policy: undefined }))).toEqual(["warn maxmemory-policy: it does not tell"]);
  const none = { version: "6.2", isTooOld: true, policy: "allkeys-lru", isReplica: true, refusesScripts: "NOPERM" };
  expect(bad(redisChecks(none)).map((text) => text.split(" ")[0])).toEqual(["fail", "fail", "fail", "fail"]);
});
