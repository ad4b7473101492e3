import {
  countAttempt,
  recordNoticeFailure,
  recordSending,
  recordTold,
  recordWait,
  reviveNotices,
  subscribe,
  takeNotices,
  type Sending,
  type StoredNotice,
} from "../../../adapters/store/index.ts";
import { FirebreakError } from "../../../core/model/error.ts";
import type { Channel } from "../../../core/notify/channel.ts";
import { stepGroup } from "../../../core/notify/group.ts";
import { noticeKey, noticeOf } from "../../../core/notify/notice.ts";
import { Bell, runLoop } from "../../loop.ts";
import { storedError } from "../../stored-error.ts";
import type { DriftContext } from "../context.ts";

const POLL_MS = 1_000;
/** A group that is neither told nor put off in this time is taken again. */
const HOLD_MS = 60_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 10 * 60_000;
/** What only a person can mend is tried this often all the same. */
const DEAD_RETRY_MS = 60 * 60_000;

/** What telling needs of the drift detector. */
export type TellContext = Pick<DriftContext, "store" | "log" | "signal" | "now" | "trail">;

/** Tells every group that is due on its channel, at least once, until Firebreak ends. */
export async function tell(context: TellContext, channels: ReadonlyMap<string, Channel>): Promise<void> {
  const { store, log, signal, now } = context;
  if (channels.size === 0) return;
  const bell = new Bell();
  const unsubscribe = subscribe(store, "deliveries", () => bell.ring());
  try {
    await reviveNotices(store, now()); // a restart may have brought the right token
    await runLoop({ name: "tell", log, signal, everyMs: () => POLL_MS, bell }, async () => await tellDue(context, channels));
  } finally {
    unsubscribe();
  }
}

/** Tells, or puts off, every group whose time has come. */
export async function tellDue(context: TellContext, channels: ReadonlyMap<string, Channel>): Promise<void> {
  for (;;) {
    const at = context.now();
    const due = await takeNotices(context.store, at, HOLD_MS);
    if (due.length === 0) return;
    // Each channel is a lane of its own: one that hangs delays no other.
    const lanes = Map.groupBy(due, ({ channel }) => channel);
    await Promise.all([...lanes].map(async ([name, notices]) => await tellAll(context, channels.get(name), notices, at + HOLD_MS)));
  }
}

async function tellAll(
  context: TellContext,
  channel: Channel | undefined,
  notices: readonly StoredNotice[],
  heldUntil: number,
): Promise<void> {
  for (const notice of notices) await tellOne(context, channel, notice, heldUntil);
}

async function tellOne(context: TellContext, channel: Channel | undefined, group: StoredNotice, heldUntil: number): Promise<void> {
  const { store, now } = context;
  if (channel === undefined) {
    const gone = storedError(new FirebreakError("CONFIG_INVALID", `channel ${group.channel} is not in firebreak.yaml any more`));
    return await recordNoticeFailure(store, group.id, gone, now() + DEAD_RETRY_MS, group.deadAt ?? now());
  }
  let { sending } = group;
  if (sending === undefined) {
    const step = stepGroup(group, group.timing, now());
    if (step.kind === "wait") return await recordWait(store, group.id, heldUntil, step.until);
    sending = sendingOf(group, step);
    await recordSending(store, group.id, sending);
  }
  // What cannot be changed in place, and is worth no message of its own, is left to the next message.
  if (sending.notice.as === "edit" && !channel.capabilities.edit)
    return await recordTold(store, group.id, sending, group.ref, now());
  const attempt = await countAttempt(store, group.id);
  try {
    const ref = await channel.send(sending.notice, { ref: group.ref, attempt }, context.signal);
    await recordTold(store, group.id, sending, ref, now());
  } catch (error) {
    if (context.signal.aborted) return;
    return await recordFailure(context, group, sending, attempt, error);
  }
  await logTelling(context, group, sending);
}

function sendingOf(group: StoredNotice, step: Extract<ReturnType<typeof stepGroup>, { kind: "tell" }>): Sending {
  const incidents = new Map(group.members.map(({ fingerprint, incident }) => [fingerprint, incident]));
  const pick = (members: readonly { readonly fingerprint: string }[]) =>
    members.flatMap(({ fingerprint }) => incidents.get(fingerprint) ?? []);
  const { told } = step;
  const validUntil = told.at + group.timing.repeatIntervalMs + 2 * group.timing.groupIntervalMs;
  const notice = noticeOf({ group: group.id, version: told.version, as: step.as, validUntil }, pick(step.open), pick(step.ended));
  return { notice, told, ended: step.ended.map(({ fingerprint }) => fingerprint) };
}

/** Waits as long as the channel asked, or longer and longer; what a person has to mend is dead until then, and is seen as such. */
async function recordFailure(
  context: TellContext,
  group: StoredNotice,
  { notice }: Sending,
  attempt: number,
  error: unknown,
): Promise<void> {
  const { store, log, now } = context;
  const stored = storedError(error);
  const isDead = error instanceof FirebreakError && error.next === "person";
  const asked = error instanceof FirebreakError ? error.retryAfterMs : undefined;
  const backoff = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempt - 1, 10));
  const waitMs = isDead ? DEAD_RETRY_MS : Math.max(backoff, asked ?? 0);
  await recordNoticeFailure(store, group.id, stored, now() + waitMs, isDead ? (group.deadAt ?? now()) : undefined);
  log[isDead ? "error" : "warn"](
    { channel: group.channel, group: group.id, error },
    isDead ? "alert refused, a person has to mend it" : "alert failed, will retry",
  );
  if (attempt > 1) return;
  const detail = { group: group.id, version: notice.version };
  const causes = { channel: group.channel, error: { code: stored.code, messages: [stored.message] } };
  await context.trail.append([
    { id: `alert-failed-${noticeKey(notice)}-${notice.validUntil}`, type: "alert.failed", outcome: "failed", ...causes, detail },
  ]);
}

async function logTelling(context: TellContext, { channel, id }: StoredNotice, { notice }: Sending): Promise<void> {
  const findings = [...notice.incidents, ...notice.ended].slice(0, 20).map(({ finding }) => finding.fingerprint);
  const detail = { group: id, version: notice.version, as: notice.as, findings, total: notice.incidents.length };
  // The time is part of the id: versions begin again when the database is lost.
  await context.trail.append([
    { id: `alert-sent-${noticeKey(notice)}-${notice.validUntil}`, type: "alert.sent", outcome: "ok", channel, detail },
  ]);
}
