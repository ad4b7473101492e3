/** From a finding to people, over a real store with a clock of its own: once, whatever happens on the way. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { forgetTarget, noticeTroubles, reviveNotices } from "../../../adapters/store/index.ts";
import { DEFAULT_ROUTE } from "../../../core/notify/route.ts";
import type { Fault } from "../../support/github-double/server.ts";
import { drift, openNotifyWorld, replyKeys, seeded, topLevel, type NotifyWorld } from "../../support/notify-world.ts";
import type { SlackFault } from "../../support/slack-double.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let world: NotifyWorld;

beforeEach(async () => {
  world = await openNotifyWorld();
});

afterEach(async () => {
  const { complaints } = world.github;
  await world[Symbol.asyncDispose]();
  expect(complaints).toEqual([]);
});

/** One message, one issue, one group at the webhook; everything said once, and over. */
function expectOneStory(): void {
  const { slack, github, entries } = world;
  expect(topLevel(world)).toEqual([expect.stringMatching(/^Resolved: /)]);
  expect(new Set(slack.messages.flatMap(({ thread_ts: thread }) => thread ?? [])).size).toBeLessThanOrEqual(1);
  expect(new Set(replyKeys(world)).size).toBe(replyKeys(world).length);
  expect(github.state.issues).toMatchObject([{ state: "closed", body: expect.stringContaining("**Resolved.**") as string }]);
  expect(new Set(github.state.issues[0]?.labels).size).toBe(github.state.issues[0]?.labels.length);
  const { bodies } = world.hooked();
  expect(new Set(bodies.map(({ data }) => data.group)).size).toBe(1);
  expect(new Set(bodies.map(({ data }) => data.version)).size).toBe(bodies.length);
  expect(bodies.at(-1)?.type).toBe("incident.resolved");
  const ids = entries.filter(({ type }) => type === "alert.sent").map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
}

const TARGETS = ["cluster/a", "cluster/b", "host/f/c"] as const;

/** One drift that comes and goes on three targets, a hundred times, in any order, with restarts between. */
async function replay(random: () => number): Promise<void> {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  for (let round = 0; round < 100; round++) {
    const target = pick(TARGETS);
    const summary = pick(["was changed and opens connections", "was changed again and opens connections"]);
    const severity = pick(["critical", "high"] as const);
    const look = pick(["open", "open", "same", "over"] as const);
    await world.look(target, look === "over" ? [] : [drift(target, undefined, { summary, severity })]);
    if (look === "same") await world.look(target, [drift(target, undefined, { summary, severity })]);
    if (random() < 0.3) world.restart();
    await world.pass(pick([0, 5_000, 40_000, 2 * MINUTE]), 10_000);
  }
}

async function end(): Promise<void> {
  for (const target of TARGETS) await world.look(target, []);
  await world.pass(40 * MINUTE, 30_000);
}

describe("100 replays of one drift, in any order, with restarts between", { timeout: 300_000 }, () => {
  it.each([1])("are one issue, one message and its thread (the bug: one each time) (order %i)", async (seed) => {
    await replay(seeded(seed * 7_919));
    await end();
    expectOneStory();
    expect(await noticeTroubles(world.store)).toEqual([]);
  });

  const FORGE: readonly Fault[] = [
    { kind: "lost" },
    { kind: "down" },
    { kind: "error", status: 500 },
    { kind: "error", status: 401 },
    { kind: "primary", resetSeconds: 60 },
    { kind: "secondary", retryAfterSeconds: 30 },
  ];
  const CHAT: readonly SlackFault[] = [
    { kind: "lost" },
    { kind: "reply", reply: { status: 500 } },
    { kind: "reply", reply: { status: 429, headers: { "retry-after": "30" } } },
    { kind: "reply", reply: { status: 200, body: JSON.stringify({ ok: false, error: "ratelimited" }) } },
    { kind: "reply", reply: { status: 200, body: JSON.stringify({ ok: false, error: "token_revoked" }) } },
    { kind: "reply", reply: { status: 200, body: "<html>not Slack</html>" } },
  ];

  it.each([3])(
    "while a third of all calls fail, or are done and unanswered: nothing lost, nothing doubled (order %i)",
    async (seed) => {
      const random = seeded(seed * 104_729);
      const pick = <T>(values: readonly T[]): T | undefined =>
        random() < 0.33 ? values[Math.floor(random() * values.length)] : undefined;
      world.github.fault = () => pick(FORGE);
      world.slack.fault = () => pick(CHAT);
      world.hook.answer = () => ({ status: pick([500, 429, 401, 408]) ?? 204 });
      await replay(random);
      await end();
      world.github.fault = () => undefined;
      world.slack.fault = () => undefined;
      world.hook.answer = () => ({ status: 204 });
      await reviveNotices(world.store, world.now);
      await world.pass(30 * MINUTE, 30_000);
      expectOneStory();
      expect(await noticeTroubles(world.store)).toEqual([]);
    },
  );
});

