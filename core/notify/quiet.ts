import type { Severity } from "../finding/finding.ts";
import type { QuietHours } from "../model/kinds.ts";

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;
/** Day and night of a week. */
const MOST_STRETCHES = 14;
const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/**
 * When something may be told: now, or at the end of the quiet hours that hold now. Critical incidents are told at any time.
 *
 * @param now ms since the epoch
 * @returns ms since the epoch, `now` when nothing is quiet
 */
export function tellAt(severity: Severity, quiet: readonly QuietHours[], now: number): number {
  if (severity === "critical") return now;
  let at = now;
  // One stretch may end inside another one, for at most a week: who is quiet for ever is told then.
  for (let round = 0; round < MOST_STRETCHES; round++) {
    const ends = quiet.map((hours) => endOfQuiet(hours, at)).filter((end) => end !== undefined);
    if (ends.length === 0) return at;
    at = Math.max(...ends);
  }
  return at;
}

/** When these hours end, if `now` lies in them. Equal ends: the whole day. */
function endOfQuiet({ from, to, zone, days }: QuietHours, now: number): number | undefined {
  const { minute, weekday } = localTime(zone, now);
  const length = (to - from + DAY_MINUTES) % DAY_MINUTES || DAY_MINUTES;
  const since = (minute - from + DAY_MINUTES) % DAY_MINUTES;
  if (since >= length) return undefined;
  const began = minute >= from ? weekday : (weekday + 6) % 7; // after midnight they began yesterday
  if (days.length > 0 && !days.includes(began)) return undefined;
  return Math.floor(now / MINUTE_MS) * MINUTE_MS + (length - since) * MINUTE_MS;
}

function localTime(zone: string, now: number): { readonly minute: number; readonly weekday: number } {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  const parts = new Map(format.formatToParts(now).map(({ type, value }) => [type, value]));
  return {
    minute: Number(parts.get("hour")) * 60 + Number(parts.get("minute")),
    weekday: WEEKDAYS.indexOf(parts.get("weekday") ?? "Sun"),
  };
}
