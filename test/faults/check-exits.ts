/** What a script is told by exit codes, held against what the driver knows. */
import type { StatusAnswer } from "../../core/api/shapes.ts";
import { endedAt } from "./ended.ts";
import type { Asked, Journal, Violation } from "./journal.ts";
import { findingOf } from "./tamperings.ts";

/** From the log's word that something is open until a question must be answered so, and from the end of it until the log says so. */
const LAG_MS = 5_000;

/** Of `firebreak status --detailed-exitcode`: 0 all is known to be in order, 1 nobody could say, 2 something is not. */
export function checkExits(journal: Journal): readonly Violation[] {
  return journal.asked.flatMap((asked): Violation[] => {
    const wrong = whatIsWrong(journal, asked);
    if (wrong === undefined) return [];
    const { at, tookMs, code, words } = asked;
    return [{ rule: "exit code", what: `${code} at ${seconds(at - journal.ready)} (${tookMs} ms), ${wrong} ${words}`.trim() }];
  });
}

function whatIsWrong(journal: Journal, asked: Asked): string | undefined {
  const { code, answer } = asked;
  if (code !== 0 && code !== 1 && code !== 2) return "which says nothing";
  if (code === 1) return answer === undefined && !answeredAllTheTime(journal, asked) ? undefined : "although it was answered";
  if (answer === undefined) return "without an answer";
  if (code !== (isInOrder(answer) ? 0 : 2)) return "unlike what it prints";
  if (wasGone(journal, asked)) return "although nobody was there to answer";
  const open = code === 0 ? openMeanwhile(journal, asked) : undefined;
  return open === undefined ? undefined : `although ${open} was open`;
}

function isInOrder({ repository, targets, troubles }: StatusAnswer): boolean {
  const isFine = ({ state, openFindings }: StatusAnswer["targets"][number]): boolean =>
    openFindings === 0 && ["in sync", "pending", "unreachable", "plan only", "orphaned"].includes(state);
  return repository.refused === null && troubles.length === 0 && targets.every(isFine);
}

/** True when the front answered every time that the driver itself asked, before, after and in between. */
function answeredAllTheTime({ polls }: Journal, { at, tookMs }: Asked): boolean {
  const around = polls.filter(
    ({ status, at: then, part }) =>
      then >= at - LAG_MS && then <= at + tookMs + LAG_MS && (status !== undefined || ["up", "console"].includes(part)),
  );
  return around.length > 0 && around.every(({ status }) => status !== undefined);
}

/** True when the process that answers did not run in all that time. */
function wasGone({ happened, schedule }: Journal, { at, tookMs }: Asked): boolean {
  const front = schedule.form === "embedded" ? "up" : "console";
  return happened.some((one) => {
    const { event, done } = one;
    if ((event.kind !== "kill" && event.kind !== "pause") || event.part !== front) return false;
    const ended = endedAt(one, happened);
    return done <= at && ended !== undefined && at + tookMs <= ended;
  });
}

/** A finding that the log calls open from well before the question until well after it. */
function openMeanwhile({ entries, happened }: Journal, { at, tookMs }: Asked): string | undefined {
  // A log that is slow, or full, hears late that it is over; where no clock jumped the entry says when it was.
  const isTimely = !happened.some(({ event }) => event.kind === "clock");
  const since = new Map<string, { readonly at: number; readonly words: string }>();
  for (const { at: seen, entry, isKept } of entries) {
    const about = findingOf(entry);
    if (about === undefined || !isKept) continue;
    if (entry.type === "finding.opened") since.set(about.fingerprint, { at: seen, words: `${about.kind} on ${about.target}` });
    if (entry.type !== "finding.resolved") continue;
    const opened = since.get(about.fingerprint);
    since.delete(about.fingerprint);
    const over = isTimely ? Math.min(seen, Date.parse(entry.time)) : seen;
    if (opened !== undefined && opened.at + LAG_MS <= at && at + tookMs + LAG_MS <= over) return opened.words;
  }
  return [...since.values()].find((opened) => opened.at + LAG_MS <= at)?.words;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
