import {
  countAttempt,
  forgetNotice,
  recordNoticeFailure,
  recordSending,
  recordTold,
  recordWait,
  reviveNotices,
  takeNotices,
  type NoticeLane,
  type Sending,
  type StoredNotice,
} from "../../../adapters/store/index.ts";
import { FirebreakError } from "../../../core/ground/error.ts";
import { REJOIN_MS } from "../../../core/notify/channel.ts";
import type { Channel } from "../../../core/notify/channel.ts";
import { stepGroup } from "../../../core/notify/group.ts";
import { noticeKey, noticeOf } from "../../../core/notify/notice.ts";
import { runLoop } from "../../loop.ts";
import { storedError } from "../../stored-error.ts";
import type { DriftContext } from "../context.ts";

const POLL_MS = 1_000;
/** A group that is neither told nor put off in this time is taken again: longer than one telling may last. */
const HOLD_MS = 120_000;
const SEND_TIMEOUT_MS = 100_000;
/** Failures wait longer and longer; also how long a channel may be left alone after it is well again. */
export const RETRY = { firstMs: 1_000, longestMs: 10 * 60_000 } as const;
/** What only a person can mend is tried this often all the same. */
const DEAD_RETRY_MS = 60 * 60_000;

/** What telling needs of the drift detector. */
export type TellContext = Pick<DriftContext, "store" | "log" | "signal" | "now" | "trail">;

/** One channel and what is known of it; each is a lane of its own, so that one that hangs delays no other. */
export interface TellingLane {
  /** Undefined: groups of channels that are not set up any more. */
  readonly channel: Channel | undefined;
  readonly among: NoticeLane;
  /** Until when it asked to be left alone, ms since the epoch. */
  quietUntil: number;
}

/** The lanes of all channels, and one for groups whose channel is gone. */
export function openLanes(channels: ReadonlyMap<string, Channel>): readonly TellingLane[] {
  const own = [...channels].map(([name, channel]) => ({ channel, among: { channel: name }, quietUntil: 0 }));
  return [...own, { channel: undefined, among: { except: [...channels.keys()] }, quietUntil: 0 }];
}

/** Tells every group that is due on its channel, at least once, until Firebreak ends. */
export async function tell(context: TellContext, channels: ReadonlyMap<string, Channel>): Promise<void> {
  const { store, log, signal, now } = context;
  let isRevived = false;
  const revive = async (): Promise<void> => {
    if (isRevived) return;
    await reviveNotices(store, now()); // a restart may have brought the right token
    isRevived = true;
  };
  await Promise.all(
    openLanes(channels).map(
      async (lane) =>
        await runLoop({ name: "tell", log, signal, everyMs: () => POLL_MS }, async () => {
          await revive();
          await tellLane(context, lane);
        }),
    ),
  );
}

/** Tells, or puts off, every group of a lane whose time has come, one after another. */
export async function tellLane(context: TellContext, lane: TellingLane): Promise<void> {
  while (!context.signal.aborted && lane.quietUntil <= context.now()) {
    const at = context.now();
    const [group] = await takeNotices(context.store, lane.among, at, HOLD_MS, 1);
    if (group === undefined) return;
    if (lane.channel === undefined) await giveUp(context, group);
    else await tellOne(context, lane, lane.channel, group, at + HOLD_MS);
  }
}

/** The operator took the channel away: what is open there waits for it to come back, what is over is forgotten. */
async function giveUp({ store, now }: TellContext, group: StoredNotice): Promise<void> {
  if (group.members.every(({ isResolved }) => isResolved)) return await forgetNotice(store, group.id);
  const error = storedError(new FirebreakError("CONFIG_INVALID", `channel ${group.channel} is not in firebreak.yaml any more`));
  const deadAt = group.deadAt ?? now();
  await recordNoticeFailure(store, group.id, { error, dueAt: now() + DEAD_RETRY_MS, deadAt, isDropped: true });
}

