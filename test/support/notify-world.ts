/** From findings to people, with a clock of its own: a real store, the real outbox and channels, doubles of Slack, a webhook and GitHub. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { openSlackBot } from "../../adapters/chat/slack.ts";
import { openWebhook } from "../../adapters/chat/webhook.ts";
import { openForge } from "../../adapters/forge/open.ts";
import { openStore, upsertFindings, type Store } from "../../adapters/store/index.ts";
import type { EntryInput } from "../../core/audit/entry.ts";
import type { Finding } from "../../core/finding/finding.ts";
import type { Definitions, Route } from "../../core/model/kinds.ts";
import { ISSUES, type Channel } from "../../core/notify/channel.ts";
import { deliverDue, OUTLETS, type DeliverContext } from "../../services/drift/deliver.ts";
import { openIssueChannel } from "../../services/drift/notify/issue-channel.ts";
import { openLanes, tellLane, type TellContext, type TellingLane } from "../../services/drift/notify/tell.ts";
import { definitions } from "./definitions.ts";
import { startGitHubDouble, type GitHubDouble } from "./github-double/server.ts";
import { startReceiver, type Receiver } from "./http-receiver.ts";
import { incident } from "./incidents.ts";
import { SLACK_TOKEN, startSlackDouble, type SlackDouble } from "./slack-double.ts";

const START = Date.parse("2026-11-21T10:00:00Z");

/** A finding of one cause; another subject is another cause. */
export function drift(target: string, subject = "networkpolicy shop/fb-a", over: Partial<Finding> = {}): Finding {
  return { ...incident().finding, target, subject, fingerprint: `${target}|${subject}`, ...over };
}

export interface NotifyWorld extends AsyncDisposable {
  readonly store: Store;
  readonly slack: SlackDouble;
  readonly github: GitHubDouble;
  readonly hook: Receiver;
  /** Entries of the log, as they were asked for. */
  readonly entries: EntryInput[];
  now: number;
  routes: readonly Route[];
  /** A new process on the same store. */
  restart(store?: Store): void;
  /** A complete look at a target: what is not named any more is over. */
  look(target: string, findings: readonly Finding[], store?: Store): Promise<void>;
  /** Lets time pass, and everything that is due happen, every `stepMs`. */
  pass(ms: number, stepMs?: number): Promise<void>;
  /** Everything that is due now. */
  round(): Promise<void>;
  /** Different messages that the webhook got, and how many came again. */
  hooked(): { readonly ids: readonly string[]; readonly bodies: readonly HookMessage[]; readonly repeats: number };
}

export interface HookMessage {
  readonly type: string;
  readonly data: {
    readonly group: string;
    readonly version: number;
    readonly findings: readonly { readonly fingerprint: string }[];
  };
}

export async function openNotifyWorld(): Promise<NotifyWorld> {
  await using cleanup = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "fb-notify-"));
  cleanup.defer(() => rmSync(folder, { recursive: true, force: true }));
  const stop = new AbortController();
  const store = cleanup.use(await openStore({ kind: "embedded", folder }, { signal: stop.signal }));
  const slack = cleanup.use(await startSlackDouble());
  const github = cleanup.use(await startGitHubDouble());
  const hook = cleanup.use(await startReceiver());
  const entries: EntryInput[] = [];

  function openChannels(): ReadonlyMap<string, Channel> {
    const { url, repository, token } = github;
    const forge = openForge({ kind: "github", url, repository, credential: { token }, isPaced: false, timeoutMs: 5_000 });
    return new Map<string, Channel>([
      ["chat", openSlackBot({ token: SLACK_TOKEN, channel: "C1", url: slack.url })],
      ["siem", openWebhook({ url: hook.url, secret: undefined, signature: "hmac", template: "json" })],
      [ISSUES, openIssueChannel(forge)],
    ]);
  }

  let channels: ReadonlyMap<string, Channel>;
  let lanes: readonly TellingLane[];
  let context: TellContext & DeliverContext;
  const kept = cleanup.move();
  const world: NotifyWorld = {
    store,
    slack,
    github,
    hook,
    entries,
    now: START,
    routes: [],
    restart(on = store) {
      channels = openChannels();
      lanes = openLanes(channels);
      context = {
        store: on,
        log: pino({ level: "silent" }),
        signal: stop.signal,
        now: () => world.now,
        trail: {
          append: async (inputs) => {
            entries.push(...inputs);
            return [];
          },
        },
        get inForce() {
          const parsed: Definitions = definitions({});
          const workspace = { ...parsed.workspace, routes: world.routes };
          return { sequence: 1, commit: "4f2a9c1e0d3b5a6978", definitions: { ...parsed, workspace } };
        },
      };
    },
    async look(target, findings, on = store) {
      await upsertFindings(on, {
        target,
        kinds: ["modified"],
        findings,
        channels: [...OUTLETS],
        now: world.now,
        entriesOf: () => [],
      });
    },
    async pass(ms, stepMs = 1_000) {
      for (const end = world.now + ms; world.now < end; world.now += stepMs) await world.round();
    },
    async round() {
      for (const outlet of OUTLETS) await deliverDue(context, outlet, [...channels.keys()]);
      for (const lane of lanes) await tellLane(context, lane);
    },
    hooked() {
      const ids = new Set<string>();
      const bodies: HookMessage[] = [];
      for (const { headers, body } of hook.received) {
        const id = headers["webhook-id"] ?? "";
        if (!ids.has(id)) bodies.push(JSON.parse(body) as HookMessage); // as every receiver does that drops repeats by the id
        ids.add(id);
      }
      return { ids: [...ids], bodies, repeats: hook.received.length - ids.size };
    },
    async [Symbol.asyncDispose]() {
      await kept.disposeAsync();
      stop.abort();
    },
  };
  world.restart();
  return world;
}

/** Messages of the channel itself, without threads. */
export function topLevel({ slack }: NotifyWorld): readonly string[] {
  return slack.messages.filter(({ thread_ts: thread }) => thread === undefined).map(({ text }) => text);
}

/** Replies in threads, by their keys. */
export function replyKeys({ slack }: NotifyWorld): readonly string[] {
  return slack.messages.flatMap(({ metadata, thread_ts: thread }) =>
    thread === undefined ? [] : [metadata?.event_payload?.key ?? ""],
  );
}

/** Numbers from 0 to 1, always the same ones. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}