describe("an hour without anybody to tell", () => {
  it.each([
    ["down", { kind: "down" }, { kind: "reply", reply: { status: 503 } }, 503],
    [
      "rate limited",
      { kind: "primary", resetSeconds: 3_600 },
      { kind: "reply", reply: { status: 429, headers: { "retry-after": "3600" } } },
      429,
    ],
  ] as const)(
    "%s: told once when it is over, as it is then (the bug: a message per change, or none)",
    async (_, forge, chat, hook) => {
      world.github.fault = () => forge;
      world.slack.fault = () => chat;
      world.hook.answer = () => ({ status: hook, headers: { "retry-after": "3600" } });
      await world.look("cluster/a", [drift("cluster/a")]);
      await world.pass(20 * MINUTE, 30_000);
      await world.look("cluster/b", [drift("cluster/b")]);
      await world.pass(20 * MINUTE, 30_000);
      await world.look("cluster/a", []);
      await world.pass(25 * MINUTE, 30_000);
      const asked = world.slack.receiver.received.length + world.hook.received.length;
      expect(asked).toBeLessThan(30);
      expect(await noticeTroubles(world.store)).toMatchObject([
        { channel: "chat", dead: 0, failing: 1 },
        { channel: "forge/issues", dead: 0, failing: 1 },
        { channel: "siem", dead: 0, failing: 1 },
      ]);
      world.restart();
      world.github.fault = () => undefined;
      world.slack.fault = () => undefined;
      world.hook.answer = () => ({ status: 204 });
      await world.pass(80 * MINUTE, 30_000);
      expect(topLevel(world)).toEqual([expect.stringContaining("cluster/b: ")]);
      expect(world.github.state.issues).toMatchObject([{ state: "open", title: expect.stringContaining("cluster/b: ") as string }]);
      await world.look("cluster/b", []);
      await world.pass(20 * MINUTE, 30_000);
      expectOneStory();
    },
  );

  it("while a channel asks for patience nobody calls it, whatever happens; others are told (the bug: every change is a call)", async () => {
    world.slack.fault = () => ({ kind: "reply", reply: { status: 429, headers: { "retry-after": "600" } } });
    await world.look("cluster/a", [drift("cluster/a")]);
    await world.pass(MINUTE, 5_000);
    const asked = world.slack.receiver.received.length;
    for (let change = 0; change < 10; change++) {
      await world.look("cluster/a", [drift("cluster/a", undefined, { summary: `change ${change}` })]);
      await world.look("cluster/b", [drift("cluster/b", `another ${change}`)]);
      await world.pass(30_000, 10_000);
    }
    expect(world.slack.receiver.received.length).toBe(asked);
    expect(world.hooked().bodies.length).toBeGreaterThan(5);
    world.slack.fault = () => undefined;
    await world.pass(15 * MINUTE, 30_000);
    expect(topLevel(world).length).toBe(11); // one of each cause: what was over before anybody heard of it is told, too
  });
});

