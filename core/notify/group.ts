import type { Severity } from "../finding/finding.ts";
import type { Route } from "../model/kinds.ts";
import { tellAt } from "./quiet.ts";

/** One incident in a group, as it is now. Times are ms since the epoch. */
export interface GroupMember {
  readonly fingerprint: string;
  readonly severity: Severity;
  /** When it was last opened or resolved. */
  readonly changedAt: number;
  readonly isResolved: boolean;
  /** Digest of what people would read: another one is worth an edit. */
  readonly digest: string;
  /** When it was opened lately: many times means that it flaps. */
  readonly openedAt: readonly number[];
}

/** What a group's channel was told last. */
export interface Told {
  readonly at: number;
  /** Grows by one with every message and edit: the idempotency key is (channel, group, version). */
  readonly version: number;
  readonly severity: Severity;
  /** Fingerprint → digest of the incidents told as open. */
  readonly open: Readonly<Record<string, string>>;
  /** When the last message, and not just an edit, went out. */
  readonly messageAt: number;
}

/**
 * Why a group is told: `first` of all or after it was over · `graver` than before · `more` incidents of the same · `changed` words or a
 * part that ended · still open after the `repeat` interval · all `over`.
 */
export type Reason = "first" | "graver" | "more" | "changed" | "repeat" | "over";

/** A group of incidents on one channel. */
export interface Group {
  /** When its first member came. */
  readonly since: number;
  readonly members: readonly GroupMember[];
  readonly told: Told | undefined;
}

/** What to do about a group now. */
export type GroupStep =
  /** Nothing before that time; undefined: nothing until a member changes. */
  | { readonly kind: "wait"; readonly until: number | undefined }
  /** Tell it: `message` is worth people's attention, `edit` only brings what they have read up to date. */
  | {
      readonly kind: "tell";
      readonly as: "message" | "edit" | "resolved";
      readonly why: Reason;
      readonly open: readonly GroupMember[];
      /** Over since the last telling, or before the first. */
      readonly ended: readonly GroupMember[];
      readonly told: Told;
    };

/** The part of a route that says when. */
export type Timing = Pick<Route, "groupWaitMs" | "groupIntervalMs" | "repeatIntervalMs" | "quiet">;

/** More openings than this inside the window is flapping: the end is told only after a window of calm. */
export const FLAP = { openings: 3, windowMs: 10 * 60_000 } as const;

const ORDER: readonly Severity[] = ["info", "low", "medium", "high", "critical"];

/** The gravest of some incidents; info for none. */
export function gravest(members: readonly { readonly severity: Severity }[]): Severity {
  return ORDER[Math.max(0, ...members.map(({ severity }) => ORDER.indexOf(severity)))] ?? "info";
}

/**
 * Whether a group is told now, with Alertmanager's semantics: the first message `groupWait` after the first incident; after that a
 * change is told `groupInterval` after the message before; an unchanged group that is still open again after `repeatInterval`; the
 * end when every incident is over. Unlike there, what was over before anybody was told is told all the same: a hole that was closed
 * within seconds was a hole.
 *
 * An incident that flaps counts as open until it was calm for a while. Quiet hours move a message to their end. The caller takes
 * members out once their end was told, so a member that is over and was not told as open is news.
 */
export function stepGroup(group: Group, timing: Timing, now: number): GroupStep {
  const open = group.members.filter((member) => !isOver(member, now));
  const ended = group.members.filter((member) => isOver(member, now));
  const { told } = group;
  const calmAt = nextCalm(group.members, now);
  const change = changeOf(open, ended, told);
  if (change === undefined && open.length === 0) return { kind: "wait", until: calmAt };
  const at = dueAt(group, timing, change !== undefined);
  const due = tellAt(gravest(open.length === 0 ? ended : open), timing.quiet, Math.max(at, now));
  if (at > now || due > now) return { kind: "wait", until: Math.min(Math.max(at, due), calmAt ?? Infinity) };
  const why = change ?? "repeat";
  const as = why === "over" ? "resolved" : why === "changed" ? "edit" : "message";
  return {
    kind: "tell",
    as,
    why,
    open,
    ended,
    told: {
      at: now,
      version: (told?.version ?? 0) + 1,
      severity: gravest(open),
      open: Object.fromEntries(open.map(({ fingerprint, digest }) => [fingerprint, digest])),
      messageAt: as === "edit" && told !== undefined ? told.messageAt : now,
    },
  };
}

/** Why telling now would be worth it; undefined: nothing changed since the last one. */
function changeOf(
  open: readonly GroupMember[],
  ended: readonly GroupMember[],
  told: Told | undefined,
): Exclude<Reason, "repeat"> | undefined {
  const wasOpen = told?.open ?? {};
  if (open.length === 0) return ended.length === 0 ? undefined : "over";
  if (told === undefined || Object.keys(wasOpen).length === 0) return "first";
  if (ORDER.indexOf(gravest(open)) > ORDER.indexOf(told.severity)) return "graver";
  if ([...open, ...ended].some(({ fingerprint }) => !Object.hasOwn(wasOpen, fingerprint))) return "more";
  if (ended.length > 0 || open.some(({ fingerprint, digest }) => wasOpen[fingerprint] !== digest)) return "changed";
  return undefined;
}

function dueAt({ since, told }: Group, { groupWaitMs, groupIntervalMs, repeatIntervalMs }: Timing, isChanged: boolean): number {
  if (told === undefined) return since + groupWaitMs;
  if (!isChanged) return told.messageAt + repeatIntervalMs;
  const isFirst = Object.keys(told.open).length === 0; // nothing was open: the group begins anew
  return Math.max(told.at + groupIntervalMs, isFirst ? since + groupWaitMs : 0);
}

/** True when it is resolved and does not flap. */
function isOver(member: GroupMember, now: number): boolean {
  if (!member.isResolved) return false;
  return !isFlapping(member, now) || member.changedAt + FLAP.windowMs <= now;
}

function isFlapping({ openedAt, changedAt }: GroupMember, now: number): boolean {
  return openedAt.filter((at) => at > Math.min(now, changedAt) - FLAP.windowMs).length > FLAP.openings;
}

/** When the next flapping incident will have been calm long enough. */
function nextCalm(members: readonly GroupMember[], now: number): number | undefined {
  const times = members
    .filter((member) => member.isResolved && !isOver(member, now))
    .map(({ changedAt }) => changedAt + FLAP.windowMs);
  return times.length === 0 ? undefined : Math.min(...times);
}
