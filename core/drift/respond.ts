import type { DriftResponse, Workspace } from "../model/kinds.ts";
import type { Target } from "../model/target.ts";
import { matches } from "../selector/index.ts";
import type { Finding, FindingKind } from "../finding/finding.ts";

/** More repairs of one fingerprint than this inside the window is a fight: somebody writes it again and again. */
export const FIGHT_HEALS = 5;
export const FIGHT_WINDOW_MS = 10 * 60_000;

/** So far the clocks of two processes that write repairs may part. */
const CLOCKS_PART_MS = 5_000;

/** In a fight over what widens, the pause before the next repair; it doubles with each one inside the window, up to the longest. */
const FIRST_PAUSE_MS = 15_000;
const LONGEST_PAUSE_MS = 4 * 60_000;

/** What to do about one finding. */
export interface Response {
  readonly heal: boolean;
  /** Somebody writes it again and again: told as critical, whatever is listed. */
  readonly isFight: boolean;
  /** When the next repair of a fight over what widens may be made; ms since the epoch. */
  readonly healAt: number | undefined;
  /** Why it is not healed although it could be; undefined when it is healed or cannot be. `pause`: a fight, and it is repaired later. */
  readonly notHealedBecause: "plan only" | "not asked for" | "fight" | "pause" | "foreign" | "held" | undefined;
}

/** Who is told of a finding. */
export interface Outlets {
  readonly alert: boolean;
  readonly issue: boolean;
  /** A pull request that adopts it, where Git can say it. */
  readonly propose: boolean;
}

/** Who is told of a finding of that kind: whom the Workspace lists for the target, and of a fight the channels whatever it lists. */
export function outletsOf(kind: FindingKind, workspace: Workspace, target: Target | undefined): Outlets {
  const listed = listedFor(workspace, target);
  return {
    alert: listed.includes("alert") || kind === "heal-fight",
    issue: listed.includes("issue"),
    propose: listed.includes("propose"),
  };
}

/** An orphan is treated by the defaults. */
function listedFor(workspace: Workspace, target: Target | undefined): readonly DriftResponse[] {
  return target === undefined ? workspace.drift.default : responsesFor(workspace, target);
}

/** What the Workspace of the revision in force says for a target: the first override whose selector matches, else the default. */
export function responsesFor(workspace: Workspace, target: Target): readonly DriftResponse[] {
  return workspace.drift.overrides.find(({ targets }) => matches(targets, target.labels))?.respond ?? workspace.drift.default;
}

/** True when one more repair would be more than {@link FIGHT_HEALS} in {@link FIGHT_WINDOW_MS}. */
export function isFight(healTimes: readonly number[], now: number): boolean {
  return withinWindow(healTimes, now).length >= FIGHT_HEALS;
}

/** What lies ahead was written before the clock went back, and says nothing: else a repair would wait until the clock is there again. */
function withinWindow(healTimes: readonly number[], now: number): readonly number[] {
  return healTimes.filter((at) => at > now - FIGHT_WINDOW_MS && at <= now + CLOCKS_PART_MS);
}

/**
 * When a fight over what widens is repaired next: 15 s after the last repair, then 30 s, 1, 2 and 4 minutes, so about nine times in ten
 * minutes. Closed is the safe state, so it never stops; whoever opens it again and again does not get a tight loop either.
 */
function nextRepairAt(healTimes: readonly number[], now: number): number {
  const recent = withinWindow(healTimes, now);
  const last = recent.at(-1);
  if (last === undefined || recent.length < FIGHT_HEALS) return now;
  return last + Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (recent.length - FIGHT_HEALS));
}

/**
 * Decides the response to a finding.
 *
 * A divergence that makes an object of ours wider is healed whatever the Workspace lists, unless it lists `hold`; `propose` alone leaves
 * nothing open. A fight ends the repairs of what only closes, and slows those of what widens. Foreign objects are only told, unless the cluster says `foreign: remove`; a target in `mode: plan` is never written
 * (docs/design/contracts.md "Fights", "First contact").
 *
 * @param target undefined when Git names the target no more: an orphan is healed by the defaults
 * @param healTimes when this fingerprint was healed before, ms since the epoch
 */
export function decideResponse(
  finding: Finding,
  workspace: Workspace,
  target: Target | undefined,
  healTimes: readonly number[],
  now: number,
): Response {
  const reason = finding.healable ? reasonNotToHeal(finding, listedFor(workspace, target), target) : undefined;
  if (!finding.healable || reason !== undefined)
    return { heal: false, isFight: false, healAt: undefined, notHealedBecause: reason };
  if (!isFight(healTimes, now)) return { heal: true, isFight: false, healAt: undefined, notHealedBecause: undefined };
  if (!finding.widens) return { heal: false, isFight: true, healAt: undefined, notHealedBecause: "fight" };
  const healAt = nextRepairAt(healTimes, now);
  const heal = healAt <= now;
  return { heal, isFight: true, healAt, notHealedBecause: heal ? undefined : "pause" };
}

function reasonNotToHeal(
  finding: Finding,
  listed: readonly DriftResponse[],
  target: Target | undefined,
): Response["notHealedBecause"] {
  if (target?.mode === "plan") return "plan only";
  if (finding.foreign) {
    const removes = target?.kind === "cluster" && target.cluster.foreign === "remove" && finding.widens;
    if (!removes) return "foreign";
    if (listed.includes("hold")) return "held";
  } else if (finding.widens) {
    if (listed.includes("hold")) return "held";
  } else if (!listed.includes("heal")) {
    return "not asked for";
  }
  return undefined;
}