describe("a credential that is refused midway", () => {
  it("is dead, seen as such, and goes on where it was when a person mended it (the bug: lost, or told from the start)", async () => {
    await world.look("cluster/a", [drift("cluster/a")]);
    await world.pass(MINUTE, 5_000);
    world.github.fault = () => ({ kind: "error", status: 401 });
    world.slack.fault = () => ({ kind: "reply", reply: { status: 401 } });
    await world.look("cluster/b", [drift("cluster/b")]);
    await world.pass(10 * MINUTE, 10_000);
    expect(await noticeTroubles(world.store)).toMatchObject([
      { channel: "chat", dead: 1, failing: 0, error: { code: "AUTH_DENIED" } },
      { channel: "forge/issues", dead: 1, failing: 0, error: { code: "AUTH_DENIED" } },
    ]);
    expect(world.entries.filter(({ type }) => type === "alert.failed")).toHaveLength(2);
    world.github.fault = () => undefined;
    world.slack.fault = () => undefined;
    expect(await reviveNotices(world.store, world.now, "chat")).toBe(1);
    expect(await reviveNotices(world.store, world.now)).toBe(2);
    await world.pass(MINUTE, 5_000);
    expect(await noticeTroubles(world.store)).toEqual([]);
    expect(topLevel(world)).toEqual([expect.stringContaining("cluster/a and 1 more")]);
    for (const target of ["cluster/a", "cluster/b"]) await world.look(target, []);
    await world.pass(20 * MINUTE, 30_000);
    expectOneStory();
  });

  it("a message that is refused for what is in it is told as it is later, not again and again as it was", async () => {
    let refuses = true;
    world.slack.fault = ({ body }) =>
      refuses && body.includes("odd words")
        ? { kind: "reply", reply: { status: 200, body: '{"ok":false,"error":"invalid_blocks"}' } }
        : undefined;
    await world.look("cluster/a", [drift("cluster/a", undefined, { summary: "odd words" })]);
    await world.pass(2 * MINUTE, 10_000);
    expect(await noticeTroubles(world.store)).toMatchObject([{ channel: "chat", dead: 1, error: { code: "CHANNEL_REFUSED" } }]);
    const asked = world.slack.receiver.received.length;
    await world.look("cluster/a", [drift("cluster/a", undefined, { summary: "plain words" })]);
    await world.pass(6 * MINUTE, 10_000);
    expect(world.slack.receiver.received.length).toBe(asked + 1);
    expect(topLevel(world)).toEqual([expect.stringContaining("plain words")]);
    expect(await noticeTroubles(world.store)).toEqual([]);
    refuses = false;
  });
});

describe("what people do", () => {
  it("a message and an issue that they delete are made again, once", async () => {
    await world.look("cluster/a", [drift("cluster/a")]);
    await world.pass(MINUTE, 5_000);
    world.slack.messages = [];
    world.github.state.issues.splice(0);
    world.restart();
    for (const summary of ["worse", "worse still"]) {
      await world.look("cluster/a", [drift("cluster/a", undefined, { summary })]);
      await world.pass(6 * MINUTE, 10_000);
    }
    expect(topLevel(world)).toEqual([expect.stringContaining("worse still")]);
    expect(world.github.state.issues).toMatchObject([{ state: "open" }]);
    await world.look("cluster/a", []);
    await world.pass(20 * MINUTE, 30_000);
    expectOneStory();
  });

  it("an issue that a person closes stays closed until there is news", async () => {
    await world.look("cluster/a", [drift("cluster/a")]);
    await world.pass(MINUTE, 5_000);
    const [issue] = world.github.state.issues;
    issue!.state = "closed";
    await world.look("cluster/a", [drift("cluster/a", undefined, { summary: "other words" })]);
    await world.pass(MINUTE, 5_000);
    expect(issue).toMatchObject({ state: "closed", title: expect.stringContaining("other words") as string });
    await world.look("cluster/b", [drift("cluster/b")]);
    await world.pass(MINUTE, 5_000);
    expect(issue).toMatchObject({ state: "open" });
    expect(world.github.state.issues).toHaveLength(1);
  });

  it("what comes back within a week goes on where it was; later it begins anew (the bug: a reply in a thread that nobody reads)", async () => {
    const comeAndGo = async (): Promise<void> => {
      await world.look("cluster/a", [drift("cluster/a")]);
      await world.pass(MINUTE, 10_000);
      await world.look("cluster/a", []);
      await world.pass(20 * MINUTE, 30_000);
    };
    await comeAndGo();
    world.now += 6 * 24 * HOUR;
    await comeAndGo();
    expectOneStory();
    world.now += 8 * 24 * HOUR;
    world.github.state.issues[0]!.closedAt = new Date(Date.now() - 8 * 24 * HOUR).toISOString();
    await comeAndGo();
    expect(topLevel(world)).toHaveLength(2);
    expect(world.github.state.issues.map(({ state }) => state)).toEqual(["closed", "closed"]);
    expect(world.github.state.issues[0]?.number).not.toBe(world.github.state.issues[1]?.number);
  });
});

