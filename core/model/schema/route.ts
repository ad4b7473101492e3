import { z } from "zod";
import { parseDurationMs } from "../../ground/duration.ts";
import type { Route } from "../kinds.ts";
import { selector } from "./selectors.ts";
import { parsedText, quote } from "./text.ts";

const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;

/** Alertmanager's defaults and meaning (`group_wait`, `group_interval`, `repeat_interval`). */
function wait(fallback: string, description: string) {
  const meta = { description, examples: [fallback] };
  return parsedText<number>(meta, (text) => {
    const ms = parseDurationMs(text);
    if (ms !== undefined && ms >= 100 && ms <= 7 * 86_400_000) return { ok: ms };
    return { code: "bad-duration", summary: `${quote(text)} is not a duration`, detail: "Write 30s, 5m or 4h; from 100ms to 168h" };
  }).prefault(fallback);
}

function clock(description: string) {
  return parsedText<number>({ description, examples: ["22:00"] }, (text) => {
    const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
    if (match !== null) return { ok: Number(match[1]) * 60 + Number(match[2]) };
    return { code: "bad-time", summary: `${quote(text)} is not a time of day`, detail: 'Write it in quotes as "22:00"' };
  });
}

const zone = parsedText<string>({ description: "Time zone (IANA name).", examples: ["Europe/Zurich"] }, (text) => {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: text });
    return { ok: text };
  } catch {
    return { code: "bad-zone", summary: `${quote(text)} is not a time zone`, detail: "Write a name such as UTC or Europe/Zurich" };
  }
}).prefault("UTC");

const Quiet = z.strictObject({
  from: clock("When the quiet hours begin."),
  to: clock("When they end; earlier than `from`: on the next day."),
  zone,
  days: z.array(z.enum(DAYS)).default([]).meta({ description: "Days on which they begin; every day when empty." }),
});

const Match = z
  .strictObject({
    severity: z
      .array(z.enum(["critical", "high", "medium", "low", "info"]))
      .default([])
      .meta({ description: "All when empty." }),
    teams: z.array(z.string().min(1)).default([]).meta({ description: "Owners of the policies concerned; all when empty." }),
    targets: selector("Targets by their labels.").optional(),
  })
  .prefault({});

/** Who is told what: the first route that matches counts, unless it says `continue`. */
export const RouteSchema = z
  .strictObject({
    match: Match,
    channels: z
      .array(z.string().min(1))
      .default([])
      .meta({ description: "Names of channels in firebreak.yaml; every channel when empty." }),
    groupBy: z
      .array(z.enum(["cause", "target", "kind", "team"]))
      .min(1)
      .default(["cause"])
      .meta({ description: "What is told together: one cause over many targets is one message by default." }),
    groupWait: wait("30s", "How long the first message of a group waits for others."),
    groupInterval: wait("5m", "How long a group is left alone between two messages."),
    repeatInterval: wait("4h", "When a group that is still open is told again."),
    quiet: z.array(Quiet).default([]).meta({ description: "Hours in which only critical findings are told." }),
    continue: z.boolean().default(false).meta({ description: "Routes below are tried too." }),
  })
  .meta({ description: "Who is told what, and how often." });

/** A route as it holds. */
export function routeOf(given: z.output<typeof RouteSchema>): Route {
  const { match, channels, groupBy, quiet } = given;
  return {
    match: { severities: match.severity, teams: match.teams, targets: match.targets },
    channels,
    groupBy,
    groupWaitMs: given.groupWait,
    groupIntervalMs: given.groupInterval,
    repeatIntervalMs: given.repeatInterval,
    quiet: quiet.map((hours) => ({ ...hours, days: hours.days.map((day) => DAYS.indexOf(day)) })),
    continues: given.continue,
  };
}
