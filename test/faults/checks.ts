/** Everything that must hold after any schedule. */
import { checkExits } from "./check-exits.ts";
import { checkLog } from "./check-log.ts";
import { checkPackets } from "./check-packets.ts";
import { checkStatus } from "./check-status.ts";
import type { Journal, Violation } from "./journal.ts";

/** What a process may have more at the end than at the start: caches, connections that idle. */
const MORE = { rssMb: 300, descriptors: 60, children: 6 };
/** Words of a mistake that nobody handled. */
const MISTAKES = /unhandled|UnhandledPromise|PLAN_INVARIANT_BROKEN|"level":60|^\s+at .+:\d+:\d+\)?$|Uncaught/im;
/** A process that cannot start while what it needs is away may end, and is started again by its supervisor. */
const START_MS = 20_000;

export function checkAll(journal: Journal): readonly Violation[] {
  return [
    ...checkEnd(journal),
    ...checkLog(journal),
    ...checkPackets(journal),
    ...checkStatus(journal),
    ...checkExits(journal),
    ...checkProcesses(journal),
  ];
}

function checkEnd({ right, wrong }: Journal): readonly Violation[] {
  return right === undefined ? [{ rule: "never came right", what: wrong.join("; ") }] : [];
}

function checkProcesses({ ended, exits, outputs, resources, left, happened, ready }: Journal): readonly Violation[] {
  const violations: Violation[] = [];
  for (const { at, part, how, afterMs } of ended) {
    const mayFail = happened.some(
      ({ event, began, over = Infinity }) =>
        (event.kind === "disk" || (event.kind === "away" && ["redis", "postgres"].includes(event.what))) &&
        began <= at &&
        at <= over + START_MS,
    );
    if (!(mayFail && afterMs < START_MS))
      violations.push({ rule: "a process ended by itself", what: `${part} with ${how} at ${((at - ready) / 1000).toFixed(1)} s` });
  }
  for (const [part, how] of exits) if (how !== "0") violations.push({ rule: "not stopped cleanly", what: `${part}: ${how}` });
  for (const [part, text] of outputs) {
    const line = text.split("\n").find((one) => MISTAKES.test(one));
    if (line !== undefined) violations.push({ rule: "an unhandled mistake", what: `${part}: ${line.slice(0, 400)}` });
  }
  for (const { part, before, after } of resources) {
    for (const key of ["rssMb", "descriptors", "children"] as const) {
      if (after[key] > before[key] + MORE[key])
        violations.push({ rule: "grows", what: `${key} of ${part}: ${before[key]} → ${after[key]}` });
    }
  }
  for (const what of left) violations.push({ rule: "left behind", what });
  return violations;
}