describe("routes", () => {
  const to = (channels: readonly string[], severities: typeof DEFAULT_ROUTE.match.severities = []) => ({
    ...DEFAULT_ROUTE,
    channels,
    match: { ...DEFAULT_ROUTE.match, severities },
  });

  it("who heard of it hears its end, whatever routes and severity have become (the bug: an incident that stays open for ever)", async () => {
    world.routes = [to(["chat"], ["critical"]), to(["siem"])];
    await world.look("cluster/a", [drift("cluster/a")]);
    await world.pass(MINUTE, 10_000);
    expect(world.hooked().ids).toEqual([]);
    await world.look("cluster/a", [drift("cluster/a", undefined, { severity: "low" })]);
    await world.pass(6 * MINUTE, 10_000);
    expect(world.hooked().bodies.map(({ type }) => type)).toEqual(["incident.opened"]);
    world.routes = [to(["siem"])];
    await world.look("cluster/a", []);
    await world.pass(20 * MINUTE, 30_000);
    expect(world.hooked().bodies.map(({ type }) => type)).toEqual(["incident.opened", "incident.resolved"]);
    expect(topLevel(world)).toEqual([expect.stringMatching(/^Resolved: /)]);
  });

  it("that name only channels that are not there tell everybody (the bug: a typing mistake that silences)", async () => {
    world.routes = [to(["chatt"])];
    await world.look("cluster/a", [drift("cluster/a")]);
    await world.pass(MINUTE, 10_000);
    expect(topLevel(world)).toHaveLength(1);
    expect(world.hooked().ids).toHaveLength(1);
  });

  it("a target that is released ends what was told of it", async () => {
    await world.look("cluster/a", [drift("cluster/a")]);
    await world.pass(MINUTE, 10_000);
    await forgetTarget(world.store, "cluster/a", world.now, () => []);
    await world.pass(20 * MINUTE, 30_000);
    expectOneStory();
  });
});

describe("a storm", { timeout: 300_000 }, () => {
  it("of 250 targets with one cause is one message with edits, and one issue (the bug: 250 of each)", async () => {
    const targets = Array.from({ length: 250 }, (_, index) => `host/fleet/h-${index}`);
    for (const [index, target] of targets.entries()) {
      await world.look(target, [drift(target)]);
      if (index % 50 === 49) await world.pass(5_000, 5_000);
    }
    await world.pass(6 * MINUTE, 10_000);
    expect(topLevel(world)).toEqual([expect.stringContaining("host/fleet/h-0 and 249 more")]);
    expect(replyKeys(world)).toEqual([]);
    for (const target of targets) await world.look(target, []);
    await world.pass(20 * MINUTE, 30_000);
    expectOneStory();
    expect(replyKeys(world)).toHaveLength(1);
    expect(world.hook.received.length).toBeLessThanOrEqual(5);
    expect(world.github.requests.filter((request) => request.startsWith("PATCH")).length).toBeLessThan(12);
  });
});
