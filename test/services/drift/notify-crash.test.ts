/** A process that dies at any statement to the store, or at any call of a channel, between a finding and the people: told once all the same. */
import type { KyselyPlugin } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findingByFingerprint, listFindings, noticeTroubles, type Store } from "../../../adapters/store/index.ts";
import { OUTLETS } from "../../../services/drift/deliver.ts";
import { openLanes, tell } from "../../../services/drift/notify/tell.ts";
import { openWebhook } from "../../../adapters/chat/webhook.ts";
import { startReceiver } from "../../support/http-receiver.ts";
import { drift, openNotifyWorld, replyKeys, topLevel, type NotifyWorld } from "../../support/notify-world.ts";
import { until } from "../../support/until.ts";
import { pino } from "pino";

const MINUTE = 60_000;

let world: NotifyWorld;

beforeEach(async () => {
  world = await openNotifyWorld();
});

afterEach(async () => {
  await world[Symbol.asyncDispose]();
});

/** The same store, as a process sees it that dies at its `last`-th statement: nothing after that reaches it. */
function dyingStore(store: Store, last: number): { readonly store: Store; readonly isDead: () => boolean } {
  let count = 0;
  const plugin: KyselyPlugin = {
    transformQuery({ node }) {
      count += 1;
      if (count >= last) throw new Error("the process is dead");
      return node;
    },
    transformResult: async ({ result }) => await Promise.resolve(result),
  };
  const { kind, recovered, hub, locks, session } = store;
  const dying = { kind, recovered, hub, locks, session, db: store.db.withPlugin(plugin), close: async () => undefined };
  return { store: { ...dying, [Symbol.asyncDispose]: async () => undefined }, isDead: () => count >= last };
}

/** Deliveries of a finding that are not done yet. */
async function waiting(fingerprint: string): Promise<number> {
  const rows = await world.store.db
    .selectFrom("firebreak.deliveries")
    .select("id")
    .where("fingerprint", "=", fingerprint)
    .where("deliveredAt", "is", null)
    .execute();
  return rows.length;
}

describe("a finding and its row in the outbox", () => {
  it("are one: there both, or neither, whichever statement was the last (the bug: a finding that nobody is ever told of)", async () => {
    let last = 1;
    for (let isWhole = false; !isWhole; last++) {
      const target = `cluster/t-${last}`;
      const dying = dyingStore(world.store, last);
      const died = await world.look(target, [drift(target)], dying.store).then(
        () => false,
        () => true,
      );
      const found = await findingByFingerprint(world.store, drift(target).fingerprint);
      expect(await waiting(drift(target).fingerprint), `died at statement ${last}`).toBe(found === undefined ? 0 : OUTLETS.length);
      isWhole = !died;
    }
    expect(last).toBeGreaterThan(4);
  });

  it("and the end of one likewise", async () => {
    let last = 1;
    for (let isWhole = false; !isWhole; last++) {
      const target = `cluster/t-${last}`;
      await world.look(target, [drift(target)]);
      const isDead = await world.look(target, [], dyingStore(world.store, last).store).then(
        () => false,
        () => true,
      );
      const [finding] = await listFindings(world.store, { target });
      expect(await waiting(drift(target).fingerprint)).toBe(
        finding?.resolvedAt === undefined ? OUTLETS.length : 2 * OUTLETS.length,
      );
      isWhole = !isDead;
    }
    expect(last).toBeGreaterThan(4);
  });
});

describe("a process that dies", { timeout: 300_000 }, () => {
  it("at any statement on the way from the outbox to the channels: told once (the bug: lost or twice after a crash)", async () => {
    let stories = 0;
    for (let last = 1; ; last += 1) {
      stories += 1;
      const subject = `networkpolicy shop/s-${last}`;
      await world.look("cluster/a", [drift("cluster/a", subject)]);
      const dying = dyingStore(world.store, last);
      world.restart(dying.store);
      for (let second = 0; second < 40 && !dying.isDead(); second += 20) {
        await world.round().catch(() => undefined);
        world.now += 20_000;
      }
      world.restart();
      world.now += 3 * MINUTE; // what the dead one held is free again
      await world.pass(40_000, 10_000);
      await world.look("cluster/a", []);
      await world.pass(4 * MINUTE, 2 * MINUTE); // its end is told during the next story
      expect(topLevel(world).length, `died at statement ${last}`).toBe(stories);
      expect(world.github.state.issues.length, `died at statement ${last}`).toBe(stories);
      if (!dying.isDead()) break;
    }
    await world.pass(10 * MINUTE, 2 * MINUTE);
    expect(stories).toBeGreaterThan(30);
    expect(new Set(replyKeys(world)).size).toBe(replyKeys(world).length);
    expect(topLevel(world).every((text) => text.startsWith("Resolved: "))).toBe(true);
    expect(world.github.state.issues.every(({ state }) => state === "closed")).toBe(true);
    const versions = world.hooked().bodies.map(({ data }) => `${data.group} ${data.version}`);
    expect(new Set(versions).size).toBe(versions.length);
    expect(await noticeTroubles(world.store)).toEqual([]);
  });
});

describe("a channel that hangs", () => {
  it("delays no other one (the bug: a webhook that does not answer silences the chat)", async () => {
    await using silent = await startReceiver();
    silent.answer = () => undefined;
    const stop = new AbortController();
    const channels = new Map([
      ["chat", openWebhook({ url: silent.url, secret: undefined, signature: "hmac", template: "slack" })],
      ["siem", openWebhook({ url: world.hook.url, secret: undefined, signature: "hmac", template: "json" })],
    ]);
    const context = {
      store: world.store,
      log: pino({ level: "silent" }),
      signal: stop.signal,
      now: () => world.now,
      trail: { append: async () => await Promise.resolve([]) },
    };
    expect(openLanes(channels)).toHaveLength(3);
    for (const subject of ["one", "two", "three"]) {
      await world.look("cluster/a", [drift("cluster/a", subject)]);
      await world.look(`cluster/${subject}`, [drift(`cluster/${subject}`, subject)]);
    }
    await world.round(); // into their groups; nothing is due yet
    world.now += 40_000;
    const telling = tell(context, channels);
    try {
      await until(() => silent.received.length > 0 && world.hook.received.length >= 3);
    } finally {
      stop.abort();
      await telling;
    }
    expect(silent.received).toHaveLength(1);
  });
});
