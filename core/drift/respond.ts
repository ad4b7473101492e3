import type { DriftResponse, Workspace } from "../model/kinds.ts";
import type { Target } from "../model/target.ts";
import { matches } from "../selector/index.ts";
import type { Finding } from "./finding.ts";

/** More repairs of one fingerprint than this inside the window is a fight: somebody writes it again and again. */
export const FIGHT_HEALS = 5;
export const FIGHT_WINDOW_MS = 10 * 60_000;

/** What to do about one finding. */
export interface Response {
  readonly heal: boolean;
  readonly alert: boolean;
  readonly issue: boolean;
  /** A pull request that adopts it, where Git can say it. */
  readonly propose: boolean;
  /** Why it is not healed although it could be; undefined when it is healed or cannot be. */
  readonly notHealedBecause: "plan only" | "not asked for" | "fight" | "foreign" | "held" | undefined;
}

/** What the Workspace of the revision in force says for a target: the first override whose selector matches, else the default. */
export function responsesFor(workspace: Workspace, target: Target): readonly DriftResponse[] {
  return workspace.drift.overrides.find(({ targets }) => matches(targets, target.labels))?.respond ?? workspace.drift.default;
}

/** True when one more repair would be more than {@link FIGHT_HEALS} in {@link FIGHT_WINDOW_MS}: it is not made. */
export function isFight(healTimes: readonly number[], now: number): boolean {
  return healTimes.filter((at) => at > now - FIGHT_WINDOW_MS).length >= FIGHT_HEALS;
}

/**
 * Decides the response to a finding.
 *
 * A divergence that makes an object of ours wider is healed whatever the Workspace lists, unless it lists `hold`; `propose` alone leaves
 * nothing open. Foreign objects are only told, unless the cluster says `foreign: remove`; a target in `mode: plan` is never written
 * (DESIGN.md §5 "Fights", §4 "First contact").
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
  const listed = target === undefined ? workspace.drift.default : responsesFor(workspace, target);
  const reason = finding.healable ? reasonNotToHeal(finding, listed, target, healTimes, now) : undefined;
  return {
    heal: finding.healable && reason === undefined,
    alert: listed.includes("alert") || reason === "fight",
    issue: listed.includes("issue"),
    propose: listed.includes("propose"),
    notHealedBecause: reason,
  };
}

function reasonNotToHeal(
  finding: Finding,
  listed: readonly DriftResponse[],
  target: Target | undefined,
  healTimes: readonly number[],
  now: number,
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
  return isFight(healTimes, now) ? "fight" : undefined;
}
