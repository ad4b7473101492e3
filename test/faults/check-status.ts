/** What Firebreak says of itself, held against what the driver knows. */
import { endedAt } from "./ended.ts";
import type { Happened, Journal, Poll, Violation } from "./journal.ts";
import { isApi, type Part } from "./schedule.ts";

/** How long a process may take to notice that what it needs is away. */
const NOTICE_MS = 4_000;
/** A target that is back may be called away for as long: the next look, and a slow machine. */
const BACK_MS = 15_000;
/** Less than this is a moment, not a statement. */
const LASTING_MS = 8_000;

export function checkStatus(journal: Journal): readonly Violation[] {
  return [...checkReadiness(journal), ...checkFront(journal), ...checkReachable(journal)];
}

/** Ready is said only by who can do its work. */
function checkReadiness({ happened, polls, schedule, ready }: Journal): readonly Violation[] {
  const needs = (one: Happened): readonly Part[] => {
    const { event } = one;
    if (event.kind === "away" && event.what === "postgres") return ["syncer", "drift", "console"];
    if (event.kind === "away" && event.what === "redis") return ["syncer"];
    if (event.kind === "disk") return schedule.form === "embedded" ? ["up"] : ["syncer"];
    return [];
  };
  return happened.flatMap((one): Violation[] => {
    const parts = needs(one);
    const wrong = polls.find(
      ({ part, at, tookMs, ready: answer }) =>
        parts.includes(part) &&
        answer?.code === 200 &&
        at >= one.done + NOTICE_MS &&
        at + tookMs <= (endedAt(one, happened) ?? 0) &&
        one.failed === undefined,
    );
    return wrong === undefined
      ? []
      : [
          {
            rule: "ready without what it needs",
            what: `${wrong.part} at ${seconds(wrong.at - ready)} while ${JSON.stringify(one.event)}`,
          },
        ];
  });
}

/** Whoever calls itself ready answers. */
function checkFront({ polls, ready, schedule }: Journal): readonly Violation[] {
  const front: Part = schedule.form === "embedded" ? "up" : "console";
  const mute = lasting(
    polls.filter(({ part }) => part === front),
    ({ ready: answer, status }) => answer?.code === 200 && status === undefined,
    NOTICE_MS,
  );
  return mute.map(([from]) => ({ rule: "ready and mute", what: `${front} at ${seconds(from.at - ready)}` }));
}

/** Nobody is called unreachable who can be reached. */
function checkReachable({ polls, happened, ready, lifted }: Journal): readonly Violation[] {
  const targets = new Set(polls.flatMap(({ status }) => status?.targets.map(({ target }) => target) ?? []));
  return [...targets].flatMap((target) => {
    const isCalledAway = ({ status, at }: Poll): boolean =>
      status?.targets.some((one) => one.target === target && one.state === "unreachable") === true &&
      !mayBeAway(happened, target, at, lifted);
    return lasting(polls, isCalledAway, LASTING_MS).map(([from, to]) => ({
      rule: "called unreachable",
      what: `${target} from ${seconds(from.at - ready)} to ${seconds(to.at - ready)}: ${from.status?.targets.find((one) => one.target === target)?.error?.message ?? ""}`,
    }));
  });
}

function mayBeAway(happened: readonly Happened[], target: string, at: number, lifted: number): boolean {
  const name = target.split("/").at(-1) ?? "";
  return happened.some(({ event, began, done, over }) => {
    const until = ("forMs" in event || "restoreAfterMs" in event ? (over ?? lifted) : done) + BACK_MS;
    if (at < began || at > until) return false;
    if (event.kind === "away") return target.startsWith("cluster/") ? isApi(event.what) : event.what.endsWith(` ${name}`);
    // Whoever does not run does not look; whoever cannot write does not say that it looked.
    return (
      (event.kind === "reboot" && event.host === name) ||
      event.kind === "pause" ||
      event.kind === "kill" ||
      event.kind === "disk" ||
      event.kind === "restore" ||
      event.kind === "clock"
    );
  });
}

/** Runs of looks of which each one says so, that last at least `ms`: first and last look of each. */
function lasting(polls: readonly Poll[], says: (poll: Poll) => boolean, ms: number): readonly (readonly [Poll, Poll])[] {
  const runs: [Poll, Poll][] = [];
  let from: Poll | undefined;
  let last: Poll | undefined;
  for (const poll of [...polls, undefined]) {
    if (poll !== undefined && poll.status === undefined && poll.ready?.code !== 200) continue; // says nothing
    if (poll !== undefined && says(poll)) {
      from ??= poll;
      last = poll;
      continue;
    }
    if (from !== undefined && last !== undefined && last.at - from.at >= ms) runs.push([from, last]);
    from = undefined;
  }
  return runs;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
