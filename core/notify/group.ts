import type { Severity } from "../drift/finding.ts";
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
      readonly open: readonly GroupMember[];
      readonly resolved: readonly GroupMember[];
      readonly told: Told;
    };

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
 * end when every incident is over. A group that was over before anybody was told stays untold.
 *
 * An incident that flaps counts as open until it was calm for a while. Quiet hours move a message to their end.
 */
export function stepGroup(
  group: Group,
  route: Pick<Route, "groupWaitMs" | "groupIntervalMs" | "repeatIntervalMs" | "quiet">,
  now: number,
): GroupStep {
  const open = group.members.filter((member) => !isOver(member, now));
  const resolved = group.members.filter((member) => isOver(member, now));
  const { told } = group;
  const calmAt = nextCalm(group.members, now);
  if (told === undefined) {
    if (open.length === 0) return { kind: "wait", until: calmAt };
    return stepAt(tellAt(gravest(open), route.quiet, group.since + route.groupWaitMs), () => tell("message"));
  }
  const wasOpen = Object.keys(told.open);
  if (open.length === 0) {
    if (wasOpen.length === 0) return { kind: "wait", until: undefined };
    return stepAt(told.at + route.groupIntervalMs, () => tell("resolved"));
  }
  const isGraver = ORDER.indexOf(gravest(open)) > ORDER.indexOf(told.severity);
  const fresh = isGraver || open.some(({ fingerprint }) => !Object.hasOwn(told.open, fingerprint));
  const isChanged =
    fresh || wasOpen.length !== open.length || open.some(({ fingerprint, digest }) => told.open[fingerprint] !== digest);
  if (isChanged)
    return stepAt(tellAt(gravest(open), route.quiet, told.at + route.groupIntervalMs), () => tell(fresh ? "message" : "edit"));
  return stepAt(tellAt(gravest(open), route.quiet, told.messageAt + route.repeatIntervalMs), () => tell("message"));

  function stepAt(at: number, step: () => GroupStep): GroupStep {
    const due = at <= now ? tellAt(gravest(open), open.length === 0 ? [] : route.quiet, now) : at;
    return due <= now ? step() : { kind: "wait", until: Math.min(due, calmAt ?? due) };
  }

  function tell(as: "message" | "edit" | "resolved"): GroupStep {
    const messageAt = as === "message" || told === undefined ? now : told.messageAt;
    const opens = Object.fromEntries(open.map(({ fingerprint, digest }) => [fingerprint, digest]));
    return {
      kind: "tell",
      as,
      open,
      resolved,
      told: { at: now, version: (told?.version ?? 0) + 1, severity: gravest(open), open: opens, messageAt },
    };
  }
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
