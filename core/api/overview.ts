import type { Severity } from "../finding/finding.ts";
import { TARGET_STATES, type OverviewAnswer, type StatusAnswer, type TargetStatus } from "./shapes.ts";

const MOST_ATTENTION = 50;
/** The gravest first. */
export const SEVERITIES: readonly Severity[] = ["critical", "high", "medium", "low", "info"];

/**
 * What the console's first page shows of a status, within a bound.
 *
 * @param severities of every open finding
 */
export function overviewOf(status: StatusAnswer, severities: readonly Severity[]): OverviewAnswer {
  const { targets, ...rest } = status;
  const looks = targets.flatMap(({ lastReadAt }) => lastReadAt ?? []).sort();
  const attention = targets.filter(needsSomebody).toSorted((a, b) => rank(a) - rank(b) || compare(a.target, b.target));
  return {
    ...rest,
    targets: targets.length,
    states: TARGET_STATES.flatMap((state) => {
      const count = targets.filter((target) => target.state === state).length;
      return count === 0 ? [] : [{ state, count }];
    }),
    looked: { oldest: looks[0] ?? null, newest: looks.at(-1) ?? null, never: targets.length - looks.length },
    findings: SEVERITIES.flatMap((severity) => {
      const count = severities.filter((other) => other === severity).length;
      return count === 0 ? [] : [{ severity, count }];
    }),
    attention: attention.slice(0, MOST_ATTENTION),
    moreAttention: Math.max(0, attention.length - MOST_ATTENTION),
  };
}

function needsSomebody({ state, openFindings }: TargetStatus): boolean {
  return state !== "in sync" || openFindings > 0;
}

function rank({ state }: TargetStatus): number {
  return TARGET_STATES.indexOf(state);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