async function tellOne(
  context: TellContext,
  lane: TellingLane,
  channel: Channel,
  group: StoredNotice,
  heldUntil: number,
): Promise<void> {
  const { store, now } = context;
  let { sending } = group;
  if (sending === undefined) {
    const step = stepGroup(group, group.timing, now());
    if (step.kind === "wait") return await recordWait(store, group.id, heldUntil, step.until);
    sending = sendingOf(group, step);
    if (!(await recordSending(store, group.id, heldUntil, sending))) return;
  }
  // What cannot be changed in place, and is worth no message of its own, is left to the next message.
  const { as } = sending.notice;
  if ((as === "edit" && !channel.capabilities.edit) || (as === "resolved" && !channel.capabilities.resolve))
    return await recordTold(store, group.id, sending, group.ref, now());
  const attempt = await countAttempt(store, group.id);
  try {
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(SEND_TIMEOUT_MS)]);
    const ref = await channel.send(sending.notice, { ref: sending.isAnew ? undefined : group.ref, attempt }, signal);
    await recordTold(store, group.id, sending, ref, now());
  } catch (error) {
    if (context.signal.aborted) return;
    return await recordFailure(context, lane, group, sending, attempt, error);
  }
  await logTelling(context, group, sending);
}

function sendingOf(group: StoredNotice, step: Extract<ReturnType<typeof stepGroup>, { kind: "tell" }>): Sending {
  const incidents = new Map(group.members.map(({ fingerprint, incident }) => [fingerprint, incident]));
  const pick = (members: readonly { readonly fingerprint: string }[]) =>
    members.flatMap(({ fingerprint }) => incidents.get(fingerprint) ?? []);
  const { told, as, why } = step;
  const validUntil = told.at + group.timing.repeatIntervalMs + 2 * group.timing.groupIntervalMs;
  const head = { group: group.id, version: told.version, as, why, at: told.at, validUntil };
  return {
    notice: noticeOf(head, pick(step.open), pick(step.ended)),
    told,
    ended: step.ended.map(({ fingerprint }) => fingerprint),
    isAnew: group.told !== undefined && Object.keys(group.told.open).length === 0 && group.told.at + REJOIN_MS < told.at,
  };
}

/** Waits as long as the channel asked, or longer and longer; what a person has to mend is dead until then, and is seen as such. */
async function recordFailure(
  context: TellContext,
  lane: TellingLane,
  group: StoredNotice,
  { notice }: Sending,
  attempt: number,
  error: unknown,
): Promise<void> {
  const { store, log, now } = context;
  const stored = storedError(error);
  const isDead = error instanceof FirebreakError && error.next === "person";
  const asked = (error instanceof FirebreakError ? error.retryAfterMs : undefined) ?? 0;
  const backoff = Math.min(RETRY.longestMs, RETRY.firstMs * 2 ** Math.min(attempt - 1, 10));
  const dueAt = now() + (isDead ? DEAD_RETRY_MS : Math.max(backoff, asked));
  if (asked > 0) lane.quietUntil = now() + asked; // it asked, whichever group this was
  await recordNoticeFailure(store, group.id, {
    error: stored,
    dueAt,
    deadAt: isDead ? (group.deadAt ?? now()) : undefined,
    isDropped: stored.code === "CHANNEL_REFUSED",
  });
  log[isDead ? "error" : "warn"](
    { channel: group.channel, group: group.id, error },
    isDead ? "alert refused, a person has to mend it" : "alert failed, will retry",
  );
  if (attempt > 1 || group.deadAt !== undefined) return;
  const detail = { group: group.id, version: notice.version };
  const causes = { channel: group.channel, error: { code: stored.code, messages: [stored.message] } };
  await context.trail.append([
    { id: `alert-failed-${noticeKey(notice)}`, type: "alert.failed", outcome: "failed", ...causes, detail },
  ]);
}

async function logTelling(context: TellContext, { channel, id }: StoredNotice, { notice }: Sending): Promise<void> {
  const findings = [...notice.incidents, ...notice.ended].slice(0, 20).map(({ finding }) => finding.fingerprint);
  const detail = { group: id, version: notice.version, as: notice.as, findings, total: notice.incidents.length };
  await context.trail.append([{ id: `alert-sent-${noticeKey(notice)}`, type: "alert.sent", outcome: "ok", channel, detail }]);
}
